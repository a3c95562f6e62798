"""Reads what a build step changed: the upper directory of an overlay mount, as layer entries.

Knows overlayfs's marks (kernel documentation, overlayfs.rst, "whiteouts and opaque directories") in both
flavours, ``trusted.overlay.*`` as root and ``user.overlay.*`` in a user namespace. Refuses an upper directory
that was mounted with redirect_dir or metacopy: parts of its content would be elsewhere.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from understudy.image.layers import entries, ownership, tarformat
from understudy.image.layers.entries import Entry
from understudy.image.layers.tarformat import Kind

CAPABILITY = "security.capability"
_FLAVOURS = ("trusted.overlay.", "user.overlay.")
_CAPABILITY_V3 = 0x03000000
_CAPABILITY_V2 = 0x02000000

OwnerMap = Callable[[int, int], tuple[int, int]]
"""Maps uid and gid on this machine to those in the image."""


def invoking_user_is_root(uid: int, gid: int) -> tuple[int, int]:
    """Maps an unprivileged invoking user to root, as a user namespace does, and leaves the others."""
    if os.geteuid() == 0:
        return uid, gid
    return (0 if uid == os.geteuid() else uid), (0 if gid == os.getegid() else gid)


def overlay_entries(
    upper: Path,
    *,
    epoch: int,
    lower: Sequence[Path] = (),
    owners: OwnerMap = invoking_user_is_root,
) -> Iterator[Entry]:
    """Yields the entries of `upper`, whiteouts as OCI writes them; sockets have no place in an image.

    Args:
        upper: the directory after the step, unmounted; what an unprivileged owner may not read in it becomes
            readable for them on disk, and keeps its mode in the entry.
        epoch: mtimes later than this are set to it; earlier ones came from archives and stay.
        lower: the extracted layers below, bottom first; an mtime that a file already has there stays, so
            that what was compiled against it remains valid.
        owners: how ids on disk map to ids in the image.

    Raises:
        ValueError: `upper` was mounted with redirect_dir or metacopy.
        LayerInvalidError: a file's name starts with ``.wh.``, which OCI layers cannot express.
    """
    reader = _Reader(upper, epoch=epoch, lower=lower, owners=owners)
    # Depth first and sorted, so that of several hard links the first in the layer is the file.
    pending = _children(upper, "")
    while pending:
        entry = reader.entry(pending.pop())
        if entry is None:
            continue
        yield entry
        if entry.kind is Kind.DIR:
            if reader.is_opaque(entry.path):
                yield entries.opaque(entry.path)
            pending += _children(upper, entry.path)


def _children(upper: Path, folder: str) -> list[str]:
    """Returns the paths in `folder`, last first: a stack."""
    with os.scandir(upper / folder) as scan:
        names = sorted((item.name for item in scan), reverse=True)
    return [f"{folder}/{name}" if folder else name for name in names]


class _Reader:
    def __init__(self, upper: Path, *, epoch: int, lower: Sequence[Path], owners: OwnerMap) -> None:
        self._upper = upper
        self._epoch = epoch
        self._lower = tuple(reversed(lower))
        self._owners = owners
        self._first: dict[tuple[int, int], str] = {}

    def is_opaque(self, folder: str) -> bool:
        attributes = _attributes(self._upper / folder)
        # The value "x" only says that the directory holds whiteouts in attribute form.
        return any(attributes.get(f"{flavour}opaque") == b"y" for flavour in _FLAVOURS)

    def entry(self, path: str) -> Entry | None:
        place = self._upper / path
        status = place.lstat()
        _make_readable(place, status)
        attributes = _attributes(place)
        if _is_whiteout(status, attributes):
            return entries.whiteout(path)
        if stat.S_ISSOCK(status.st_mode):
            return None
        self._refuse_oddities(path, attributes)
        if not stat.S_ISDIR(status.st_mode) and status.st_nlink > 1:
            first = self._first.setdefault((status.st_dev, status.st_ino), path)
            if first != path:
                return self._described(path, status, attributes, kind=Kind.HARDLINK, target=first)
        return self._described(path, status, attributes, kind=_kind(status.st_mode))

    def _described(
        self, path: str, status: os.stat_result, attributes: dict[str, bytes], *, kind: Kind, target: str = ""
    ) -> Entry:
        place = self._upper / path
        uid, gid = self._owners(status.st_uid, status.st_gid)
        mode = stat.S_IMODE(status.st_mode)
        kept = ownership.restore(attributes.get(ownership.XATTR, b""), mode)
        if kept is not None:
            mode = kept.mode
            if (uid, gid) == (0, 0):
                uid, gid = kept.uid, kept.gid
        if kind is Kind.SYMLINK:
            target, mode = str(place.readlink()), 0o777
        capability = attributes.get(CAPABILITY)
        return Entry(
            path=path,
            kind=kind,
            mode=mode,
            uid=uid,
            gid=gid,
            mtime_s=self._mtime_s(path, status),
            source=place if kind is Kind.FILE else None,
            target=target,
            device=(os.major(status.st_rdev), os.minor(status.st_rdev)),
            xattrs={CAPABILITY: _portable(capability)} if capability else {},
        )

    def _mtime_s(self, path: str, status: os.stat_result) -> int:
        mtime = status.st_mtime_ns // 1_000_000_000
        if mtime <= self._epoch or stat.S_ISDIR(status.st_mode):
            return min(mtime, self._epoch)
        for layer in self._lower:
            try:
                below = (layer / path).lstat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            return mtime if below.st_mtime_ns == status.st_mtime_ns else self._epoch
        return self._epoch

    def _refuse_oddities(self, path: str, attributes: dict[str, bytes]) -> None:
        for flavour in _FLAVOURS:
            for name in ("redirect", "metacopy"):
                if flavour + name in attributes:
                    raise ValueError(
                        f"{path} carries {flavour}{name}: mount with {name}_dir=off,metacopy=off"
                    )
        if path.rpartition("/")[2].startswith(entries.WHITEOUT_PREFIX):
            raise tarformat.invalid(
                "a file's name starts with .wh., which hides other files", path=os.fsencode(path)
            )


def _make_readable(place: Path, status: os.stat_result) -> None:
    if os.geteuid() == 0 or stat.S_ISLNK(status.st_mode):
        return
    needed = 0o500 if stat.S_ISDIR(status.st_mode) else 0o400
    if status.st_mode & needed != needed and status.st_uid == os.geteuid():
        place.chmod(stat.S_IMODE(status.st_mode) | needed)


def _attributes(path: Path) -> dict[str, bytes]:
    names = os.listxattr(path, follow_symlinks=False)
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in names}


def _is_whiteout(status: os.stat_result, attributes: dict[str, bytes]) -> bool:
    if stat.S_ISCHR(status.st_mode):
        return status.st_rdev == 0
    if not stat.S_ISREG(status.st_mode) or status.st_size:
        return False
    return any(f"{flavour}whiteout" in attributes for flavour in _FLAVOURS)


def _kind(mode: int) -> Kind:
    if stat.S_ISDIR(mode):
        return Kind.DIR
    if stat.S_ISLNK(mode):
        return Kind.SYMLINK
    if stat.S_ISFIFO(mode):
        return Kind.FIFO
    if stat.S_ISCHR(mode):
        return Kind.CHAR
    return Kind.BLOCK if stat.S_ISBLK(mode) else Kind.FILE


def _portable(capability: bytes) -> bytes:
    # Version 3 names the user namespace's root by its id on this machine (linux/capability.h).
    magic = int.from_bytes(capability[:4], "little")
    if magic & 0xFF000000 != _CAPABILITY_V3 or len(capability) < 24:
        return capability
    return (magic & 0x00FFFFFF | _CAPABILITY_V2).to_bytes(4, "little") + capability[4:20]
