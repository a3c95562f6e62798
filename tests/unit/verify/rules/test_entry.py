"""From Lambda's first exec on: what keeps the entry point from starting, and what only looks as if it did."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.fakes import image_files as fake
from understudy.verify.model import Finding, Severity, Subject
from understudy.verify.rules import entry

APP: dict[str, fake.Content] = {"/var/task/handler.py": "def handler(event, context): ...\n"}
DEBIAN: dict[str, fake.Content] = {
    "/usr/local/bin/python3.13": fake.shared_object(),
    "/usr/local/bin/python": fake.link("python3.13"),
    "/usr/local/lib/python3.13/os.py": "",
    "/usr/local/lib/python3.13/lib-dynload/_ssl.cpython-313-x86_64-linux-gnu.so": fake.shared_object(),
    "/usr/local/lib/python3.13/site-packages/awslambdaric/__init__.py": "",
    "/usr/local/lib/python3.13/site-packages/awslambdaric-4.2.2.dist-info/METADATA": "Name: awslambdaric\n",
    "/usr/bin/sh": fake.shared_object(),
    "/bin": fake.link("usr/bin"),
    "/app/app.py": "def handler(event, context): ...\n",
    "/var/task": fake.directory(),
}
CLIENT = ("/usr/local/bin/python", "-m", "awslambdaric")
PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def aws(files: Mapping[str, fake.Content] | None = None, **launch: Any) -> Subject:
    return fake.subject({**APP, **(files or {})}, **launch)


def debian(files: Mapping[str, fake.Content] | None = None, **launch: Any) -> Subject:
    settings = {"entrypoint": CLIENT, "command": ("app.handler",), "working_dir": "/app", "image_env": PATH}
    return fake.subject({**DEBIAN, **(files or {})}, base=False, **{**settings, **launch})


def loud(subject: Subject) -> list[Finding]:
    """What is above information."""
    return [finding for finding in entry.check(subject) if finding.severity is not Severity.INFO]


def only(subject: Subject) -> Finding:
    (finding,) = loud(subject)
    return finding


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(aws(), id="aws-base"),
        pytest.param(debian(), id="client-on-debian"),
        pytest.param(debian(entrypoint=(), command=(*CLIENT, "app.handler")), id="all-in-command"),
        pytest.param(
            debian(entrypoint=("/bin/sh", "-c", "python -m awslambdaric app.handler"), command=()),
            id="shell-form",
        ),
        pytest.param(
            debian(
                {"/entry.sh": fake.Spec(content='#!/bin/sh\nexec python -m awslambdaric "$@"\n', mode=0o755)},
                entrypoint=("/entry.sh",),
            ),
            id="own-entry-script",
        ),
        pytest.param(
            fake.subject(
                {"/app/bootstrap": fake.shared_object()}, entrypoint=("/app/bootstrap",), command=()
            ),
            id="compiled-runtime",
        ),
        pytest.param(
            fake.subject(
                {"/usr/bin/node": fake.shared_object(), "/srv/app.mjs": ""},
                entrypoint=("/usr/bin/node", "/srv/app.mjs"),
                command=("app.handler",),
            ),
            id="node",
        ),
        pytest.param(
            fake.subject(
                {
                    **DEBIAN,
                    "/usr/local/bin/uvicorn": fake.Spec(content="#!/usr/local/bin/python\n", mode=0o755),
                    "/opt/extensions/lambda-adapter": fake.shared_object(),
                },
                base=False,
                entrypoint=(),
                command=("uvicorn", "app:app"),
                working_dir="/app",
                image_env=PATH,
            ),
            id="web-adapter",
        ),
    ],
)
def test_good_images_are_good(subject: Subject) -> None:
    assert loud(subject) == []


@pytest.mark.parametrize(
    ("subject", "rule", "aws_text", "fix"),
    [
        pytest.param(
            aws(entrypoint=("/entry.sh",)),
            "entrypoint-missing",
            "Runtime.InvalidEntrypoint: fork/exec /entry.sh: no such file or directory",
            "COPY entry.sh /entry.sh",
            id="missing-file",
        ),
        pytest.param(
            aws({"/entry.sh": fake.Spec(content="#!/bin/zsh\n", mode=0o755)}, entrypoint=("/entry.sh",)),
            "entrypoint-interpreter-missing",
            "Runtime.InvalidEntrypoint: fork/exec /entry.sh: no such file or directory",
            "change the first line of /entry.sh, or install /bin/zsh",
            id="missing-interpreter",
        ),
        pytest.param(
            aws({"/entry.sh": fake.Spec(content="#!/bin/sh\r\n", mode=0o755)}, entrypoint=("/entry.sh",)),
            "entrypoint-crlf",
            "Runtime.InvalidEntrypoint: fork/exec /entry.sh: no such file or directory",
            r"RUN sed -i 's/\r$//' /entry.sh",
            id="crlf",
        ),
        pytest.param(
            aws({"/entry.sh": fake.Spec(content="#!/bin/sh\n")}, entrypoint=("/entry.sh",)),
            "entrypoint-not-executable",
            "Runtime.InvalidEntrypoint: fork/exec /entry.sh: permission denied",
            "RUN chmod 755 /entry.sh",
            id="no-exec-bit",
        ),
        pytest.param(
            aws({"/entry.sh": fake.Spec(content="exec x\n", mode=0o755)}, entrypoint=("/entry.sh",)),
            "entrypoint-without-shebang",
            "Runtime.InvalidEntrypoint: fork/exec /entry.sh: exec format error",
            "make #!/bin/sh the first line of /entry.sh",
            id="no-shebang",
        ),
        pytest.param(
            fake.subject({"/run": fake.shared_object(machine="arm64")}, entrypoint=("/run",), command=()),
            "entrypoint-architecture",
            "Runtime.InvalidEntrypoint: fork/exec /run: exec format error",
            "docker buildx build --platform linux/amd64 --provenance=false .",
            id="arm64-binary",
        ),
        pytest.param(
            fake.subject(
                {"/run": fake.shared_object(interpreter="/lib/ld-musl-x86_64.so.1")}, entrypoint=("/run",)
            ),
            "entrypoint-loader-missing",
            "Runtime.InvalidEntrypoint: fork/exec /run: no such file or directory",
            "build the program in a stage that has the same base image",
            id="musl-binary",
        ),
        pytest.param(
            fake.subject(entrypoint=("bootstrap",), command=()),
            "entrypoint-missing",
            "Runtime.InvalidEntrypoint: Couldn't find valid bootstrap(s): [bootstrap]",
            'ENTRYPOINT ["/absolute/path/of/bootstrap", ...]',
            id="not-on-path",
        ),
        pytest.param(
            fake.subject(entrypoint=(), command=()),
            "entrypoint-missing",
            "Runtime.InvalidEntrypoint: Couldn't find valid bootstrap(s): []",
            'ENTRYPOINT ["/absolute/path/of/an/existing/program"]',
            id="nothing",
        ),
        pytest.param(
            aws(entrypoint=()),
            "entrypoint-missing",
            "Runtime.InvalidEntrypoint: Couldn't find valid bootstrap(s): [handler.handler]",
            'ENTRYPOINT ["/lambda-entrypoint.sh"]',
            id="handler-without-entrypoint",
        ),
        pytest.param(
            debian(entrypoint=(), command_overridden=True),
            "image-config-override",
            "Runtime.InvalidEntrypoint: Couldn't find valid bootstrap(s): [app.handler] "
            "Entrypoint: [] Cmd: [app.handler] WorkingDir: [/app]",
            'set ImageConfig.EntryPoint to ["/usr/local/bin/python", "-m", "awslambdaric"]',
            id="command-without-entrypoint",
        ),
        pytest.param(
            aws(entrypoint=("handler.handler",), command=(), entrypoint_overridden=True),
            "image-config-override",
            "Runtime.InvalidEntrypoint: Couldn't find valid bootstrap(s): [handler.handler] "
            "Entrypoint: [handler.handler] Cmd: [] WorkingDir: [/var/task]",
            'set ImageConfig.EntryPoint to ["/lambda-entrypoint.sh"]'
            ' and ImageConfig.Command to ["handler.handler"]',
            id="handler-as-entrypoint",
        ),
        pytest.param(
            aws({"/var/lang/bin/python3.13": fake.shared_object(mode=0o700)}),
            "entrypoint-not-executable",
            "/var/lang/bin/python3.13: Permission denied\n"
            "Runtime.ExitError: Runtime exited with error: exit status 126",
            "RUN chmod 755 /var/lang/bin/python3.13",
            id="private-interpreter-behind-a-script",
        ),
        pytest.param(
            aws(working_dir="/srv"),
            "working-directory-missing",
            "Runtime.InvalidWorkingDir: chdir /srv: no such file or directory",
            "WORKDIR /srv",
            id="no-working-directory",
        ),
        pytest.param(
            aws(working_dir="/srv", working_dir_overridden=True),
            "working-directory-missing",
            "Runtime.InvalidWorkingDir: chdir /srv: no such file or directory",
            "remove ImageConfig.WorkingDirectory, or RUN mkdir -p /srv",
            id="overridden-working-directory",
        ),
        pytest.param(
            aws({"/srv": fake.directory(0o700)}, working_dir="/srv"),
            "working-directory-missing",
            "Runtime.InvalidWorkingDir: chdir /srv: permission denied",
            "RUN chmod 755 /srv",
            id="private-working-directory",
        ),
        pytest.param(
            aws(working_dir="srv"),
            "working-directory-missing",
            "Runtime.InvalidWorkingDir: the working directory 'srv' is invalid, "
            "it needs to be an absolute path",
            "WORKDIR /srv",
            id="relative-working-directory",
        ),
    ],
)
def test_finds(subject: Subject, rule: str, aws_text: str, fix: str) -> None:
    finding = only(subject)
    assert (finding.rule, finding.severity) == (rule, Severity.FAILS)
    assert finding.aws_text == aws_text
    assert finding.fix == fix


def test_a_link_as_entrypoint_is_information() -> None:
    findings = list(entry.check(debian()))
    assert [(item.rule, item.severity) for item in findings] == [("entrypoint-symlink", Severity.INFO)]
    assert findings[0].fix == 'ENTRYPOINT ["/usr/local/bin/python3.13", ...]'


def test_a_dangling_interpreter_of_a_copied_environment_is_named() -> None:
    files = {"/app/.venv/bin/python": fake.link("/usr/bin/python3.13")}
    finding = only(debian(files, entrypoint=("/app/.venv/bin/python", "-m", "awslambdaric")))
    assert finding.rule == "entrypoint-missing"
    assert finding.message == "/app/.venv/bin/python is a link to /usr/bin/python3.13, which does not exist"


def test_every_rule_has_its_own_id_and_all_texts() -> None:
    assert len({rule.id for rule in entry.RULES}) == len(entry.RULES)
    assert all(rule.why and rule.fix and rule.link.startswith("https://") for rule in entry.RULES)


def test_a_mislabelled_image_whose_binaries_fit_the_function_can_be_started() -> None:
    files = {"/run": fake.shared_object(machine="arm64")}
    subject = fake.subject(files, entrypoint=("/run",), command=(), function_architecture="arm64")

    assert not [one for one in entry.check(subject) if one.rule == "entrypoint-architecture"]
