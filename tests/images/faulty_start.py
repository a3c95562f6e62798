"""Programs that cannot be started, and images for another machine: rows A6, A7 and A8."""

from tests.images.case import BASE, HANDLER, PIP, Case, on_base, rules
from understudy.verify.subject import LaunchOverrides

_SCRIPT = '#!/bin/sh\nexec /lambda-entrypoint.sh "$@"\n'


def _entry(script: str, *instructions: str) -> dict[str, object]:
    """Fields of a case whose entry point is /entry.sh."""
    lines = (f"FROM {BASE}", "COPY app.py ./", "COPY entry.sh /", *instructions)
    return {
        "files": {"app.py": HANDLER, "entry.sh": script},
        "dockerfile": "\n".join((*lines, 'ENTRYPOINT ["/entry.sh"]', 'CMD ["app.handler"]', "")),
    }


def _case(name: str, row: str, **fields: object) -> Case:
    return Case(name=name, row=row, **fields)  # type: ignore[arg-type]  # fields of Case


CASES = (
    _case(
        "web-server-without-runtime-client",
        "A6",
        files={"app.py": "async def app(scope, receive, send): ...\n"},
        dockerfile=on_base(
            "RUN pip install -q uvicorn==0.30.6",
            'ENTRYPOINT ["/var/lang/bin/python3.13", "-m", "uvicorn"]',
            cmd='["app:app", "--port", "8080"]',
        ),
        static=rules("server-without-runtime"),
        boot=rules("boot-no-next"),
        aws_text="Phase: init Status: timeout",
        fix="awslambdaric",
    ),
    _case(
        "entrypoint-absent",
        "A6",
        dockerfile=on_base('ENTRYPOINT ["/entry.sh"]'),
        static=rules("entrypoint-missing"),
        boot=rules("boot-entrypoint"),
        aws_text="Runtime.InvalidEntrypoint",
        fix="ENTRYPOINT",
    ),
    _case(
        "entrypoint-symlink",
        "A6",
        dockerfile=on_base(
            "ENV PYTHONPATH=/var/runtime",
            "RUN ln -s /var/lang/bin/python3.13 /usr/bin/python-of-app",
            'ENTRYPOINT ["/usr/bin/python-of-app", "-m", "awslambdaric"]',
        ),
        passed=True,
    ),
    _case(
        "runtime-client-removed",
        "A6",
        dockerfile=on_base(
            "RUN rm -r /var/runtime/awslambdaric*",
            "ENV PYTHONPATH=/var/runtime",
            'ENTRYPOINT ["/var/lang/bin/python3.13", "-m", "awslambdaric"]',
        ),
        static=rules("runtime-client-missing"),
        boot=rules("boot-exit"),
        aws_text="Runtime.ExitError",
        fix="pip install",
    ),
    _case(
        "working-directory-absent",
        "A6",
        launch=LaunchOverrides(working_dir="/srv/app"),
        static=rules("working-directory-missing"),
        boot=rules("boot-entrypoint"),
        aws_text="Runtime.InvalidWorkingDir",
        fix="/srv/app",
    ),
    _case(
        "function-of-another-architecture",
        "A7",
        launch=LaunchOverrides(architecture="arm64"),
        static=rules("architecture-mismatch"),
        aws_text="fork/exec /lambda-entrypoint.sh: exec format error",
        fix="x86_64",
    ),
    _case(
        "entry-script-with-crlf",
        "A8",
        **_entry(_SCRIPT.replace("\n", "\r\n"), "RUN chmod 755 /entry.sh"),
        static=rules("entrypoint-crlf"),
        boot=rules("boot-entrypoint"),
        aws_text="fork/exec /entry.sh: no such file or directory",
        fix="sed -i",
    ),
    _case(
        "entry-script-without-exec-bit",
        "A8",
        **_entry(_SCRIPT),
        static=rules("entrypoint-not-executable"),
        boot=rules("boot-entrypoint"),
        aws_text="fork/exec /entry.sh: permission denied",
        fix="chmod",
    ),
    _case(
        "entry-script-with-absent-interpreter",
        "A8",
        **_entry(_SCRIPT.replace("/bin/sh", "/usr/local/bin/zsh"), "RUN chmod 755 /entry.sh"),
        static=rules("entrypoint-interpreter-missing"),
        boot=rules("boot-entrypoint"),
        aws_text="fork/exec /entry.sh: no such file or directory",
        fix="zsh",
    ),
    _case(
        "entry-script-without-shebang",
        "A8",
        **_entry('exec /lambda-entrypoint.sh "$@"\n', "RUN chmod 755 /entry.sh"),
        static=rules("entrypoint-without-shebang"),
        boot=rules("boot-entrypoint"),
        aws_text="fork/exec /entry.sh: exec format error",
        fix="#!",
    ),
    _case("entry-script-good", "A8", **_entry(_SCRIPT, "RUN chmod 755 /entry.sh"), passed=True),
    _case(
        "wrapper-absent",
        "A8",
        launch=LaunchOverrides(function_env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}),
        static=rules("exec-wrapper"),
        boot=rules("boot-exit"),
        aws_text="exit status 127",
        fix="/opt/wrapper",
    ),
    _case(
        "wrapper-not-executable",
        "A8",
        dockerfile=on_base(
            "RUN printf '#!/bin/sh\\nexec \"$@\"\\n' > /opt/wrapper",
            "ENV AWS_LAMBDA_EXEC_WRAPPER=/opt/wrapper",
        ),
        static=rules("exec-wrapper"),
        boot=rules("boot-exit"),
        aws_text="exit status 126",
        fix="chmod",
    ),
    _case(
        "extension-of-another-architecture",
        "A7",
        dockerfile=on_base(
            f"RUN {PIP.replace('--target .', '--target /tmp/arm')} --no-deps "
            "--platform manylinux2014_aarch64 pydantic-core==2.41.5 && mkdir -p /opt/extensions "
            "&& mv /tmp/arm/pydantic_core/*.so /opt/extensions/agent && rm -r /tmp/arm"
        ),
        static=rules("lambda-extension-architecture"),
        boot=rules("boot-extension"),
        aws_text="Extension.LaunchError: fork/exec /opt/extensions/agent: exec format error",
        boot_text="Error: fork/exec /opt/extensions/agent: exec format error",
        fix="x86_64",
    ),
    _case(
        "extension-not-executable",
        "A8",
        dockerfile=on_base("RUN mkdir -p /opt/extensions && printf '#!/bin/sh\\n' > /opt/extensions/agent"),
        static=rules("lambda-extension-not-executable"),
        boot=rules("boot-extension"),
        aws_text="Extension.LaunchError: fork/exec /opt/extensions/agent: permission denied",
        boot_text="Error: fork/exec /opt/extensions/agent: permission denied",
        fix="chmod",
    ),
)
