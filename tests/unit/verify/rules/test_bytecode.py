"""What bytecode Python will use, and when its absence matters."""

import _imp
import struct
from collections.abc import Callable, Mapping

import pytest

from tests.fakes import image_files as fake
from understudy.verify.model import Finding, Severity, Subject
from understudy.verify.rules import bytecode

MAGIC = (3571).to_bytes(2, "little") + b"\r\n"
MAGIC_312 = (3531).to_bytes(2, "little") + b"\r\n"
SOURCE = "x = 1\n" + "#" * 20_000
PACKAGES = fake.SITE_PACKAGES


def stamped(source: str = SOURCE, *, mtime_s: int = fake.MTIME_S, magic: bytes = MAGIC) -> bytes:
    return struct.pack("<4sIII", magic, 0, mtime_s, len(source))


def hashed(source: str = SOURCE, *, flags: int = 1, magic: bytes = MAGIC) -> bytes:
    return struct.pack("<4sI", magic, flags) + _imp.source_hash(
        int.from_bytes(magic, "little"), source.encode()
    )


def package(
    root: str = f"{PACKAGES}/pack",
    *,
    count: int = 20,
    pyc: Callable[[], bytes] | None = None,
    source: str = SOURCE,
    ending: str = ".cpython-313.pyc",
    mode: int | None = None,
) -> dict[str, fake.Content]:
    """`count` modules below `root`, with bytecode where `pyc` makes some."""
    files: dict[str, fake.Content] = {}
    for number in range(count):
        files[f"{root}/m{number}.py"] = source
        if pyc is not None:
            files[f"{root}/__pycache__/m{number}{ending}"] = fake.Spec(content=pyc(), mode=mode)
    if root.startswith(PACKAGES):
        files[f"{PACKAGES}/pack-1.dist-info/METADATA"] = "Name: pack\nVersion: 1\n"
    return files


def found(subject: Subject) -> list[Finding]:
    return list(bytecode.check(subject))


def ids(subject: Subject) -> list[tuple[str, Severity]]:
    return [(finding.rule, finding.severity) for finding in found(subject)]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(package(pyc=stamped), id="timestamp"),
        pytest.param(package(pyc=hashed), id="unchecked-hash"),
        pytest.param(package(pyc=lambda: hashed(flags=3)), id="checked-hash"),
        pytest.param(package(count=3), id="a-handful-without"),
        pytest.param(package(count=200, source="a=1"), id="many-tiny-ones-without"),
        pytest.param(package(count=50, source=""), id="empty-ones"),
        pytest.param(package(f"{PACKAGES}/pip/_internal"), id="installer"),
        pytest.param(package(f"{PACKAGES}/pack/tests"), id="tests"),
        pytest.param(package(f"{fake.TASK}/cookiecutter-{{x}}/app"), id="template-folder"),
        pytest.param(package(f"{fake.TASK}/.venv/lib"), id="hidden-folder"),
        pytest.param(package("/srv/elsewhere"), id="off-the-search-path"),
        pytest.param({"/var/task/my-script.py": SOURCE * 50}, id="script-that-no-import-can-name"),
        pytest.param({"/var/lang/lib/python3.13/os.pyc": MAGIC + b"\0" * 12}, id="sourceless-of-this-python"),
        pytest.param(
            {"/var/task/handler.py": "x", "/var/task/handler.pyc": MAGIC_312 + b"\0" * 12},
            id="foreign-beside-its-source",
        ),
    ],
)
def test_stays_silent(files: Mapping[str, fake.Content]) -> None:
    assert found(fake.subject(files)) == []


def test_a_subject_without_python_has_no_bytecode() -> None:
    assert found(fake.subject({"/var/task/m.py": SOURCE}, base=False)) == []


