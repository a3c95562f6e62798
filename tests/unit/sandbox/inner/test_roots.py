"""Which roots the fork server keeps mounted, and which layers it holds a lease on meanwhile."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from understudy.sandbox.inner import roots
from understudy.sandbox.inner.roots import Kernel, SharedRoots

LATER_S = 1e12


class Mounts(Kernel):
    """Remembers what is mounted where; a copy is any open file."""

    def __init__(self) -> None:
        self.at: dict[str, dict[str, Any]] = {}
        self.made = 0

    def mount(self, plan: dict[str, Any], folder: str) -> None:
        if plan["files"] == {"/refused": ""}:
            raise OSError(22, "refused")
        self.made += 1
        self.at[folder] = plan

    def copy(self, path: str) -> int:
        assert path.removesuffix("/root") in self.at
        return os.open("/dev/null", os.O_RDONLY)

    def unmount(self, folder: str) -> None:
        if self.at.pop(folder, None) is None:
            raise OSError(22, "not mounted")


@pytest.fixture
def mounts() -> Mounts:
    return Mounts()


@pytest.fixture
def shared(tmp_path: Path, mounts: Mounts) -> Iterator[SharedRoots]:
    made = SharedRoots(f"{tmp_path}/shared-", mounts)
    yield made
    made.expire(LATER_S)
    assert not mounts.at
    assert not list(tmp_path.glob("shared-*"))


def plan(layer: Path, **changes: Any) -> dict[str, Any]:
    layer.mkdir(exist_ok=True)
    usual: dict[str, Any] = {
        "layers": [str(layer)],
        "writable": None,
        "userxattr": False,
        "files": {},
        "mounts": [],
    }
    return {**usual, **changes}


def shares(shared: SharedRoots, wanted: dict[str, Any]) -> bool:
    copy = shared.copy(wanted)
    if copy >= 0:
        os.close(copy)
    return copy >= 0


def leased(layer: Path) -> bool:
    descriptor = os.open(layer, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_equal_roots_are_mounted_once(tmp_path: Path, shared: SharedRoots, mounts: Mounts) -> None:
    tmpfs = [[None, "/tmp", False, "size=512m"]]
    larger = [[None, "/tmp", False, "size=1024m"]]
    assert shares(shared, plan(tmp_path / "a", mounts=tmpfs))
    assert shares(shared, plan(tmp_path / "a", mounts=larger))
    assert mounts.made == 1


@pytest.mark.parametrize(
    "changes",
    [{"files": {"/etc/hosts": "h"}}, {"mounts": [[None, "/tmp", False, ""]]}, {"userxattr": True}],
    ids=["files", "mount-points", "attributes"],
)
def test_roots_that_differ_are_not_shared(
    changes: dict[str, Any], tmp_path: Path, shared: SharedRoots, mounts: Mounts
) -> None:
    shares(shared, plan(tmp_path / "a"))
    shares(shared, plan(tmp_path / "a", **changes))
    assert mounts.made == 2


def test_a_layer_that_was_unpacked_again_is_another_one(
    tmp_path: Path, shared: SharedRoots, mounts: Mounts
) -> None:
    layer = tmp_path / "a"
    shares(shared, plan(layer))
    layer.rename(tmp_path / "gone")
    shares(shared, plan(layer))
    assert mounts.made == 2


def test_layers_are_leased_while_their_root_is_mounted(tmp_path: Path, shared: SharedRoots) -> None:
    layer = tmp_path / "a"
    shares(shared, plan(layer))
    assert leased(layer)
    shared.expire(LATER_S)
    assert not leased(layer)
    assert len(shared) == 0


def test_a_root_in_use_does_not_expire(tmp_path: Path, shared: SharedRoots) -> None:
    shares(shared, plan(tmp_path / "a"))
    shared.expire(0.0)
    assert len(shared) == 1


def test_the_root_that_was_not_used_for_longest_makes_room(
    tmp_path: Path, shared: SharedRoots, mounts: Mounts
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for layer in (first, second, first, *(tmp_path / f"l{number}" for number in range(roots.AT_MOST - 1))):
        shares(shared, plan(layer))
    assert len(shared) == len(mounts.at) == roots.AT_MOST
    assert leased(first)
    assert not leased(second)


def test_writable_roots_are_not_shared(tmp_path: Path, shared: SharedRoots, mounts: Mounts) -> None:
    assert not shares(shared, plan(tmp_path / "a", writable={"upper": "/u", "work": "/w"}))
    assert mounts.made == 0


@pytest.mark.parametrize("files", [{"/refused": ""}], ids=["mount"])
def test_what_cannot_be_mounted_is_left_to_the_sandbox(
    files: dict[str, str], tmp_path: Path, shared: SharedRoots
) -> None:
    assert not shares(shared, plan(tmp_path / "a", files=files))
    assert not leased(tmp_path / "a")


def test_a_layer_that_is_gone_or_collected_now_is_left_to_the_sandbox(
    tmp_path: Path, shared: SharedRoots
) -> None:
    assert not shares(shared, plan(tmp_path / "a", layers=[str(tmp_path / "gone")]))
    layer = tmp_path / "b"
    wanted = plan(layer)
    descriptor = os.open(layer, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert not shares(shared, wanted)
    os.close(descriptor)


def test_a_child_forgets_the_leases(tmp_path: Path, mounts: Mounts) -> None:
    shared = SharedRoots(f"{tmp_path}/shared-", mounts)
    shares(shared, plan(tmp_path / "a"))
    shared.forget()
    assert not leased(tmp_path / "a")
