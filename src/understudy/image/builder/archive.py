"""ADD of a tar archive: its members become the layer's entries.

Nothing is written to this machine; paths that leave the destination are refused rather than followed.
"""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Final

from understudy.image.layers import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from understudy.image.builder.state import Scope
    from understudy.image.builder.tree import Node
    from understudy.image.dockerfile.model import Copy

_KINDS: Final = {
    tarfile.REGTYPE: Kind.FILE,
    tarfile.AREGTYPE: Kind.FILE,
    tarfile.DIRTYPE: Kind.DIR,
    tarfile.SYMTYPE: Kind.SYMLINK,
    tarfile.LNKTYPE: Kind.HARDLINK,
}
_MAGIC: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")


def is_archive(node: Node) -> bool:
    """Whether ADD unpacks this file: a tar, plain or compressed with gzip, bzip2 or xz."""
    if node.kind is not Kind.FILE:
        return False
    with node.place.open("rb") as file:
        head = file.read(512)
    if not head.startswith(_MAGIC) and head[257:262] != b"ustar":
        return False
    try:
        with tarfile.open(node.place) as archive:
            archive.next()
    except (tarfile.TarError, EOFError, OSError):
        return False
    return True


def entries(scope: Scope, instruction: Copy, node: Node, target: str) -> Iterator[Entry]:
    """Yields the members below `target`; owners, modes and times are the archive's.

    Raises:
        DockerfileError: a member is outside, or of a kind that a layer from ADD cannot have.
    """
    with tarfile.open(node.place) as archive:
        for member in archive:
            path = _inside(member.name, target)
            kind = _KINDS.get(member.type)
            if path is None or kind is None:
                raise scope.fail(
                    instruction,
                    f"ADD {node.path} holds {member.name[:100]!r}, which is outside or no plain file",
                    "make the archive again without it",
                )
            if not path:
                continue
            file = archive.extractfile(member) if kind is Kind.FILE else None
            link = _inside(member.linkname, target) if kind is Kind.HARDLINK else member.linkname
            yield Entry(
                path=path,
                kind=kind,
                mode=0o777 if kind is Kind.SYMLINK else member.mode & 0o7777,
                uid=member.uid,
                gid=member.gid,
                mtime_s=int(member.mtime),
                data=file.read() if file is not None else b"",
                target=link or "",
            )


def _inside(name: str, target: str) -> str | None:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        return None
    return "/".join([*filter(None, target.split("/")), *parts])
