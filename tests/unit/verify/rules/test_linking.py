"""What the loader misses, told from what it finds by another way than the first."""

import struct
from collections.abc import Mapping
from typing import Any

import pytest

from tests.fakes import image_files as fake
from understudy.verify.model import Finding, Severity
from understudy.verify.rules import linking

SITE = fake.SITE_PACKAGES
AWS = "Runtime.ImportModuleError: Unable to import module 'handler': "
MODULE = f"{SITE}/cv2/core.{fake.SOABI}.so"
DEBIAN = 'ID=debian\nVERSION_ID="13"\n'


def module(**elf: Any) -> dict[str, fake.Content]:
    """A package with one extension module that the handler surely imports."""
    return {
        f"{SITE}/cv2/__init__.py": "from . import core\n",
        MODULE: fake.shared_object(**elf),
        "/var/task/handler.py": "import cv2\n",
    }


def installed(name: str, version: str = "5.0") -> dict[str, fake.Content]:
    info = f"{SITE}/{name.replace('-', '_')}-{version}.dist-info"
    record = f"cv2/__init__.py,,\ncv2/core.{fake.SOABI}.so,,\n"
    return {f"{info}/METADATA": f"Name: {name}\nVersion: {version}\n", f"{info}/RECORD": record}


def library(name: str = "", **facts: Any) -> fake.Spec:
    return fake.shared_object(soname=name, **facts)


def found(files: Mapping[str, fake.Content], **facts: Any) -> list[Finding]:
    return list(linking.check(fake.subject(files, **facts)))


def cache(entries: Mapping[str, str]) -> bytes:
    """An ``ld.so.cache`` of the new form."""
    head = struct.Struct("<20sIIB3xI3I")
    row = struct.Struct("<iIIIQ")
    at = head.size + row.size * len(entries)
    rows, strings = b"", b""
    for name, path in entries.items():
        first, second = at + len(strings), at + len(strings) + len(name) + 1
        rows += row.pack(0x303, first, second, 0, 0)
        strings += name.encode() + b"\0" + path.encode() + b"\0"
    magic = b"glibc-ld.so.cache1.1"
    return head.pack(magic, len(entries), len(strings), 0, 0, 0, 0, 0) + rows + strings


class TestFound:
    """Every way by which a library is found."""

    @pytest.mark.parametrize(
        ("elf", "files", "facts"),
        [
            pytest.param({"needed": ("libc.so.6", "libm.so.6")}, {}, {}, id="system-directories"),
            pytest.param(
                {"needed": ("liba.so.1",), "rpath": ("$ORIGIN/../opencv.libs",)},
                {f"{SITE}/opencv.libs/liba.so.1": library()},
                {},
                id="rpath-from-origin",
            ),
            pytest.param(
                {"needed": ("liba.so.1",), "runpath": ("${ORIGIN}/lib",)},
                {f"{SITE}/cv2/lib/liba.so.1": library()},
                {},
                id="runpath",
            ),
            pytest.param(
                {"needed": ("liba.so.1",), "rpath": ("$ORIGIN/lib",)},
                {
                    f"{SITE}/cv2/lib/liba.so.1": library(needed=("libb.so.1",)),
                    f"{SITE}/cv2/lib/libb.so.1": library(),
                },
                {},
                id="rpath-is-inherited",
            ),
            pytest.param(
                {"needed": ("liba.so.1",)},
                {"/opt/lib/liba.so.1": library()},
                {},
                id="LD_LIBRARY_PATH-of-image",
            ),
            pytest.param(
                {"needed": ("liba.so.1",)},
                {"/srv/lib/liba.so.1": library()},
                {"function_env": {"LD_LIBRARY_PATH": "/var/lang/lib:/srv/lib"}},
                id="LD_LIBRARY_PATH-of-function",
            ),
            pytest.param(
                {"needed": ("liba.so.1",)},
                {
                    "/usr/local/lib/liba.so.1": library(),
                    "/etc/ld.so.cache": cache({"liba.so.1": "/usr/local/lib/liba.so.1"}),
                },
                {},
                id="ld.so.cache",
            ),
            pytest.param(
                {"needed": ("liba.so.1",)},
                {"/opt/lib/liba.so.1": library(machine="arm64"), "/usr/lib64/liba.so.1": library()},
                {},
                id="other-machines-are-passed-over",
            ),
            pytest.param(
                {"needed": ("liba.so.1",), "rpath": ("$ORIGIN",)},
                {f"{SITE}/cv2/liba.so.1": fake.link("liba.so.1.2"), f"{SITE}/cv2/liba.so.1.2": library()},
                {},
                id="links",
            ),
            pytest.param(
                {"needed": ("liba.so.1", "libreal.so.1"), "rpath": ("$ORIGIN",)},
                {f"{SITE}/cv2/liba.so.1": library("libreal.so.1")},
                {},
                id="by-the-soname-of-one-that-is-loaded",
            ),
            pytest.param(
                {"requires": {"libc.so.6": frozenset({"GLIBC_2.34"})}, "needed": ("libc.so.6",)},
                {},
                {},
                id="version-defined",
            ),
            pytest.param(
                {
                    "requires": {"liba.so.1": frozenset({"A_2"})},
                    "needed": ("liba.so.1",),
                    "rpath": ("$ORIGIN",),
                },
                {f"{SITE}/cv2/liba.so.1": library()},
                {},
                id="library-without-any-version-is-a-warning",
            ),
        ],
    )
    def test_stays_silent(
        self, elf: dict[str, Any], files: Mapping[str, fake.Content], facts: dict[str, Any]
    ) -> None:
        assert found({**module(**elf), **files}, **facts) == []

    def test_modules_that_python_does_not_take_are_not_loaded(self) -> None:
        other = {f"{SITE}/cv2/old.cpython-312-x86_64-linux-gnu.so": library(needed=("libz.so.9",))}

        assert found({**module(), **other}) == []

    def test_optional_modules_of_the_library_are_left_alone(self) -> None:
        tk = f"{fake.STDLIB}/lib-dynload/_tkinter.{fake.SOABI}.so"

        assert found({**module(), tk: library(needed=("libtk8.6.so",))}) == []


