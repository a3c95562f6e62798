"""Four causes of one text told apart, and broken files that break nothing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes import image_files as fake
from understudy.verify.files import elf as elf_facts
from understudy.verify.model import Finding, Severity, Subject
from understudy.verify.rules import native

SITE = fake.SITE_PACKAGES
CORE = f"{SITE}/pydantic_core"
RIGHT = "_pydantic_core.cpython-313-x86_64-linux-gnu.so"
AWS = "Runtime.ImportModuleError: Unable to import module 'handler': "
ABSENT = f"{AWS}No module named 'pydantic_core._pydantic_core'"
GOOD = fake.shared_object(needed=("libgcc_s.so.1", "libc.so.6"))
PLAIN_INIT = "from ._pydantic_core import __version__\n"


def wheel(
    name: str,
    version: str,
    files: Mapping[str, fake.Content],
    *,
    recorded: tuple[str, ...] = (),
    tag: str = "cp313-cp313-manylinux_2_17_x86_64",
    requires: tuple[str, ...] = (),
) -> dict[str, fake.Content]:
    """An installed distribution; RECORD lists its `files` and those `recorded` that are gone."""
    info = f"{SITE}/{name}-{version}.dist-info"
    lines = "".join(f"{path},sha256=x,1\n" for path in (*files, *recorded))
    needs = "".join(f"Requires-Dist: {item}\n" for item in requires)
    return {
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{needs}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nTag: {tag}\n",
        f"{info}/RECORD": lines,
        **{f"{SITE}/{path}": content for path, content in files.items()},
    }


def core(
    extension: Mapping[str, fake.Content], *, init: str = PLAIN_INIT, record: bool = True, **facts: Any
) -> dict[str, fake.Content]:
    """pydantic_core as installed, with these extension modules; RECORD lists the right one."""
    files = wheel(
        "pydantic_core",
        "2.41.5",
        {"pydantic_core/__init__.py": init},
        recorded=(f"pydantic_core/{RIGHT}",),
        **facts,
    )
    if not record:
        files = {path: content for path, content in files.items() if ".dist-info/" not in path}
    return {**files, **{f"{CORE}/{name}": content for name, content in extension.items()}}


HANDLER: dict[str, fake.Content] = {
    "/var/task/handler.py": "import pydantic_core\n\ndef handler(e, c): ...\n"
}


def found(files: Mapping[str, fake.Content], **facts: Any) -> list[Finding]:
    return list(native.check(fake.subject({**HANDLER, **files}, **facts)))


def ids(files: Mapping[str, fake.Content], **facts: Any) -> list[tuple[str, Severity]]:
    return [(finding.rule, finding.severity) for finding in found(files, **facts)]


class TestTheSeedsError:
    """All four show the same text on AWS."""

    CAUSES = (
        pytest.param(
            core({"_pydantic_core.cpython-312-x86_64-linux-gnu.so": GOOD}),
            "abi-mismatch",
            "RUN /var/lang/bin/python3.13 -m pip install --force-reinstall --no-deps pydantic_core==2.41.5",
            "is built for Python 3.12",
            id="abi",
        ),
        pytest.param(
            core({"_pydantic_core.cpython-313-aarch64-linux-gnu.so": fake.shared_object(machine="arm64")}),
            "machine-mismatch",
            "pip install --platform manylinux2014_x86_64 --python-version 3.13",
            "arm64",
            id="architecture",
        ),
        pytest.param(
            core({"_pydantic_core.cpython-313-x86_64-linux-musl.so": GOOD}),
            "musl-on-glibc",
            "in place of Alpine",
            "musl",
            id="musl",
        ),
        pytest.param(
            core({}),
            "extension-missing",
            "take *.so out of .dockerignore",
            "is listed in",
            id="missing",
        ),
    )

    @pytest.mark.parametrize(("files", "rule", "fix", "text"), CAUSES)
    def test_has_four_causes_with_four_fixes(
        self, files: dict[str, fake.Content], rule: str, fix: str, text: str
    ) -> None:
        [finding] = found(files)

        assert (finding.rule, finding.severity) == (rule, Severity.FAILS)
        assert finding.aws_text == ABSENT
        assert fix in finding.fix
        assert "pydantic_core==2.41.5" in finding.fix
        assert text in finding.message
        assert "handler imports pydantic_core imports it" in finding.message

    @pytest.mark.parametrize(
        ("name", "rule"),
        [
            ("_pydantic_core.cpython-313-darwin.so", "machine-mismatch"),
            ("_pydantic_core.cp313-win_amd64.pyd", "machine-mismatch"),
            ("_pydantic_core.cpython-313t-x86_64-linux-gnu.so", "abi-mismatch"),
            ("_pydantic_core.pypy310-pp73-x86_64-linux-gnu.so", "abi-mismatch"),
            ("_pydantic_core.cpython-312-aarch64-linux-musl.so", "machine-mismatch"),
        ],
    )
    def test_names_of_other_systems(self, name: str, rule: str) -> None:
        assert ids(core({name: GOOD})) == [(rule, Severity.FAILS)]

    def test_without_a_list_of_files_the_package_tells(self) -> None:
        [finding] = found(core({}, record=False))

        assert (finding.rule, finding.severity) == ("extension-missing", Severity.FAILS)
        assert finding.aws_text == ABSENT
        assert f"{CORE}/__init__.py imports it" in finding.message

    def test_a_missing_file_has_the_layer_of_its_package(self) -> None:
        files = core({})
        record = f"{SITE}/pydantic_core-2.41.5.dist-info/RECORD"
        files[record] = fake.Spec(content=str(files[record]), layer=1)

        [finding] = found(files)

        assert finding.places[0].path == f"{CORE}/{RIGHT}"
        assert finding.places[0].instruction == "COPY . /var/task"


class TestFilesThatTheLoaderRefuses:
    @pytest.mark.parametrize(
        ("elf", "rule", "error"),
        [
            pytest.param(
                {"machine": "arm64"},
                "machine-mismatch",
                f"{CORE}/{RIGHT}: cannot open shared object file: No such file or directory",
                id="other-bytes-under-the-right-name",
            ),
            pytest.param(
                {"machine": "3", "bits": 32},
                "machine-mismatch",
                f"{CORE}/{RIGHT}: wrong ELF class: ELFCLASS32",
                id="32-bit",
            ),
            pytest.param(
                {"needed": ("libgcc_s-98a1ef30.so.1", "libc.so")},
                "musl-on-glibc",
                "libgcc_s-98a1ef30.so.1: cannot open shared object file: No such file or directory",
                id="musl-under-the-right-name",
            ),
            pytest.param(
                {"needed": ("libc.musl-x86_64.so.1",)},
                "musl-on-glibc",
                "libc.musl-x86_64.so.1: cannot open shared object file: No such file or directory",
                id="alpine-under-the-right-name",
            ),
            pytest.param(
                {"damaged": "file too short"},
                "extension-damaged",
                f"{CORE}/{RIGHT}: file too short",
                id="empty",
            ),
            pytest.param(
                {"misaligned": True},
                "elf-misaligned",
                f"{CORE}/{RIGHT}: ELF load command address/offset not properly aligned",
                id="stripped",
            ),
        ],
    )
    def test_has_the_loaders_text(self, elf: dict[str, Any], rule: str, error: str) -> None:
        [finding] = found(core({RIGHT: fake.shared_object(**elf)}))

        assert (finding.rule, finding.severity) == (rule, Severity.FAILS)
        assert finding.aws_text == AWS + error

    def test_a_file_that_is_cut_short_ends_the_process(self) -> None:
        [finding] = found(core({RIGHT: fake.shared_object(damaged=elf_facts.CUT)}))

        assert (finding.rule, finding.severity) == ("extension-damaged", Severity.FAILS)
        assert finding.aws_text == "Runtime.ExitError: Runtime exited with error: signal: bus error"

    def test_newer_glibc_takes_what_is_aligned_to_pages(self) -> None:
        files = core({RIGHT: fake.shared_object(misaligned=True)})
        libc = fake.shared_object(soname="libc.so.6", defines=fake.GLIBC | {"GLIBC_2.35"})

        [finding] = found({**files, "/usr/lib64/libc.so.6": libc})

        assert finding.severity is Severity.MAY_FAIL
        assert "page-aligned" in finding.aws_text

    def test_musl_beside_glibc_is_no_fault(self) -> None:
        files = core({RIGHT: fake.shared_object(needed=("libc.musl-x86_64.so.1",))})

        assert found({**files, "/usr/lib/libc.musl-x86_64.so.1": fake.shared_object()}) == []

    def test_plain_name_from_a_wheel_for_another_python(self) -> None:
        files = wheel(
            "fast",
            "1.0",
            {"fast/__init__.py": "from .core import x\n", "fast/core.so": GOOD},
            tag="cp312-cp312-linux_x86_64",
        )
        handler = "import fast\n"

        assert ids({**files, "/var/task/handler.py": handler}) == [("abi-mismatch", Severity.MAY_FAIL)]


FALLBACK = "try:\n    from ._speedups import escape\nexcept ImportError:\n    from ._native import escape\n"
SPEEDUPS = "_speedups.cpython-312-x86_64-linux-gnu.so"


class TestGood:
    """Suspicious, and they start."""

    @pytest.mark.parametrize(
        "files",
        [
            pytest.param(core({RIGHT: GOOD}), id="right"),
            pytest.param(
                core({"_pydantic_core.abi3.so": GOOD}, tag="cp39-abi3-manylinux1_x86_64"), id="abi3"
            ),
            pytest.param(core({"_pydantic_core.so": GOOD}), id="plain-name"),
            pytest.param(
                wheel(
                    "lib", "1", {"lib/__init__.py": "", "lib/libfoo.so": fake.shared_object(machine="arm64")}
                ),
                id="ctypes-library-for-another-machine",
            ),
            pytest.param(
                wheel("pack", "1", {"pack/__init__.py": ""}, recorded=("pack/tests/_t.cpython-313-x.so",)),
                id="tests-removed",
            ),
            pytest.param(
                {f"{SITE}/odd-name/x.cpython-312-x86_64-linux-gnu.so": GOOD}, id="folder-no-import-can-name"
            ),
            pytest.param({"/srv/venv/x.cpython-312-x86_64-linux-gnu.so": GOOD}, id="off-the-search-path"),
        ],
    )
    def test_stays_silent(self, files: dict[str, fake.Content]) -> None:
        handler = {"/var/task/handler.py": "def handler(e, c): ...\n"}
        assert found({**files, **handler}) == []

    @pytest.mark.parametrize(
        "files",
        [
            pytest.param(
                core({RIGHT: GOOD, "_pydantic_core.cpython-312-x86_64-linux-gnu.so": GOOD}), id="leftover"
            ),
            pytest.param(
                {
                    **core({"_pydantic_core.cpython-312-x86_64-linux-gnu.so": GOOD}),
                    f"{CORE}/_pydantic_core.py": "__version__ = 1\n",
                },
                id="pure-python-twin",
            ),
            pytest.param(
                {
                    **wheel("markupsafe", "3", {"markupsafe/__init__.py": FALLBACK}),
                    f"{SITE}/markupsafe/_native.py": "",
                    f"{SITE}/markupsafe/{SPEEDUPS}": GOOD,
                    "/var/task/handler.py": "import markupsafe\n",
                },
                id="accelerator",
            ),
            pytest.param(
                {
                    **core({"_pydantic_core.cpython-312-x86_64-linux-gnu.so": GOOD}),
                    "/var/task/handler.py": "try:\n    import pydantic_core\nexcept ImportError:\n    pass\n",
                },
                id="guarded-by-the-handler",
            ),
            pytest.param(
                {
                    **wheel("debug", "1", {"debug/__init__.py": ""}),
                    f"{SITE}/debug/attach_linux_aarch64.so": fake.shared_object(machine="arm64"),
                },
                id="library-for-another-machine-that-nothing-imports",
            ),
        ],
    )
    def test_is_information_at_most(self, files: dict[str, fake.Content]) -> None:
        assert {severity for _, severity in ids(files)} <= {Severity.INFO}

    def test_removed_accelerator_is_information(self) -> None:
        recorded = (f"markupsafe/{SPEEDUPS.replace('312', '313')}",)
        files = wheel(
            "markupsafe",
            "3",
            {"markupsafe/__init__.py": FALLBACK, "markupsafe/_native.py": ""},
            recorded=recorded,
        )

        findings = ids({**files, "/var/task/handler.py": "import markupsafe\n"})

        assert findings == [("extension-missing", Severity.INFO)]

    def test_an_image_for_another_machine_is_not_to_blame_for_its_wheels(self) -> None:
        arm = fake.shared_object(machine="arm64", interpreter="/lib/ld-linux-aarch64.so.1")
        base: dict[str, fake.Content] = {
            path: replace(content, elf=replace(content.elf, machine="arm64"))
            for path, content in fake.aws_base().items()
            if isinstance(content, fake.Spec) and content.elf is not None
        }
        soabi = "cpython-313-aarch64-linux-gnu"
        base[f"{fake.STDLIB}/lib-dynload/_ssl.{soabi}.so"] = arm
        base[f"{fake.STDLIB}/lib-dynload/_ssl.{fake.SOABI}.so"] = ""
        files = core({f"_pydantic_core.{soabi}.so": arm})

        findings = found({**base, **files}, architecture="arm64")

        assert [item for item in findings if "pydantic" in item.message] == []

    def test_no_python_no_finding(self) -> None:
        assert list(native.check(fake.subject(core({}), base=False))) == []


class TestHowSure:
    def test_an_import_inside_a_function_may_fail(self) -> None:
        files = core({})
        files["/var/task/handler.py"] = "def handler(e, c):\n    import pydantic_core\n"

        [finding] = found(files)

        assert finding.severity is Severity.MAY_FAIL
        assert finding.aws_text == ABSENT

    def test_a_package_that_nothing_imports_may_fail(self) -> None:
        files = core({})
        files["/var/task/handler.py"] = "def handler(e, c): ...\n"

        [finding] = found(files)

        assert finding.severity is Severity.MAY_FAIL
        assert "no import of it was seen" in finding.message

    def test_follows_packages_that_require_it(self) -> None:
        files = {
            **core({}),
            **wheel(
                "pydantic",
                "2.12",
                {
                    "pydantic/__init__.py": "from .version import VERSION\n",
                    "pydantic/version.py": "import pydantic_core\n",
                },
                requires=("pydantic-core==2.41.5",),
            ),
            "/var/task/handler.py": "from app import main\n",
            "/var/task/app.py": "from pydantic import VERSION as main\n",
        }

        [finding] = found(files)

        assert finding.severity is Severity.FAILS
        assert "handler imports app imports pydantic imports pydantic.version imports pydantic_core" in (
            finding.message
        )

    def test_a_guard_that_raises_again_guards_nothing(self) -> None:
        init = "try:\n    from . import _pydantic_core\nexcept ImportError:\n    raise ImportError('x')\n"

        [finding] = found(core({}, init=init))

        assert finding.severity is Severity.FAILS

    def test_names_imported_from_the_package_have_another_text(self) -> None:
        [finding] = found(core({}, init="from . import _pydantic_core\n"))

        assert finding.aws_text == (
            f"{AWS}cannot import name '_pydantic_core' from partially initialized module 'pydantic_core' "
            f"(most likely due to a circular import) ({CORE}/__init__.py)"
        )

    def test_groups_by_distribution_and_tells_the_one_on_the_way(self) -> None:
        files = core({name.replace("313", "312"): GOOD for name in (RIGHT, RIGHT.replace("core.", "aaa."))})

        [finding] = found(files)

        assert len(finding.places) == 2
        assert finding.places[0].path == f"{CORE}/_pydantic_core.cpython-312-x86_64-linux-gnu.so"
        assert finding.aws_text == ABSENT

    def test_says_what_the_wheel_says(self) -> None:
        files = core({"_pydantic_core.cpython-312-x86_64-linux-gnu.so": GOOD}, tag="cp312-cp312-linux_x86_64")

        assert "its WHEEL says cp312-cp312-linux_x86_64" in found(files)[0].message


def test_good_images_read_no_source() -> None:
    files = fake.ImageFiles({**fake.aws_base(), **HANDLER, **core({RIGHT: GOOD})})
    subject: Subject = fake.subject(files)

    assert list(native.check(subject)) == []
    assert [path for path in files.reads if path.endswith("pydantic_core/__init__.py")] == []
