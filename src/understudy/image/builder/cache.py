"""What a build remembers: layers by instruction and inputs, and content hashes of files by their status.

Both live in the store's `cache/` directory and may be deleted at any time. Entries are written whole, so
concurrent builds at worst compute the same thing twice. Refuses to trust a file that changed within the
clock's grain of being read: its next change could leave the same status behind (Git's "racy" files).
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.image import atomic, digests, model, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from understudy.image.builder.tree import Node
    from understudy.image.model import Descriptor
    from understudy.image.store import Store

_VERSION = 2
_GRAIN_NS = 50_000_000
_PARALLEL_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedLayer:
    """A layer in the store."""

    descriptor: Descriptor
    diff_id: str


def key(*parts: object) -> str:
    """Returns a name for these inputs: equal inputs, equal name."""
    return hashlib.sha256(json.dumps([_VERSION, *parts], sort_keys=True).encode()).hexdigest()


class LayerCache:
    """Layers by key."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.root / "cache" / "layers"

    def get(self, name: str) -> CachedLayer | None:
        """Returns the layer, None when it is unknown or no longer in the store."""
        try:
            document = json.loads((self._folder / f"{name}.json").read_bytes())
            found = CachedLayer(
                descriptor=model.Descriptor(
                    media_type=document["mediaType"],
                    digest=digests.parse(document["digest"]),
                    size_bytes=int(document["size"]),
                ),
                diff_id=digests.parse(document["diffId"]),
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError, digests.DigestInvalidError):
            return None
        if not self._store.has(found.descriptor.digest):
            return None
        os.utime(self._store.path(found.descriptor.digest))
        return found

    def put(self, name: str, layer: CachedLayer) -> None:
        """Remembers a layer."""
        self._folder.mkdir(parents=True, exist_ok=True)
        fields = {**render.descriptor_fields(layer.descriptor), "diffId": layer.diff_id}
        atomic.write(self._folder / f"{name}.json", render.document(fields))

    def put_nothing(self, name: str) -> None:
        """Remembers that these inputs make no layer."""
        self._folder.mkdir(parents=True, exist_ok=True)
        atomic.write(self._folder / f"{name}.none", b"")

    def is_nothing(self, name: str) -> bool:
        """Whether these inputs are known to make no layer."""
        return (self._folder / f"{name}.none").exists()


class FileHashes:
    """SHA-256 of files, computed once per status.

    Args:
        path: where they are kept between builds.
        now_ns: the clock that files' times are compared with.
    """

    def __init__(self, path: Path, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._path = path
        self._now_ns = now_ns
        self._known: dict[str, list[object]] = {}
        self._fresh: dict[str, list[object]] = {}
        self._changed = False

    def open(self) -> FileHashes:
        """Reads what earlier builds left, and returns itself."""
        try:
            document = json.loads(self._path.read_bytes())
        except (FileNotFoundError, ValueError):
            document = {}
        if isinstance(document, dict):
            self._known = document
        return self

    def close(self) -> None:
        """Writes what this build used, when it differs from what was there."""
        if self._changed or len(self._fresh) != len(self._known):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            atomic.write(self._path, json.dumps(self._fresh).encode())

    def of(self, nodes: Iterable[Node]) -> dict[Path, str]:
        """Returns the content hash per file; new ones are read in parallel when there is much to read."""
        found: dict[Path, str] = {}
        missing: list[Node] = []
        for node in nodes:
            status = _status(node.status)
            known = self._known.get(str(node.place)) or self._fresh.get(str(node.place))
            if known and known[:-1] == status:
                found[node.place] = str(known[-1])
                self._fresh[str(node.place)] = known
            else:
                missing.append(node)
        now = self._now_ns()
        for node, value in zip(missing, _hashes(missing), strict=True):
            found[node.place] = value
            if now - max(node.status.st_mtime_ns, node.status.st_ctime_ns) > _GRAIN_NS:
                self._fresh[str(node.place)] = [*_status(node.status), value]
                self._changed = True
        return found


def _status(status: os.stat_result) -> list[object]:
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _hashes(nodes: list[Node]) -> list[str]:
    if sum(node.status.st_size for node in nodes) < _PARALLEL_BYTES:
        return [_hash(node.place) for node in nodes]
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(_hash, (node.place for node in nodes)))


def _hash(place: Path) -> str:
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