class TestMissingLibrary:
    def test_names_the_first_that_is_missing_and_how_to_install_it(self) -> None:
        [finding] = found({**module(needed=("libGL.so.1", "libglib-2.0.so.0")), **installed("cv-thing")})

        assert (finding.rule, finding.severity) == ("library-missing", Severity.FAILS)
        assert (
            finding.aws_text == f"{AWS}libGL.so.1: cannot open shared object file: No such file or directory"
        )
        assert finding.fix == "RUN dnf install -y 'libGL.so.1()(64bit)' 'libglib-2.0.so.0()(64bit)'"
        assert "nowhere in the image; likewise libglib-2.0.so.0" in finding.message
        assert finding.places[0].path == MODULE

    def test_looks_through_what_it_loads_breadth_first(self) -> None:
        files = {
            **module(needed=("liba.so.1", "libb.so.1"), rpath=("$ORIGIN",)),
            f"{SITE}/cv2/liba.so.1": library(needed=("libdeep.so.1",)),
        }

        [finding] = found(files)

        assert finding.aws_text.endswith(
            "libb.so.1: cannot open shared object file: No such file or directory"
        )
        assert {place.path for place in finding.places} == {MODULE, f"{SITE}/cv2/liba.so.1"}

    @pytest.mark.parametrize(
        ("files", "fix"),
        [
            pytest.param(installed("opencv-python"), "opencv-python-headless", id="better-distribution"),
            pytest.param({"/srv/x/libGL.so.1": library()}, "LD_LIBRARY_PATH=/srv/x:", id="elsewhere"),
            pytest.param(
                {"/usr/local/lib/libGL.so.1": library(), "/etc/ld.so.conf": "/usr/local/lib\n"},
                "RUN ldconfig",
                id="configured-and-not-cached",
            ),
            pytest.param(
                {
                    "/usr/local/lib/libGL.so.1": library(),
                    "/etc/ld.so.conf": "include ld.so.conf.d/*.conf\n",
                    "/etc/ld.so.conf.d/local.conf": "# mine\n/usr/local/lib\n",
                },
                "RUN ldconfig",
                id="configured-in-an-included-file",
            ),
        ],
    )
    def test_fix_depends_on_where_it_is(self, files: Mapping[str, fake.Content], fix: str) -> None:
        [finding] = found({**module(needed=("libGL.so.1",)), **files})

        assert finding.severity is Severity.FAILS
        assert fix in finding.fix

    def test_a_damaged_library_has_another_text(self) -> None:
        files = {
            **module(needed=("liba.so.1",), rpath=("$ORIGIN",)),
            f"{SITE}/cv2/liba.so.1": library(damaged="file too short"),
        }

        assert found(files)[0].aws_text == f"{AWS}{SITE}/cv2/liba.so.1: file too short"

    def test_what_the_package_may_load_itself_is_no_failure(self) -> None:
        files = {
            **module(needed=("libcublas.so.12",)),
            f"{SITE}/nvidia/cublas/lib/libcublas.so.12": library(),
        }

        [finding] = found(files)

        assert finding.severity is Severity.MAY_FAIL

    def test_what_a_sibling_loads_is_no_failure(self) -> None:
        files: dict[str, fake.Content] = {
            **module(needed=("libbase.so.1",)),
            f"{SITE}/cv2/first.{fake.SOABI}.so": library(needed=("libbase.so.1",), runpath=("/srv/b",)),
            "/srv/b/libbase.so.1": library(),
        }

        assert {finding.severity for finding in found(files)} == {Severity.MAY_FAIL}

    @pytest.mark.parametrize(
        ("handler", "severity"),
        [
            pytest.param("def f():\n    import cv2\n", Severity.MAY_FAIL, id="in-a-function"),
            pytest.param(
                "try:\n    import cv2\nexcept ImportError:\n    pass\n", Severity.INFO, id="guarded"
            ),
            pytest.param("", Severity.INFO, id="never"),
        ],
    )
    def test_matters_as_far_as_it_is_imported(self, handler: str, severity: Severity) -> None:
        files = {**module(needed=("libGL.so.1",)), "/var/task/handler.py": handler}

        assert [finding.severity for finding in found(files)] == [severity]

    def test_a_package_that_imports_a_module_of_its_own_name(self) -> None:
        files: dict[str, fake.Content] = {
            f"{SITE}/cv2/__init__.py": "import importlib\nnative = importlib.import_module('cv2')\n",
            f"{SITE}/cv2/cv2.abi3.so": library(needed=("libGL.so.1",)),
            "/var/task/handler.py": "import cv2\n",
        }

        assert [finding.severity for finding in found(files)] == [Severity.FAILS]

    def test_a_module_of_the_standard_library_may_fail(self) -> None:
        ssl = f"{fake.STDLIB}/lib-dynload/_ssl.{fake.SOABI}.so"

        [finding] = found({**module(), ssl: library(needed=("libssl.so.3",))})

        assert finding.severity is Severity.MAY_FAIL


