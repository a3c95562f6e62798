"""Three texts for what cannot be read, and silence about what nobody reads."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.fakes import image_files as fake
from understudy.verify.model import Finding, Severity
from understudy.verify.rules import filesystem_permissions

TASK, SITE = fake.TASK, fake.SITE_PACKAGES
FAILS, MAY_FAIL, INFO = Severity.FAILS, Severity.MAY_FAIL, Severity.INFO
MAGIC = (3571).to_bytes(2, "little") + b"\r\n"
IMPORT_ERROR = "Runtime.ImportModuleError: Unable to import module 'handler':"


def private(content: str = "", **facts: Any) -> fake.Spec:
    return fake.Spec(content=content, mode=0o600, **facts)


def check(files: Mapping[str, fake.Content], **launch: Any) -> list[Finding]:
    app: dict[str, fake.Content] = {f"{TASK}/handler.py": "def handler(e, c): ...\n"}
    return list(filesystem_permissions.check(fake.subject({**app, **files}, **launch)))


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="aws-base"),
        pytest.param({"/root": fake.directory(0o700), "/root/.bashrc": private()}, id="root"),
        pytest.param({"/etc/shadow": fake.Spec(mode=0), "/var/cache/x": private()}, id="system"),
        pytest.param({f"{TASK}/handler.py": private("handler = 1", uid=993)}, id="owned-by-lambda"),
        pytest.param({f"{TASK}/handler.py": fake.Spec(mode=0o640, gid=990)}, id="group-of-lambda"),
        pytest.param(
            {
                f"{TASK}/handler.py": "from pkg import tool",
                f"{TASK}/pkg": fake.directory(0o711),
                f"{TASK}/pkg/__init__.py": "tool = 1",
            },
            id="package-that-can-be-passed",
        ),
        pytest.param({f"{SITE}/pkg/data.bin": private(), "/var/runtime/log": private()}, id="data-of-others"),
        pytest.param({f"{TASK}/handler.py": fake.link("/opt/handler.py"), "/opt/handler.py": ""}, id="link"),
    ],
)
def test_good(files: Mapping[str, fake.Content]) -> None:
    assert check(files) == []


@pytest.mark.parametrize(
    ("files", "rule", "severity", "aws_text", "fix"),
    [
        pytest.param(
            {f"{TASK}/handler.py": private()},
            "unreadable-file",
            FAILS,
            f"PermissionError: [Errno 13] Permission denied: '{TASK}/handler.py'",
            f"RUN chmod -R o+rX {TASK}/handler.py",
            id="handler",
        ),
        pytest.param(
            {f"{TASK}/handler.py": "import pkg", f"{TASK}/pkg/__init__.py": private()},
            "unreadable-file",
            FAILS,
            f"PermissionError: [Errno 13] Permission denied: '{TASK}/pkg/__init__.py'",
            f"RUN chmod -R o+rX {TASK}/pkg/__init__.py",
            id="package-init",
        ),
        pytest.param(
            {
                f"{TASK}/handler.py": "import fast",
                f"{SITE}/fast.{fake.SOABI}.so": fake.shared_object(mode=0o600),
            },
            "unreadable-file",
            FAILS,
            f"{IMPORT_ERROR} {SITE}/fast.{fake.SOABI}.so: cannot open shared object file: Permission denied",
            f"RUN chmod -R o+rX {SITE}/fast.{fake.SOABI}.so",
            id="extension-module",
        ),
        pytest.param(
            {
                f"{TASK}/handler.py": "from pkg import tool",
                f"{TASK}/pkg": fake.directory(0o700),
                f"{TASK}/pkg/__init__.py": "tool = 1",
            },
            "unreadable-package",
            FAILS,
            f"{IMPORT_ERROR} cannot import name 'tool' from 'pkg' (unknown location)",
            f"RUN chmod -R o+rX {TASK}/pkg",
            id="package",
        ),
        pytest.param(
            {
                f"{TASK}/handler.py": "import pkg.tool",
                f"{TASK}/pkg": fake.directory(0o700),
                f"{TASK}/pkg/__init__.py": "",
                f"{TASK}/pkg/tool.py": "",
            },
            "unreadable-package",
            FAILS,
            f"{IMPORT_ERROR} No module named 'pkg.tool'",
            f"RUN chmod -R o+rX {TASK}/pkg",
            id="submodule",
        ),
        pytest.param(
            {
                f"{TASK}/handler.py": "from pkg.app import tool",
                f"{TASK}/pkg": fake.directory(0o700),
                f"{TASK}/pkg/__init__.py": "",
                f"{TASK}/pkg/app.py": "from pkg import other\ntool = 1",
                f"{TASK}/pkg/other.py": "",
            },
            "unreadable-package",
            FAILS,
            f"{IMPORT_ERROR} No module named 'pkg.app'",
            f"RUN chmod -R o+rX {TASK}/pkg",
            id="package-that-imports-itself",
        ),
        pytest.param(
            {
                f"{TASK}/handler.py": "from pkg import tool\nimport pkg.other",
                f"{TASK}/pkg": fake.directory(0o711),
                f"{TASK}/pkg/__init__.py": "tool = 1",
                f"{TASK}/pkg/other.py": "",
            },
            "unreadable-package",
            FAILS,
            f"{IMPORT_ERROR} No module named 'pkg.other'",
            f"RUN chmod -R o+rX {TASK}/pkg",
            id="submodule-of-a-package-that-can-be-passed",
        ),
        pytest.param(
            {TASK: fake.directory(0o700)},
            "unreadable-path",
            FAILS,
            f"{IMPORT_ERROR} No module named 'handler'",
            f"RUN chmod -R o+rX {TASK}",
            id="task-root",
        ),
        pytest.param(
            {TASK: fake.directory(0o711)},
            "unreadable-path",
            FAILS,
            f"{IMPORT_ERROR} No module named 'handler'",
            f"RUN chmod -R o+rX {TASK}",
            id="task-root-that-cannot-be-listed",
        ),
        pytest.param(
            {f"{TASK}/handler.py": "import inner", SITE: fake.directory(0o700), f"{SITE}/inner.py": ""},
            "unreadable-path",
            FAILS,
            f"{IMPORT_ERROR} No module named 'inner'",
            f"RUN chmod -R o+rX {SITE}",
            id="site-packages",
        ),
        pytest.param(
            {"/var/lang": fake.directory(0o700)},
            "unreadable-path",
            FAILS,
            "Fatal Python error: init_fs_encoding: "
            "failed to get the Python codec of the filesystem encoding\n"
            "Runtime.ExitError: Runtime exited with error: exit status 1",
            "RUN chmod -R o+rX /var/lang",
            id="standard-library",
        ),
        pytest.param(
            {SITE: fake.directory(0o700), f"{SITE}/inner.py": ""},
            "unreadable-path",
            INFO,
            "",
            f"RUN chmod -R o+rX {SITE}",
            id="site-packages-that-nobody-needs",
        ),
        pytest.param(
            {
                f"{TASK}/handler.py": "import pkg",
                f"{SITE}/pkg/__init__.py": "",
                f"{SITE}/pkg/deep.py": private(),
            },
            "unreadable-file",
            MAY_FAIL,
            f"PermissionError: [Errno 13] Permission denied: '{SITE}/pkg/deep.py'",
            f"RUN chmod -R o+rX {SITE}/pkg/deep.py",
            id="deep-in-a-package-that-is-imported",
        ),
        pytest.param(
            {f"{SITE}/other/deep.py": private()},
            "unreadable-file",
            INFO,
            "",
            f"RUN chmod -R o+rX {SITE}/other/deep.py",
            id="package-that-nobody-imports",
        ),
        pytest.param(
            {f"{TASK}/handler.py": "open('data/rates.json')", f"{TASK}/data/rates.json": private()},
            "unreadable-file",
            MAY_FAIL,
            f"PermissionError: [Errno 13] Permission denied: '{TASK}/data/rates.json'",
            f"RUN chmod -R o+rX {TASK}/data/rates.json",
            id="data-that-the-code-names",
        ),
        pytest.param(
            {f"{TASK}/tests/secret.pem": private()},
            "unreadable-file",
            INFO,
            "",
            f"RUN chmod -R o+rX {TASK}/tests/secret.pem",
            id="data-that-the-code-does-not-name",
        ),
    ],
)
def test_finds(
    files: Mapping[str, fake.Content], rule: str, severity: Severity, aws_text: str, fix: str
) -> None:
    (finding,) = check(files)
    assert (finding.rule, finding.severity) == (rule, severity)
    assert finding.aws_text == aws_text
    assert finding.fix == fix


def test_an_import_in_a_try_may_fail_quietly() -> None:
    text = "try:\n    import fast\nexcept Exception:\n    fast = None\n"
    (finding,) = check({f"{TASK}/handler.py": text, f"{TASK}/fast.py": private()})
    assert finding.severity is not FAILS


@pytest.mark.parametrize(
    ("guard", "severity"),
    [("ImportError", MAY_FAIL), ("OSError", INFO), ("Exception", INFO), ("(ImportError, OSError)", INFO)],
)
def test_a_guard_against_a_missing_module_takes_no_refusal(guard: str, severity: Severity) -> None:
    code = f"try:\n    import extra\nexcept {guard}:\n    pass\n"
    (found,) = check({f"{TASK}/handler.py": code, f"{TASK}/extra.py": private()})
    assert found.severity is severity


def test_many_files_are_one_finding_with_the_directory_to_change() -> None:
    text = "".join(f"import m{number}\n" for number in range(9))
    files: dict[str, fake.Content] = {
        f"{TASK}/m{number}.py": private(uid=1000, layer=1) for number in range(9)
    }
    (finding,) = check({f"{TASK}/handler.py": text, **files})
    assert len(finding.places) == 5
    assert finding.message.startswith(f"{TASK}/m0.py has mode 0600 and owner 1000 (Lambda ignores USER")
    assert finding.message.endswith("and 8 more")
    assert finding.fix == f"RUN chmod -R o+rX {TASK}"
    assert finding.places[0].instruction == "COPY . /var/task"


@pytest.mark.parametrize(
    ("header", "severity"),
    [
        pytest.param(MAGIC + (1).to_bytes(4, "little") + bytes(8), INFO, id="unchecked-hash"),
        pytest.param(
            MAGIC + bytes(4) + fake.MTIME_S.to_bytes(4, "little") + (3).to_bytes(4, "little"),
            INFO,
            id="fresh",
        ),
        pytest.param(MAGIC + bytes(4) + bytes(4) + (3).to_bytes(4, "little"), FAILS, id="stale"),
        pytest.param(MAGIC + (3).to_bytes(4, "little") + bytes(8), FAILS, id="checked-hash"),
        pytest.param(b"\0\0\r\n" + (1).to_bytes(4, "little") + bytes(8), FAILS, id="other-python"),
    ],
)
def test_valid_bytecode_spares_the_source(header: bytes, severity: Severity) -> None:
    files: dict[str, fake.Content] = {
        f"{TASK}/handler.py": private("x=1"),
        f"{TASK}/__pycache__/handler.cpython-313.pyc": header,
    }
    (finding,) = check(files)
    assert finding.severity is severity
