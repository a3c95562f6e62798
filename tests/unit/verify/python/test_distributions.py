import json

import pytest

from tests.fakes.image_files import SITE_PACKAGES, ImageFiles, directory
from understudy.verify.python import distributions

METADATA = """Metadata-Version: 2.1
Name: Typing_Extensions
Version: 4.15.0
Requires-Python: >=3.9
Requires-Dist: a>=1
Requires-Dist: b; extra == 'x'

Requires-Dist: not a header
"""


def installed(files: dict[str, object], *path: str) -> tuple[distributions.Distribution, ...]:
    return distributions.installed(ImageFiles(files), path or (SITE_PACKAGES,))  # type: ignore[arg-type]


def test_reads_a_wheels_metadata() -> None:
    folder = f"{SITE_PACKAGES}/typing_extensions-4.15.0.dist-info"
    record = "typing_extensions.py,sha256=x,1\ntyping_extensions-4.15.0.dist-info/RECORD,,\n../../bin/x,,\n"
    (found,) = installed({f"{folder}/METADATA": METADATA, f"{folder}/RECORD": record})
    assert (found.name, found.key, found.version) == ("Typing_Extensions", "typing-extensions", "4.15.0")
    assert found.requires == ("a>=1", "b; extra == 'x'")
    assert found.requires_python == ">=3.9"
    assert found.modules == frozenset({"typing_extensions"})
    assert found.files_known
    assert not found.local


@pytest.mark.parametrize(
    ("record", "modules"),
    [
        ("a/__init__.py,,\na/b.py,,\n", {"a"}),
        ("_cffi_backend.cpython-313-x86_64-linux-gnu.so,,\ncffi/api.py,,\n", {"_cffi_backend", "cffi"}),
        ("numpy.libs/libx.so,,\nnumpy/x.py,,\n__pycache__/x.pyc,,\n", {"numpy"}),
        ("x.abi3.so,,\ny.pth,,\n", {"x"}),
    ],
)
def test_names_the_modules_of_a_record(record: str, modules: set[str]) -> None:
    folder = f"{SITE_PACKAGES}/x-1.dist-info"
    (found,) = installed({f"{folder}/METADATA": "Name: x\nVersion: 1\n", f"{folder}/RECORD": record})
    assert found.modules == modules


def test_reads_older_forms_and_damaged_ones() -> None:
    found = installed(
        {
            f"{SITE_PACKAGES}/old-1.0-py3.13.egg-info": "Name: old\nVersion: 1.0\n",
            f"{SITE_PACKAGES}/older.egg-info/PKG-INFO": "Name: older\nVersion: 2\n",
            f"{SITE_PACKAGES}/older.egg-info/top_level.txt": "older_module\n",
            f"{SITE_PACKAGES}/PyYAML-6.0.dist-info": directory(),
            f"{SITE_PACKAGES}/bin.dist-info/METADATA": b"\xff\xfe",
        }
    )
    assert [(item.key, item.version, sorted(item.modules)) for item in found] == [
        ("pyyaml", "6.0", ["yaml"]),
        ("bin", "", ["bin"]),
        ("old", "1.0", ["old"]),
        ("older", "2", ["older_module"]),
    ]


def test_knows_what_was_installed_from_a_directory() -> None:
    folder = f"{SITE_PACKAGES}/x-1.dist-info"
    for info, editable in (({"editable": True}, "/src/x"), ({}, "")):
        origin = json.dumps({"url": "file:///src/x", "dir_info": info})
        (found,) = installed(
            {f"{folder}/METADATA": "Name: x\nVersion: 1\n", f"{folder}/direct_url.json": origin}
        )
        assert (found.local, found.editable) == (True, editable)
    (found,) = installed({f"{folder}/METADATA": "Name: x\n", f"{folder}/direct_url.json": "{"})
    assert not found.local


def test_the_first_of_a_name_is_the_one_python_sees() -> None:
    files = {
        f"{folder}/six-{version}.dist-info/METADATA": f"Name: six\nVersion: {version}\n"
        for folder, version in (("/var/task", "1.0"), (SITE_PACKAGES, "2.0"))
    }
    found = installed(dict(files), "/var/task", SITE_PACKAGES)
    assert [item.version for item in found] == ["1.0", "2.0"]
    assert distributions.effective(found)["six"].version == "1.0"


def test_guesses_between_modules_and_distributions() -> None:
    assert distributions.modules_of("pyyaml") == ("yaml",)
    assert distributions.modules_of("a-b") == ("a_b",)
    assert distributions.distribution_of("cv2") == "opencv-python"
    assert distributions.distribution_of("sqlalchemy") == "sqlalchemy"
    assert distributions.distribution_of("aws_lambda_powertools") == "aws-lambda-powertools"