class TestOtherSystems:
    BASE: Mapping[str, fake.Content] = {
        "/usr/local/bin/python3.13": fake.shared_object(
            interpreter="/lib64/ld-linux-x86-64.so.2", needed=("libc.so.6",)
        ),
        "/usr/local/lib/python3.13/os.py": "",
        f"/usr/local/lib/python3.13/lib-dynload/_ssl.{fake.SOABI}.so": fake.shared_object(),
        "/usr/lib/x86_64-linux-gnu/libc.so.6": library("libc.so.6", defines=fake.GLIBC),
        "/etc/os-release": DEBIAN,
        "/app/handler.py": "import core\n",
        f"/app/core.{fake.SOABI}.so": fake.shared_object(needed=("libpq.so.5",)),
    }
    START: Mapping[str, Any] = {
        "entrypoint": ("/usr/local/bin/python3.13", "-m", "awslambdaric"),
        "command": ("handler.handler",),
        "working_dir": "/app",
        "image_env": {"PATH": "/usr/local/bin:/usr/bin"},
    }

    def test_debian_installs_a_package(self) -> None:
        [finding] = found(self.BASE, base=False, **self.START)

        assert finding.fix == "RUN apt-get update && apt-get install -y --no-install-recommends libpq5"

    def test_debian_without_a_known_package(self) -> None:
        files = {**self.BASE, f"/app/core.{fake.SOABI}.so": fake.shared_object(needed=("libodd.so.5",))}

        assert "apt-file search libodd.so.5" in found(files, base=False, **self.START)[0].fix

    def test_musl_is_its_own_libraries(self) -> None:
        soabi = "cpython-313-x86_64-linux-musl"
        files: dict[str, fake.Content] = {
            "/usr/local/bin/python3.13": fake.shared_object(
                interpreter="/lib/ld-musl-x86_64.so.1", needed=("libc.musl-x86_64.so.1",)
            ),
            "/usr/local/lib/python3.13/os.py": "",
            f"/usr/local/lib/python3.13/lib-dynload/_ssl.{soabi}.so": fake.shared_object(),
            "/lib/libc.musl-x86_64.so.1": fake.link("ld-musl-x86_64.so.1"),
            "/lib/ld-musl-x86_64.so.1": fake.shared_object(),
            "/etc/os-release": "ID=alpine\n",
            "/app/handler.py": "import core\n",
            f"/app/core.{soabi}.so": fake.shared_object(needed=("libm.so.6", "libpq.so.5")),
        }

        [finding] = found(files, base=False, **self.START)

        assert finding.fix == "RUN apk add --no-cache so:libpq.so.5"

    def test_an_interpreter_that_does_not_start(self) -> None:
        python = fake.shared_object(
            interpreter="/lib64/ld-linux-x86-64.so.2", needed=("libpython3.13.so.1.0",)
        )
        files = {**self.BASE, "/usr/local/bin/python3.13": python}

        [finding] = found(files, base=False, **self.START)

        assert (finding.rule, finding.severity) == ("library-missing", Severity.FAILS)
        assert finding.aws_text.startswith(
            "/usr/local/bin/python3.13: error while loading shared libraries: libpython3.13.so.1.0: "
            "cannot open shared object file: No such file or directory\n"
        )

    def test_an_entry_script_may_set_the_search_path(self) -> None:
        python = fake.shared_object(
            interpreter="/lib64/ld-linux-x86-64.so.2", needed=("libpython3.13.so.1.0",)
        )
        script = fake.Spec(content="#!/bin/sh\nexec python3.13 -m awslambdaric handler.handler\n", mode=0o755)
        files = {
            **self.BASE,
            "/usr/local/bin/python3.13": python,
            "/entry.sh": script,
            "/bin/sh": fake.shared_object(),
        }

        [finding] = found(files, base=False, **{**self.START, "entrypoint": ("/entry.sh",)})

        assert finding.severity is Severity.MAY_FAIL


