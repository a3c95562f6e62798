"""What goes into a layer, one value per path, whether it comes from a build step or from COPY.

Holds no content: a file names its source on disk or carries a few bytes, and is read while it is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from understudy.image.layers.tarformat import Kind

WHITEOUT_PREFIX = ".wh."
OPAQUE_MARKER = ".wh..wh..opq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One path of a layer.

    Attributes:
        path: relative to the image's root, without leading slash; undecodable bytes as surrogates.
        kind: what it is; a file has `source` or `data`, a link has `target`.
        source: regular file on this machine to read the content from.
        data: the content itself, where there is no such file.
        target: of a symlink, any text; of a hardlink, the path of another entry of this layer.
        mtime_s: seconds in the image; None stands for the layer's epoch.
    """

    path: str
    kind: Kind
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime_s: int | None = None
    source: Path | None = None
    data: bytes = b""
    target: str = ""
    device: tuple[int, int] = (0, 0)
    xattrs: Mapping[str, bytes] = field(default_factory=dict, hash=False)


def whiteout(path: str) -> Entry:
    """Returns the marker that hides `path` of the layers below."""
    folder, _, name = path.rpartition("/")
    return _marker(folder, WHITEOUT_PREFIX + name)


def opaque(folder: str) -> Entry:
    """Returns the marker that hides everything in `folder` of the layers below."""
    return _marker(folder, OPAQUE_MARKER)


def order(path: str) -> tuple[tuple[bool, str], ...]:
    """Returns the sort key: folders before their content, whiteouts before their siblings (OCI layer.md)."""
    return tuple((not part.startswith(WHITEOUT_PREFIX), part) for part in path.split("/"))


def _marker(folder: str, name: str) -> Entry:
    return Entry(path=f"{folder}/{name}" if folder else name, kind=Kind.FILE, mode=0o600)
