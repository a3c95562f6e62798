import pytest

from tests.fakes.image_files import SITE_PACKAGES, SOABI, STDLIB, Content, ImageFiles, directory, link
from understudy.verify.python.modules import Finder

TASK = "/var/task"
LIBRARY: dict[str, Content] = {
    **{f"{STDLIB}/module_{number}.py": "" for number in range(60)},
    f"{STDLIB}/os.py": "",
    f"{STDLIB}/json/__init__.py": "",
    f"{STDLIB}/json/decoder.py": "",
    f"{STDLIB}/lib-dynload/_ssl.{SOABI}.so": "",
}


def finder(files: dict[str, Content], *, library: bool = True) -> Finder:
    return Finder(
        ImageFiles({**(LIBRARY if library else {f"{STDLIB}/os.py": ""}), **files}),
        (TASK, STDLIB, f"{STDLIB}/lib-dynload", SITE_PACKAGES, "/opt/app.zip"),
        (f".{SOABI}.so", ".abi3.so", ".so"),
        STDLIB,
    )


@pytest.mark.parametrize(
    ("path", "name", "kind"),
    [
        (f"{TASK}/a.py", "a", "source"),
        (f"{TASK}/a/__init__.py", "a", "package"),
        (f"{TASK}/a/b.py", "a", "namespace"),
        (f"{TASK}/a/b.py", "a.b", "source"),
        (f"{TASK}/a.pyc", "a", "bytecode"),
        (f"{TASK}/a/__init__.pyc", "a", "package"),
        (f"{TASK}/a.{SOABI}.so", "a", "extension"),
        (f"{TASK}/a.abi3.so", "a", "extension"),
        (f"{TASK}/a.so", "a", "extension"),
        (f"{TASK}/a.cpython-312-x86_64-linux-gnu.so", "a", None),
        (f"{TASK}/__pycache__/a.cpython-313.pyc", "a", None),
        (f"{TASK}/A.py", "a", None),
        (f"{TASK}/a.py", "a.b", None),
        (f"{TASK}/lib/a.py", "a", None),
        ("/opt/app.zip", "a", "opaque"),
        ("/opt/app.zip", "a.b", "opaque"),
        (f"{TASK}/x", "sys", "builtin"),
        (f"{TASK}/x", "_zstd", "builtin"),
        (f"{TASK}/x", "zlib", "builtin"),
        (f"{TASK}/x", "json.decoder", "source"),
        (f"{TASK}/x", "os.path", "opaque"),
        (f"{TASK}/x", "distutils", None),
        (f"{STDLIB}/sqlite3/__init__.py", "sqlite3", "package"),
        (f"{TASK}/x", "sqlite3", None),
    ],
)
def test_finds_what_importlib_finds(path: str, name: str, kind: str | None) -> None:
    found = finder({path: ""}).find(name)
    assert (found.kind if found else None) == kind


def test_the_first_directory_wins_and_extensions_go_before_sources() -> None:
    found = finder({f"{TASK}/a.py": "", f"{TASK}/a.so": "", f"{SITE_PACKAGES}/a/__init__.py": ""}).find("a")
    assert found is not None
    assert found.path == f"{TASK}/a.so"


def test_a_namespace_package_has_parts_in_several_directories() -> None:
    search = finder({f"{TASK}/google/cloud/a.py": "", f"{SITE_PACKAGES}/google/cloud/b.py": ""})
    for name in ("google.cloud.a", "google.cloud.b"):
        assert search.missing_part(name) == ""
    assert search.missing_part("google.cloud.c.d") == "google.cloud.c"


def test_a_package_hides_parts_of_a_namespace_behind_it() -> None:
    search = finder({f"{TASK}/google/__init__.py": "", f"{SITE_PACKAGES}/google/cloud/b.py": ""})
    assert search.missing_part("google.cloud") == "google.cloud"


def test_follows_links_and_ignores_directories_without_files() -> None:
    search = finder({f"{TASK}/a": link("/src/a"), "/src/a/__init__.py": "", f"{TASK}/b": directory()})
    assert search.find("a") is not None
    empty = search.find("b")
    assert empty is not None
    assert empty.kind == "namespace"


def test_a_library_that_cannot_be_seen_is_not_judged() -> None:
    found = finder({}, library=False).find("sqlite3")
    assert found is not None
    assert found.kind == "opaque"


def test_knows_modules_that_make_others() -> None:
    search = finder({f"{TASK}/six.py": "sys.modules[__name__ + '.moves'] = m", f"{TASK}/plain.py": "a = 1"})
    for name, makes in (("six", True), ("plain", False), ("sys", True)):
        module = search.find(name)
        assert module is not None
        assert search.makes_modules(module) is makes


def test_knows_standard_names() -> None:
    search = finder({})
    assert all(search.is_standard(name) for name in ("json", "zlib", "module_1", "asyncio"))
    assert not search.is_standard("fastapi")