class TestVersions:
    def test_glibc_too_new_names_the_wheel_that_fits(self) -> None:
        elf = {
            "needed": ("libc.so.6",),
            "requires": {"libc.so.6": frozenset({"GLIBC_2.4", "GLIBC_2.38", "GLIBC_2.36"})},
        }

        [finding] = found({**module(**elf), **installed("cv-thing")})

        assert (finding.rule, finding.severity) == ("glibc-too-new", Severity.FAILS)
        assert finding.aws_text == (
            f"{AWS}/lib64/libc.so.6: version `GLIBC_2.38' not found (required by {MODULE})"
        )
        assert "--platform manylinux_2_34_x86_64" in finding.fix
        assert "cv-thing==5.0" in finding.fix
        assert "the image has GLIBC_2.34" in finding.message

    def test_own_code_is_built_in_the_same_base(self) -> None:
        elf = {"needed": ("libc.so.6",), "requires": {"libc.so.6": frozenset({"GLIBC_2.38"})}}

        assert found(module(**elf))[0].fix == f"build {MODULE} in a stage that has the image's own base"

    def test_compiler_library_too_old(self) -> None:
        elf = {
            "needed": ("libstdc++.so.6",),
            "requires": {"libstdc++.so.6": frozenset({"GLIBCXX_3.4.32", "CXXABI_1.3.13"})},
        }

        [finding] = found(module(**elf))

        assert (finding.rule, finding.severity) == ("symbol-version-missing", Severity.FAILS)
        assert "/lib64/libstdc++.so.6: version `GLIBCXX_3.4.32' not found" in finding.aws_text
        assert "the image has GLIBCXX_3.4.29" in finding.message

    def test_of_a_bundled_library(self) -> None:
        files = {
            **module(needed=("liba.so.1",), rpath=("$ORIGIN",)),
            f"{SITE}/cv2/liba.so.1": library(
                needed=("libm.so.6",), requires={"libm.so.6": frozenset({"GLIBC_2.35"})}
            ),
        }

        [finding] = found(files)

        assert finding.places[0].path == f"{SITE}/cv2/liba.so.1"


def test_a_bundled_library_that_strip_broke() -> None:
    files = {
        **module(needed=("liba.so.1",), rpath=("$ORIGIN",)),
        f"{SITE}/cv2/liba.so.1": library(misaligned=True),
    }

    [finding] = found(files)

    assert finding.rule == "elf-misaligned"
    assert "not properly aligned" in finding.aws_text


def test_no_python_no_finding() -> None:
    assert found(module(needed=("libGL.so.1",)), base=False) == []
