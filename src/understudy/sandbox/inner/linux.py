"""Kernel calls that Python 3.11's `os` lacks, through ctypes.

Refuses to decide anything: every function is one system call, and a failure is an `OSError` that names it.
"""

# Paths are relative to a root that changes under the process; see the package's docstring.
# ruff: noqa: PTH123

import ctypes
import os
import platform
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_NOATIME = 1024
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

CAP_SYS_ADMIN = 21

_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
# No libc wraps it (https://man7.org/linux/man-pages/man2/pivot_root.2.html); numbers are the kernel's.
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}

# One number everywhere; since Linux 5.2, which overlayfs for unprivileged users is younger than.
_OPEN_TREE = 428
_MOVE_MOUNT = 429
_OPEN_TREE_CLONE = 1
_MOVE_MOUNT_F_EMPTY_PATH = 4
_AT_FDCWD = -100

_libc = ctypes.CDLL(None, use_errno=True)


def _last_capability() -> int:
    with open("/proc/sys/kernel/cap_last_cap", "rb") as file:
        return int(file.read())


_LAST_CAPABILITY = _last_capability()


def _check(result: int, what: str, *paths: str) -> None:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}", *paths[:1])


def unshare(flags: int) -> None:
    """Puts this process (or, for the pid namespace, its next child) into new namespaces."""
    _check(_libc.unshare(flags), f"unshare({flags:#x})")


def setns(fd: int, flags: int) -> None:
    """Joins the namespace that `fd` stands for."""
    _check(_libc.setns(fd, flags), "setns")


def mount(source: str, target: str, kind: str | None, flags: int = 0, options: str = "") -> None:
    """Mounts `source` on `target`."""
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        os.fsencode(options) if options else None,
    )
    _check(result, f"mount {kind or 'bind'} {source} ({options})", target)


def unmount(target: str) -> None:
    """Detaches the mount at `target` now and ends it when its last user is gone."""
    _check(_libc.umount2(os.fsencode(target), _MNT_DETACH), "umount", target)


def copy_mount(path: str) -> int:
    """A descriptor of a copy of the mount at `path` that is attached nowhere; closed on exec."""
    flags = ctypes.c_uint(_OPEN_TREE_CLONE | os.O_CLOEXEC)
    found: int = _libc.syscall(_OPEN_TREE, _AT_FDCWD, os.fsencode(path), flags)
    _check(found, "open_tree", path)
    return found


def attach_mount(copy: int, target: str) -> None:
    """Mounts what `copy_mount` returned on `target`."""
    flags = ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH)
    result = _libc.syscall(_MOVE_MOUNT, copy, b"", _AT_FDCWD, os.fsencode(target), flags)
    _check(result, "move_mount", target)


def pivot_root(new_root: str, put_old: str) -> None:
    """Makes `new_root` the root of this mount namespace."""
    number = _PIVOT_ROOT[platform.machine()]
    _check(_libc.syscall(number, os.fsencode(new_root), os.fsencode(put_old)), "pivot_root", new_root)


def die_with_parent(signal: int) -> None:
    """Has the kernel send `signal` to this process when the thread that forked it ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal), 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")


def forbid_new_privileges() -> None:
    """No program executed from now on gains anything from set-user-id bits or file capabilities."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")


def limit_capabilities(keep: int) -> None:
    """Drops every capability that is not in the mask `keep` from the bounding and the ambient set."""
    for capability in range(_LAST_CAPABILITY + 1):
        if not keep >> capability & 1:
            _check(
                _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0), "prctl(PR_CAPBSET_DROP)"
            )
    _libc.prctl(_PR_CAP_AMBIENT, ctypes.c_ulong(_PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0)


def set_capabilities(mask: int) -> None:
    """Sets the permitted and effective sets to `mask` and empties the inheritable one."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    _check(_libc.capset(header, struct.pack("=6I", low, low, 0, high, high, 0)), "capset")
