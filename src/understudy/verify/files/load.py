"""The layers of an image, read at the same time or taken from the cache: facts of each, the tree of all.

Reading takes longer than anything else and most of it happens outside of the interpreter, so it can be begun
before its result is needed. Refuses to raise for what a layer holds: that is a problem of the layer.
"""

import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from understudy.errors import UnderstudyError
from understudy.image.model import Descriptor
from understudy.verify.files import cache, scan
from understudy.verify.files.facts import LayerFacts
from understudy.verify.files.stream import Checkpoints
from understudy.verify.files.tree import FileTree

_THREADS_MAX = 4
_HASH_BYTES = 1 << 18

OpenBlob = Callable[[str], BinaryIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The files of an image.

    Attributes:
        layers: facts of each layer, bottom first; a layer that is not what the manifest says has a problem.
        tree: all of them flattened.
    """

    layers: tuple[LayerFacts, ...]
    tree: FileTree


class Reading:
    """The layers of one image on their way; a context manager that begins to read them."""

    def __init__(
        self,
        descriptors: Sequence[Descriptor],
        open_blob: OpenBlob,
        *,
        cache_dir: Path | None = None,
        trusted: bool = False,
    ) -> None:
        """Reads nothing yet.

        Args:
            descriptors: of the manifest, bottom first.
            open_blob: opens a blob by digest, able to seek; also later, while the tree is read.
            cache_dir: where facts are kept between runs; `None` for nowhere.
            trusted: whether blobs need not be compared with their digests when their facts are cached.
        """
        self._descriptors = descriptors
        self._open_blob = open_blob
        self._cache_dir = cache_dir
        self._trusted = trusted
        self._checkpoints = [Checkpoints() for _ in descriptors]
        threads = max(1, min(_THREADS_MAX, len(os.sched_getaffinity(0)), len(descriptors)))
        self._pool = ThreadPoolExecutor(threads, "layer")
        self._jobs: dict[int, Future[LayerFacts]] = {}
        self._blobs: list[BinaryIO] = []

    def __enter__(self) -> Self:
        # The largest first, so that the threads end together.
        for position in sorted(
            range(len(self._descriptors)), key=lambda at: -self._descriptors[at].size_bytes
        ):
            self._jobs[position] = self._pool.submit(self._layer, position)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Who leaves before the end, for whatever reason, does not wait for gigabytes.
        self._pool.shutdown(wait=False, cancel_futures=True)
        for blob in self._blobs:
            blob.close()
        self._pool.shutdown(wait=True)

    @functools.cached_property
    def result(self) -> Loaded:
        """The files, as soon as all layers are read."""
        found = tuple(self._jobs[position].result() for position in range(len(self._descriptors)))
        tree = FileTree(found, lambda at: self._open_blob(self._descriptors[at].digest), self._checkpoints)
        layers = tuple(
            facts if facts.problem else replace(facts, problem=tree.problems.get(position, ""))
            for position, facts in enumerate(found)
        )
        return Loaded(layers=layers, tree=tree)

    def _layer(self, position: int) -> LayerFacts:
        descriptor, checkpoints = self._descriptors[position], self._checkpoints[position]
        try:
            blob = self._open_blob(descriptor.digest)
        except UnderstudyError as exc:
            return _unreadable(exc.message)
        except OSError as exc:
            return _unreadable(f"it cannot be opened ({exc.strerror or exc})")
        self._blobs.append(blob)
        with blob:
            known = self._known(descriptor.digest, blob)
            if known is not None:
                checkpoints.plain = known.plain
                return _compared(known, descriptor)
            facts = scan.layer(blob, checkpoints)
        if self._cache_dir is not None:
            cache.save(self._cache_dir, facts)
        return _compared(facts, descriptor)

    def _known(self, digest: str, blob: BinaryIO) -> LayerFacts | None:
        facts = None if self._cache_dir is None else cache.load(self._cache_dir, digest)
        if facts is None:
            return None
        try:
            same_size = blob.seek(0, os.SEEK_END) == facts.size_bytes
            blob.seek(0)
            if same_size and not self._trusted:
                same_size = _digest(blob) == digest
                blob.seek(0)
        except OSError:
            return None
        return facts if same_size else None


def load(
    descriptors: Sequence[Descriptor],
    open_blob: OpenBlob,
    *,
    cache_dir: Path | None = None,
    trusted: bool = False,
) -> Loaded:
    """Returns the files of the layers in `descriptors`; `Reading` says what the arguments mean."""
    with Reading(descriptors, open_blob, cache_dir=cache_dir, trusted=trusted) as reading:
        return reading.result


def _digest(blob: BinaryIO) -> str:
    found = hashlib.sha256()
    while data := blob.read(_HASH_BYTES):
        found.update(data)
    return f"sha256:{found.hexdigest()}"


def _compared(facts: LayerFacts, descriptor: Descriptor) -> LayerFacts:
    if facts.problem:
        return facts
    if facts.digest != descriptor.digest:
        return replace(facts, problem=f"its content is {facts.digest}, the manifest says {descriptor.digest}")
    if facts.size_bytes != descriptor.size_bytes:
        return replace(
            facts, problem=f"it has {facts.size_bytes} bytes, the manifest says {descriptor.size_bytes}"
        )
    return facts


def _unreadable(reason: str) -> LayerFacts:
    return LayerFacts(
        digest="", size_bytes=0, diff_id="", uncompressed_bytes=0, plain=False, entries=(), problem=reason
    )
