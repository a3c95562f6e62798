"""What uid 993, gid 990 may do, and which directory stops it."""

import pytest

from tests.fakes import image_files as fake
from understudy.verify.rules import filesystem_access as access


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "wanted", "allowed"),
    [
        (0o644, 0, 0, access.READ, True),
        (0o640, 0, 0, access.READ, False),
        (0o640, 0, 990, access.READ, True),
        (0o600, 993, 0, access.READ, True),
        (0o044, 993, 0, access.READ, False),
        (0o604, 0, 990, access.READ, False),
        (0o755, 0, 0, access.EXECUTE, True),
        (0o754, 0, 0, access.READ | access.EXECUTE, False),
        (0o755, 0, 0, access.WRITE, False),
        (0o700, 1000, 1000, access.READ, False),
    ],
)
def test_mode_bits(mode: int, uid: int, gid: int, wanted: int, allowed: bool) -> None:
    node = fake.Spec(mode=mode, uid=uid, gid=gid).node("/x")
    assert access.allows(node, wanted) is allowed


@pytest.mark.parametrize(
    ("files", "path", "expected"),
    [
        pytest.param({"/a/b/c": ""}, "/a/b/c", None, id="open"),
        pytest.param({"/a": fake.directory(0o700), "/a/b/c": ""}, "/a/b/c", "/a", id="private"),
        pytest.param({"/a": fake.directory(0o711), "/a/b": ""}, "/a/b", None, id="execute-is-enough-to-pass"),
        pytest.param({"/a/b": fake.directory(0o700)}, "/a/b", None, id="the-last-one-is-not-passed"),
        pytest.param(
            {"/r": fake.directory(0o700), "/r/x/y": "", "/a/l": fake.link("../r/x")},
            "/a/l/y",
            "/r",
            id="behind-a-link",
        ),
        pytest.param({"/a": fake.link("/a")}, "/a/b", None, id="loop"),
        pytest.param({"/a": ""}, "/a/b", None, id="below-a-file"),
        pytest.param({}, "/a/b", None, id="nothing-there"),
    ],
)
def test_barrier(files: dict[str, fake.Content], path: str, expected: str | None) -> None:
    node = access.barrier(fake.ImageFiles(files), path)
    assert (node and node.path) == expected


def test_octal() -> None:
    assert access.octal(fake.Spec(mode=0o640).node("/x")) == "0640"
