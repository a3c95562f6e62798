"""Whether the runtime client finds the handler, in its own words."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.fakes import image_files as fake
from understudy.verify.model import Finding, Severity
from understudy.verify.rules import entry_handler, entry_launch

TASK = fake.TASK
PYTHON = "/var/lang/bin/python3.13"
CLIENT = (PYTHON, "-m", "awslambdaric")
SITE = fake.SITE_PACKAGES
IMPORT_ERROR = "Runtime.ImportModuleError: Unable to import module"


def check(files: Mapping[str, fake.Content], *command: str, **launch: Any) -> list[Finding]:
    subject = fake.subject(files, command=command, **launch)
    return list(entry_handler.check(subject, entry_launch.start(subject)))


@pytest.mark.parametrize(
    ("files", "handler"),
    [
        pytest.param({"app.py": "def handler(event, context): ..."}, "app.handler", id="function"),
        pytest.param({"app.py": "class handler: ..."}, "app.handler", id="class"),
        pytest.param(
            {"app.py": "from mangum import Mangum\nhandler = Mangum(x)"}, "app.handler", id="assignment"
        ),
        pytest.param({"app.py": "handler: object = 1"}, "app.handler", id="annotated"),
        pytest.param({"app.py": "x = handler = 1"}, "app.handler", id="chain"),
        pytest.param({"app.py": "handler, other = f()"}, "app.handler", id="tuple"),
        pytest.param(
            {"app.py": "from other import handler", "other.py": "handler = 1"}, "app.handler", id="import"
        ),
        pytest.param({"app.py": "from other import run as handler"}, "app.handler", id="import-as"),
        pytest.param({"app.py": "from other import *"}, "app.handler", id="star"),
        pytest.param({"app.py": "def __getattr__(name): ..."}, "app.handler", id="getattr"),
        pytest.param({"app.py": "globals()['handler'] = 1"}, "app.handler", id="globals"),
        pytest.param(
            {"app.py": "if x:\n    handler = 1\nelse:\n    handler = 2"}, "app.handler", id="condition"
        ),
        pytest.param(
            {"app.py": "try:\n    import x\nexcept ImportError:\n    def handler(): ..."},
            "app.handler",
            id="try",
        ),
        pytest.param({"app.py": "with x as handler: ..."}, "app.handler", id="with"),
        pytest.param({"app.py": "for handler in x: ..."}, "app.handler", id="loop"),
        pytest.param(
            {"app.py": "handler = 1\ndel handler\nhandler = 2"}, "app.handler", id="deleted-and-back"
        ),
        pytest.param({"pkg/__init__.py": "", "pkg/mod.py": "handler = 1"}, "pkg.mod.handler", id="package"),
        pytest.param({"pkg/mod.py": "handler = 1"}, "pkg/mod.handler", id="slash-and-namespace"),
        pytest.param({"pkg/__init__.py": "handler = 1"}, "pkg.handler", id="package-init"),
        pytest.param({"my-app.py": "handler = 1"}, "my-app.handler", id="hyphen"),
        pytest.param(
            {"app.cpython-313-x86_64-linux-gnu.so": fake.shared_object()}, "app.handler", id="compiled"
        ),
        pytest.param({"app.py": "def handler(:"}, "app.handler", id="syntax-errors-are-another-rule's"),
    ],
)
def test_good_handlers(files: Mapping[str, fake.Content], handler: str) -> None:
    assert check({f"{TASK}/{name}": content for name, content in files.items()}, handler) == []


@pytest.mark.parametrize(
    ("handler", "aws_text", "fix"),
    [
        pytest.param(
            "app",
            "Runtime.MalformedHandlerName: Bad handler 'app': "
            "not enough values to unpack (expected 2, got 1)",
            'CMD ["app.handler"]',
            id="no-dot",
        ),
        pytest.param(
            "app:handler",
            "Runtime.MalformedHandlerName: Bad handler 'app:handler': "
            "not enough values to unpack (expected 2, got 1)",
            'CMD ["app.handler"]',
            id="uvicorn",
        ),
        pytest.param(
            "pkg.app:handler",
            "Runtime.HandlerNotFound: Handler 'app:handler' missing on module 'pkg'",
            'CMD ["pkg.app.handler"]',
            id="uvicorn-in-a-package",
        ),
        pytest.param(
            "'app.handler'",
            f"""{IMPORT_ERROR} ''app': No module named "'app\"""",
            'CMD ["app.handler"]',
            id="quotes",
        ),
        pytest.param(
            "./app.handler",
            "TypeError: the 'package' argument is required to perform a relative import for '..app'",
            'CMD ["app.handler"]',
            id="path",
        ),
        pytest.param(".handler", "ValueError: Empty module name", 'CMD ["handler.handler"]', id="no-module"),
    ],
)
def test_malformed(handler: str, aws_text: str, fix: str) -> None:
    (finding,) = check({f"{TASK}/app.py": "handler = 1"}, handler)
    assert (finding.rule, finding.severity) == ("handler-malformed", Severity.FAILS)
    assert (finding.aws_text, finding.fix) == (aws_text, fix)


@pytest.mark.parametrize(
    ("files", "handler", "error", "fix"),
    [
        pytest.param(
            {},
            "main.handler",
            "'main': No module named 'main'",
            "COPY main.py ${LAMBDA_TASK_ROOT}/",
            id="absent",
        ),
        pytest.param(
            {f"{TASK}/src/main.py": ""},
            "main.handler",
            "'main': No module named 'main'",
            'CMD ["src.main.handler"]',
            id="one-below",
        ),
        pytest.param(
            {f"{TASK}/App.py": ""},
            "app.handler",
            "'app': No module named 'app'",
            f'rename {TASK}/App.py to app.py, or CMD ["App.handler"]',
            id="case",
        ),
        pytest.param(
            {"/app/main.py": ""},
            "main.handler",
            "'main': No module named 'main'",
            f"RUN mv /app/main.py {TASK}/, or COPY it there",
            id="elsewhere",
        ),
        pytest.param(
            {f"{TASK}/pkg/__init__.py": ""},
            "pkg/main.handler",
            "'pkg/main': No module named 'pkg.main'",
            f"COPY main.py {TASK}/pkg/",
            id="in-a-package",
        ),
        pytest.param(
            {f"{TASK}/app.py": "class Api: ..."},
            "app.Api.handler",
            "'app.Api': No module named 'app.Api'; 'app' is not a package",
            f'CMD ["app.handler"], with handler in {TASK}/app.py',
            id="method",
        ),
    ],
)
def test_missing_module(files: Mapping[str, fake.Content], handler: str, error: str, fix: str) -> None:
    (finding,) = check(files, handler)
    assert (finding.rule, finding.severity) == ("handler-missing", Severity.FAILS)
    assert finding.aws_text == f"{IMPORT_ERROR} {error}"
    assert finding.fix == fix


def test_a_package_that_makes_its_modules_is_not_judged() -> None:
    files = {f"{TASK}/pkg/__init__.py": "import sys\nsys.modules['pkg.main'] = object()\n"}
    assert check(files, "pkg.main.handler") == []


@pytest.mark.parametrize(
    ("files", "handler", "missing", "fix"),
    [
        pytest.param(
            {"app.py": "def lambda_handler(e, c): ..."},
            "app.handler",
            "app",
            'CMD ["app.lambda_handler"]',
            id="other",
        ),
        pytest.param({"app.py": "Handler = 1"}, "app.handler", "app", 'CMD ["app.Handler"]', id="case"),
        pytest.param(
            {"app.py": "x = 1"},
            "app.handler",
            "app",
            f"def handler(event, context) in {TASK}/app.py",
            id="none",
        ),
        pytest.param({"app.py": "handler = 1"}, "app.py", "app", 'CMD ["app.handler"]', id="file-name"),
        pytest.param(
            {"app.py": "handler = 1\ndel handler"},
            "app.handler",
            "app",
            f"def handler(event, context) in {TASK}/app.py",
            id="deleted",
        ),
        pytest.param(
            {"app.py": "def f():\n    handler = 1"},
            "app.handler",
            "app",
            f"def handler(event, context) in {TASK}/app.py",
            id="local",
        ),
        pytest.param(
            {"pkg/__init__.py": "", "pkg/main.py": "handler = 1"},
            "pkg.main",
            "pkg",
            'CMD ["pkg.main.handler"]',
            id="module",
        ),
        pytest.param(
            {"app/main.py": "handler = 1"}, "app.main", "app", 'CMD ["app.main.handler"]', id="namespace"
        ),
    ],
)
def test_missing_attribute(files: Mapping[str, str], handler: str, missing: str, fix: str) -> None:
    (finding,) = check({f"{TASK}/{name}": content for name, content in files.items()}, handler)
    assert (finding.rule, finding.severity) == ("handler-attribute-missing", Severity.FAILS)
    name = handler.rpartition(".")[2]
    assert finding.aws_text == f"Runtime.HandlerNotFound: Handler '{name}' missing on module '{missing}'"
    assert finding.fix == fix


def test_a_submodule_that_the_package_imports_counts_as_its_attribute() -> None:
    files = {f"{TASK}/pkg/__init__.py": "from pkg import main\n", f"{TASK}/pkg/main.py": ""}
    assert check(files, "pkg.main") == []


def test_built_in_modules_are_refused() -> None:
    (finding,) = check({f"{TASK}/sys.py": "handler = 1"}, "sys.handler")
    assert finding.rule == "handler-built-in"
    assert finding.aws_text == (
        "Runtime.BuiltInModuleConflict: Cannot use built-in module sys as a handler module"
    )
    assert finding.fix == "rename sys.py, and CMD with it"


def test_a_built_in_module_without_a_file_is_a_wrong_command() -> None:
    (finding,) = check({f"{TASK}/app.py": "handler = 1"}, "sys.handler")
    assert finding.fix == 'CMD ["MODULE.handler"], with the module of the image that defines handler'


def without_client() -> dict[str, fake.Content]:
    return {path: spec for path, spec in fake.aws_base().items() if "awslambdaric" not in path}


def test_the_client_must_be_importable() -> None:
    files = {**without_client(), f"{TASK}/app.py": "handler = 1"}
    subject = fake.subject(files, base=False, entrypoint=CLIENT, command=("app.handler",))
    (finding,) = entry_handler.check(subject, entry_launch.start(subject))
    assert (finding.rule, finding.severity) == ("runtime-client-missing", Severity.FAILS)
    assert finding.aws_text.startswith(f"{PYTHON}: No module named awslambdaric\n")
    assert finding.fix == f"RUN {PYTHON} -m pip install awslambdaric"


def client(version: str) -> dict[str, fake.Content]:
    return {
        **without_client(),
        f"{SITE}/awslambdaric/__init__.py": "",
        f"{SITE}/awslambdaric-{version}.dist-info/METADATA": f"Name: awslambdaric\nVersion: {version}\n",
        f"{TASK}/app.py": "handler = 1",
        f"{TASK}/pkg/app.py": "handler = 1",
    }


@pytest.mark.parametrize(
    ("version", "handler", "rules"),
    [
        ("4.2.2", "pkg/app.handler", []),
        ("2.0.0", "app.handler", []),
        ("1.1.0", "pkg.app.handler", []),
        ("1.1.0", "pkg/app.handler", ["runtime-client-old"]),
        ("1.0.0", "app.handler", ["runtime-client-old"]),
    ],
)
def test_old_clients(version: str, handler: str, rules: list[str]) -> None:
    subject = fake.subject(client(version), base=False, entrypoint=CLIENT, command=(handler,))
    findings = entry_handler.check(subject, entry_launch.start(subject))
    assert [finding.rule for finding in findings] == rules


@pytest.mark.parametrize(
    ("entrypoint", "command", "rule", "fix"),
    [
        pytest.param(CLIENT, (), "handler-not-set", 'CMD ["app.handler"]', id="no-command"),
        pytest.param(
            ("/bin/sh", "-c", f"{PYTHON} -m awslambdaric"),
            ("app.handler",),
            "handler-not-set",
            'ENTRYPOINT ["/lambda-entrypoint.sh"]',
            id="shell-form-entrypoint",
        ),
        pytest.param(
            CLIENT,
            ("/bin/sh", "-c", "app.handler"),
            "command-shell-form",
            'CMD ["app.handler"]',
            id="shell-form",
        ),
    ],
)
def test_clients_without_a_handler(
    entrypoint: tuple[str, ...], command: tuple[str, ...], rule: str, fix: str
) -> None:
    subject = fake.subject(client("4.2.2"), base=False, entrypoint=entrypoint, command=command)
    (finding,) = entry_handler.check(subject, entry_launch.start(subject))
    assert (finding.rule, finding.fix) == (rule, fix)


def test_the_working_directory_counts_outside_of_the_aws_base() -> None:
    files = {**client("4.2.2"), "/srv/web.py": "handler = 1"}
    here = fake.subject(files, base=False, entrypoint=CLIENT, command=("web.handler",), working_dir="/srv")
    there = fake.subject(files, base=False, entrypoint=CLIENT, command=("web.handler",), working_dir="/opt")
    assert list(entry_handler.check(here, entry_launch.start(here))) == []
    (finding,) = entry_handler.check(there, entry_launch.start(there))
    assert (finding.rule, finding.fix) == ("handler-missing", "COPY web.py /opt/")
