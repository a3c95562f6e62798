"""What the runtime gets before it imports the handler."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.fakes import image_files as fake
from understudy.verify.model import Finding, Severity
from understudy.verify.rules import entry_launch, entry_runtime

APP = {"/var/task/app.py": "def handler(event, context): ...\n"}
EXIT_142 = (
    "entrypoint requires the handler name to be the first argument\n"
    "Runtime.ExitError: Runtime exited with error: exit status 142"
)
WRAPPER = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}


def check(files: Mapping[str, fake.Content] | None = None, **launch: Any) -> list[Finding]:
    settings = {"command": ("app.handler",), **launch}
    subject = fake.subject({**APP, **(files or {})}, **settings)
    return list(entry_runtime.check(subject, entry_launch.start(subject)))


@pytest.mark.parametrize(
    ("files", "launch"),
    [
        pytest.param({}, {}, id="aws-base"),
        pytest.param(
            {"/opt/wrap": fake.Spec(content="#!/bin/sh\nexec $@\n", mode=0o755)},
            {"function_env": WRAPPER},
            id="wrapper",
        ),
        pytest.param({"/opt/extensions/agent": fake.shared_object()}, {}, id="extension"),
        pytest.param({"/opt/extensions/shared/README": ""}, {}, id="directory-beside-extensions"),
        pytest.param(
            {"/opt/extensions/broken": "", "/opt/disable-extensions-jwigqn8j": ""},
            {},
            id="extensions-switched-off",
        ),
        pytest.param(
            {
                "/var/lang/bin/uvicorn": fake.Spec(content="#!/var/lang/bin/python3.13\n", mode=0o755),
                "/opt/extensions/lambda-adapter": fake.shared_object(),
            },
            {"entrypoint": (), "command": ("uvicorn", "app:app")},
            id="web-adapter",
        ),
    ],
)
def test_good(files: Mapping[str, fake.Content], launch: Mapping[str, Any]) -> None:
    assert check(files, **launch) == []


@pytest.mark.parametrize(
    ("command", "rule", "fix"),
    [
        pytest.param((), "entrypoint-arguments", 'CMD ["app.handler"]', id="none"),
        pytest.param(("main.run", "extra"), "entrypoint-arguments", 'CMD ["main.run"]', id="two"),
        pytest.param(
            ("/bin/sh", "-c", "['app.handler']"), "command-shell-form", 'CMD ["app.handler"]', id="quotes"
        ),
        pytest.param(
            ("/bin/sh", "-c", "app.handler"), "command-shell-form", 'CMD ["app.handler"]', id="shell"
        ),
        pytest.param(
            ("uvicorn", "app:app", "--port", "80"),
            "server-without-runtime",
            'wrap the application with Mangum in app.py and set CMD ["app.handler"]',
            id="uvicorn",
        ),
    ],
)
def test_the_entry_script_takes_one_argument(command: tuple[str, ...], rule: str, fix: str) -> None:
    (finding,) = check(command=command)
    assert (finding.rule, finding.severity) == (rule, Severity.FAILS)
    assert (finding.fix, finding.aws_text) == (fix, EXIT_142)


def test_the_override_is_what_to_change_when_it_is_to_blame() -> None:
    (finding,) = check(command=("a.b", "c"), command_overridden=True)
    assert finding.fix == 'set ImageConfig.Command to ["a.b"]'
    assert finding.places[0].path == "ImageConfig.Command"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (("/var/lang/bin/python3.13", "-m", "uvicorn", "app:app"), "INIT_REPORT Init Duration: 10000.00 ms"),
        (("uvicorn", "app:app"), "Runtime.InvalidEntrypoint: Couldn't find valid bootstrap(s): [uvicorn]"),
    ],
    ids=["runs-and-waits", "not-on-path"],
)
def test_a_server_that_nobody_adapts(command: tuple[str, ...], text: str) -> None:
    (finding,) = check(entrypoint=(), command=command)
    assert (finding.rule, finding.severity) == ("server-without-runtime", Severity.FAILS)
    assert finding.aws_text.startswith(text)


@pytest.mark.parametrize(
    ("spec", "rule", "aws_text", "fix"),
    [
        pytest.param(
            fake.Spec(content="#!/bin/sh\n", mode=0o644),
            "bootstrap-not-executable",
            "/lambda-entrypoint.sh: line 14: /var/runtime/bootstrap: Permission denied\n"
            "Runtime.ExitError: Runtime exited with error: exit status 126",
            "RUN chmod 755 /var/runtime/bootstrap",
            id="mode",
        ),
        pytest.param(
            fake.link("/nowhere"),
            "bootstrap-not-executable",
            "/lambda-entrypoint.sh: line 14: /var/runtime/bootstrap: No such file or directory\n"
            "Runtime.ExitError: Runtime exited with error: exit status 127",
            "FROM public.ecr.aws/lambda/python:3.13",
            id="gone",
        ),
    ],
)
def test_bootstrap(spec: fake.Spec, rule: str, aws_text: str, fix: str) -> None:
    (finding,) = check({"/var/runtime/bootstrap": spec})
    assert (finding.rule, finding.aws_text, finding.fix) == (rule, aws_text, fix)


@pytest.mark.parametrize(
    ("files", "aws_text"),
    [
        pytest.param(
            {"/var/runtime/bootstrap.py": fake.Spec(content="", mode=0o600)},
            "can't open file '/var/runtime/bootstrap.py': [Errno 13] Permission denied\n"
            "Runtime.ExitError: Runtime exited with error: exit status 2",
            id="script-closed",
        ),
        pytest.param(
            {"/var/runtime/bootstrap.py": fake.link("/nowhere")},
            "can't open file '/var/runtime/bootstrap.py': [Errno 2] No such file or directory\n"
            "Runtime.ExitError: Runtime exited with error: exit status 2",
            id="script-gone",
        ),
        pytest.param(
            {"/var/lang/bin/python3.13": fake.link("/nowhere")},
            "/var/runtime/bootstrap: /var/lang/bin/python3.13: no such file or directory\n"
            "Runtime.ExitError: Runtime exited with error: exit status 126",
            id="python-gone",
        ),
    ],
)
def test_what_the_bootstrap_runs(files: Mapping[str, fake.Content], aws_text: str) -> None:
    script = "#!/bin/bash\nexec /var/lang/bin/python3.13 /var/runtime/bootstrap.py\n"
    bootstrap = fake.Spec(content=script, mode=0o755)
    found = check({"/var/runtime/bootstrap": bootstrap, "/var/runtime/awslambdaric/__init__.py": "", **files})
    assert aws_text in [one.aws_text for one in found if one.rule == "bootstrap-not-executable"]


@pytest.mark.parametrize(
    ("files", "aws_text", "fix"),
    [
        pytest.param(
            {},
            "/opt/wrap: does not exist\nRuntime.ExitError: Runtime exited with error: exit status 127",
            "COPY --chmod=755 wrap /opt/wrap",
            id="missing",
        ),
        pytest.param(
            {"/opt/wrap": "#!/bin/sh\n"},
            "/opt/wrap: is not an executable\nRuntime.ExitError: Runtime exited with error: exit status 126",
            "RUN chmod 755 /opt/wrap",
            id="mode",
        ),
        pytest.param(
            {"/opt/wrap": fake.Spec(content="#!/bin/sh\r\n", mode=0o755)},
            "/var/runtime/bootstrap: /opt/wrap: cannot execute\n"
            "Runtime.ExitError: Runtime exited with error: exit status 126",
            r"RUN sed -i 's/\r$//' /opt/wrap",
            id="crlf",
        ),
    ],
)
def test_wrapper(files: Mapping[str, fake.Content], aws_text: str, fix: str) -> None:
    (finding,) = check(files, function_env=WRAPPER)
    assert (finding.rule, finding.aws_text, finding.fix) == ("exec-wrapper", aws_text, fix)


def test_the_wrapper_means_nothing_outside_of_the_aws_base() -> None:
    client = ("/var/lang/bin/python3.13", "-m", "awslambdaric")
    assert check(entrypoint=client, function_env=WRAPPER) == []


@pytest.mark.parametrize(
    ("spec", "rule", "reason"),
    [
        pytest.param("", "lambda-extension-not-executable", "permission denied", id="no-exec-bit"),
        pytest.param(
            fake.Spec(content="x", mode=0o755),
            "lambda-extension-not-executable",
            "exec format error",
            id="text",
        ),
        pytest.param(
            fake.shared_object(machine="arm64"),
            "lambda-extension-architecture",
            "exec format error",
            id="arm64",
        ),
        pytest.param(
            fake.shared_object(interpreter="/lib/ld-musl-x86_64.so.1"),
            "lambda-extension-not-executable",
            "no such file or directory",
            id="musl",
        ),
    ],
)
def test_extensions(spec: fake.Content, rule: str, reason: str) -> None:
    (finding,) = check({"/opt/extensions/agent": spec})
    assert (finding.rule, finding.severity) == (rule, Severity.FAILS)
    assert finding.aws_text == f"Extension.LaunchError: fork/exec /opt/extensions/agent: {reason}"
    assert finding.places[0].path == "/opt/extensions/agent"
