"""What one pass over a layer learns: digests, entries in order, and the little that rules read often."""

from dataclasses import dataclass
from typing import Literal

from understudy.verify.model import Elf

EntryKind = Literal["file", "dir", "symlink", "hardlink", "other", "whiteout", "opaque"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One member of a layer's archive.

    Attributes:
        path: absolute, as written in the archive; of a whiteout what it deletes, of an opaque marker the
            directory.
        kind: a whiteout or an opaque marker speaks about the layers below only.
        mode: permission bits with setuid, setgid and sticky.
        uid: owner.
        gid: group.
        size_bytes: of the content.
        mtime_s: whole seconds.
        link: target of a symbolic link as stored, of a hard link as an absolute path.
        offset: of the content in the uncompressed archive.
        head: the first bytes where rules want them (`scan.head_of`), else `None`.
        content: all of it for small files that many rules read, else `None`.
        elf: of ELF files and of files named like shared objects.
    """

    path: str
    kind: EntryKind
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size_bytes: int = 0
    mtime_s: int = 0
    link: str = ""
    offset: int = 0
    head: bytes | None = None
    content: bytes | None = None
    elf: Elf | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFacts:
    """One layer as it really is.

    Attributes:
        digest: of the blob's bytes; empty when they could not all be read.
        size_bytes: of the blob.
        diff_id: of the uncompressed bytes; empty when they could not all be read.
        uncompressed_bytes: of the archive.
        plain: whether it is not compressed.
        entries: in the order of the archive, up to where it is sound.
        problem: why the layer cannot be used; empty when it can.
    """

    digest: str
    size_bytes: int
    diff_id: str
    uncompressed_bytes: int
    plain: bool
    entries: tuple[Entry, ...]
    problem: str = ""
