"""Owner, mode, time and attributes of extracted files, and overlayfs's marks, as far as rights allow.

As root everything is kept. Unprivileged, `ownership` says how owners turn into permission bits. Of a layer's
extended attributes only ``security.capability`` and ``user.*`` are kept: ``trusted.overlay.redirect`` would
lead overlayfs into another layer.
"""

import contextlib
import errno
import os
import stat
from pathlib import Path

from understudy.image.layers import ownership
from understudy.image.layers.diff import CAPABILITY
from understudy.image.layers.ownership import Owner
from understudy.image.layers.tarformat import Member

_RESERVED = ("user.overlay.", "user.understudy.")
_ALL_IDS = 65536


class Writer:
    """Applies headers to open files."""

    def __init__(self) -> None:
        self._can_own = can_own()

    def apply(self, fd: int, member: Member) -> None:
        """Gives the open file or directory `fd` what `member` says."""
        for name, value in member.xattrs.items():
            if self._is_kept(name):
                _set(fd, name, value)
        if self._can_own:
            # chown clears set-user-id bits and capabilities, so both come after it.
            os.fchown(fd, member.uid, member.gid)
            os.fchmod(fd, member.mode)
            if CAPABILITY in member.xattrs:
                _set(fd, CAPABILITY, member.xattrs[CAPABILITY])
        else:
            owner = Owner(uid=member.uid, gid=member.gid, mode=member.mode)
            _set(fd, ownership.XATTR, ownership.record(owner))
            os.fchmod(fd, ownership.masked(owner))
        os.utime(fd, ns=(member.mtime_ns, member.mtime_ns))

    def apply_link(self, name: bytes, folder: int, member: Member) -> None:
        """Gives the symbolic link `name` in the open directory `folder` its owner and time."""
        if self._can_own:
            os.chown(name, member.uid, member.gid, dir_fd=folder, follow_symlinks=False)
        os.utime(name, ns=(member.mtime_ns, member.mtime_ns), dir_fd=folder, follow_symlinks=False)

    def whiteout(self, name: bytes, folder: int) -> None:
        """Hides `name` of the layers below; Linux lets everyone make this one device since 5.8."""
        try:
            os.mknod(name, stat.S_IFCHR | 0o600, os.makedev(0, 0), dir_fd=folder)
        except PermissionError:
            # The other form, for mounts with userxattr on Linux 6.7 and later (overlayfs.rst, "xwhiteouts").
            fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
            try:
                os.setxattr(fd, "user.overlay.whiteout", b"y")
            finally:
                os.close(fd)
            with contextlib.suppress(FileExistsError):
                os.setxattr(folder, "user.overlay.opaque", b"x", os.XATTR_CREATE)

    def opaque(self, folder: int) -> None:
        """Hides everything in the open directory `folder` of the layers below, in both flavours of mount."""
        _set(folder, "trusted.overlay.opaque", b"y")
        os.setxattr(folder, "user.overlay.opaque", b"y")

    def _is_kept(self, name: str) -> bool:
        return name.startswith("user.") and not name.startswith(_RESERVED)


def can_own() -> bool:
    """Whether this process may give files to any user: root, and not of a namespace with few ids."""
    if os.geteuid() != 0:
        return False
    ids = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(int(first) == 0 and int(count) >= _ALL_IDS for first, _, count in ids)


def _set(fd: int, name: str, value: bytes) -> None:
    """Sets an attribute where the file system and this process's rights allow it."""
    try:
        os.setxattr(fd, name, value)
    except OSError as exc:
        if exc.errno not in {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL, errno.ERANGE}:
            raise