class TestMissing:
    def test_names_the_tree_what_it_costs_and_the_command(self) -> None:
        [finding] = found(fake.subject(package()))

        assert (finding.rule, finding.severity) == ("bytecode-missing", Severity.SLOW)
        assert "20 of 20 modules" in finding.message
        assert finding.fix == (
            "RUN /var/lang/bin/python3.13 -m compileall -q --invalidation-mode unchecked-hash "
            "/var/lang/lib/python3.13/site-packages"
        )

    @pytest.mark.parametrize(
        ("files", "severity"),
        [
            pytest.param(package(fake.TASK, count=6), Severity.INFO, id="small-app"),
            pytest.param(package(fake.TASK, count=20), Severity.SLOW, id="large-app"),
            pytest.param(
                {**package(count=10), **package(f"{PACKAGES}/other", count=90, pyc=stamped)},
                Severity.INFO,
                id="a-tenth-of-the-packages",
            ),
            pytest.param(package(fake.STDLIB), Severity.SLOW, id="standard-library"),
            pytest.param(package(pyc=stamped, mode=0o600), Severity.SLOW, id="unreadable-for-lambda"),
            pytest.param(
                package(pyc=stamped, ending=".cpython-312.pyc"), Severity.SLOW, id="of-another-python-only"
            ),
        ],
    )
    def test_matters_by_its_share(self, files: Mapping[str, fake.Content], severity: Severity) -> None:
        assert ids(fake.subject(files)) == [("bytecode-missing", severity)]

    @pytest.mark.parametrize(
        ("variable", "value", "fix"),
        [
            ("PYTHONPYCACHEPREFIX", "/tmp/pycache", "unset PYTHONPYCACHEPREFIX"),
            ("PYTHONOPTIMIZE", "2", "python3.13 -OO -m compileall"),
            ("PYTHONOPTIMIZE", "yes", "python3.13 -O -m compileall"),
        ],
    )
    def test_variables_that_hide_valid_bytecode(self, variable: str, value: str, fix: str) -> None:
        [finding] = found(fake.subject(package(pyc=stamped), function_env={variable: value}))

        assert finding.rule == "bytecode-missing"
        assert fix in finding.fix

    def test_finds_bytecode_where_the_variables_say(self) -> None:
        files = package(pyc=stamped, ending=".cpython-313.opt-1.pyc")

        assert found(fake.subject(files, function_env={"PYTHONOPTIMIZE": "1"})) == []


class TestStale:
    @pytest.mark.parametrize(
        "pyc",
        [
            pytest.param(lambda: stamped(mtime_s=0), id="other-time"),
            pytest.param(lambda: stamped("shorter"), id="other-size"),
            pytest.param(lambda: stamped(magic=MAGIC_312), id="other-magic"),
            pytest.param(lambda: b"\xf3\r", id="cut"),
            pytest.param(lambda: struct.pack("<4sIQ", MAGIC, 4, 0), id="unknown-flags"),
        ],
    )
    def test_is_told_apart_from_missing(self, pyc: Callable[[], bytes]) -> None:
        [finding] = found(fake.subject(package(pyc=pyc)))

        assert (finding.rule, finding.severity) == ("bytecode-stale", Severity.SLOW)
        assert "compileall -q -f " in finding.fix


class TestOutdated:
    def test_own_code_that_does_not_run(self) -> None:
        files = package(fake.TASK, count=3, pyc=lambda: hashed("old code"))

        [finding] = found(fake.subject(files))

        assert (finding.rule, finding.severity) == ("bytecode-outdated", Severity.MAY_FAIL)
        assert finding.places[0].path == "/var/task/m0.py"

    def test_reads_own_code_only_and_announces_it(self) -> None:
        files = fake.ImageFiles({**fake.aws_base(), **package(pyc=hashed), **package(fake.TASK, pyc=hashed)})

        assert found(fake.subject(files)) == []
        sources = {path for path in files.reads if path.endswith(".py") and "/m" in path}
        assert sources == {f"/var/task/m{number}.py" for number in range(20)}
        assert sources <= files.prefetched


class TestForeign:
    def test_the_handler_fails(self) -> None:
        [finding] = found(fake.subject({"/var/task/handler.pyc": MAGIC_312 + b"\0" * 12}))

        assert (finding.rule, finding.severity) == ("bytecode-foreign", Severity.FAILS)
        assert finding.aws_text == (
            "Runtime.ImportModuleError: Unable to import module 'handler': "
            "bad magic number in 'handler': b'\\xcb\\r\\r\\n'"
        )

    def test_another_module_may_fail(self) -> None:
        files: dict[str, fake.Content] = {
            "/var/task/handler.py": "",
            "/var/task/other.pyc": MAGIC_312 + b"\0" * 12,
        }

        assert ids(fake.subject(files)) == [("bytecode-foreign", Severity.MAY_FAIL)]
