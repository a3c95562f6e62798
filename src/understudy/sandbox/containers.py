"""Makes a container's control groups writable, then becomes the command that follows on the command line.

Docker mounts them read-only. CAP_SYS_ADMIN, which the sandbox's namespaces need anyway, may change that from
inside, without the host's groups being mounted: then the kernel enforces the functions' limits, which would
be watched otherwise. Where it is not to be had nothing is said here; `doctor` tells what is missing.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from understudy.sandbox.inner import linux

_CONTROLLERS = frozenset({"memory", "pids", "cpu"})
_FLAGS = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
_LEAF = "understudy-container"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMount:
    """One hierarchy of control groups, as the container sees it.

    Attributes:
        path: where it is mounted.
        unified: whether it is version 2, and of this container alone.
    """

    path: Path
    unified: bool


def read_only_mounts(mountinfo: str) -> list[GroupMount]:
    """The read-only mounts of /proc/self/mountinfo that limits would be written to."""
    found = []
    for line in mountinfo.splitlines():
        head, _, tail = line.partition(" - ")
        fields, kind = head.split(), tail.split()
        if len(fields) < 6 or len(kind) < 3 or "ro" not in fields[5].split(","):
            continue
        # A version 2 mount that does not begin at its own root shows groups of the host.
        unified = kind[0] == "cgroup2" and fields[3] == "/"
        if unified or (kind[0] == "cgroup" and _CONTROLLERS & set(kind[2].split(","))):
            found.append(GroupMount(path=Path(fields[4]), unified=unified))
    return found


def make_room(top: Path) -> None:
    """Moves the container's processes into a group below `top`, whose children may then have limits.

    A version 2 group with processes of its own cannot hand controllers on; the start script of Docker in
    Docker does the same (https://github.com/moby/moby/blob/master/hack/dind).
    """
    leaf = top / _LEAF
    leaf.mkdir(exist_ok=True)
    for pid in (top / "cgroup.procs").read_text(encoding="ascii").split():
        with contextlib.suppress(ProcessLookupError):
            (leaf / "cgroup.procs").write_text(pid, encoding="ascii")
    wanted = _CONTROLLERS & set((top / "cgroup.controllers").read_text(encoding="ascii").split())
    (top / "cgroup.subtree_control").write_text(
        " ".join(f"+{name}" for name in sorted(wanted)), encoding="ascii"
    )


def _claim() -> None:
    for mounted in read_only_mounts(Path("/proc/self/mountinfo").read_text(encoding="utf-8")):
        with contextlib.suppress(OSError):
            linux.mount("none", str(mounted.path), None, _FLAGS)
            if mounted.unified:
                make_room(mounted.path)


if __name__ == "__main__":
    _claim()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the command of the image, which has no shell
