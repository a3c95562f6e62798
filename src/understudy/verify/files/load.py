"""The layers of an image, read at the same time or taken from the cache: facts of each, the tree of all."""

import concurrent.futures
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

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


def load(
    descriptors: Sequence[Descriptor],
    open_blob: OpenBlob,
    *,
    cache_dir: Path | None = None,
    trusted: bool = False,
) -> Loaded:
    """Returns the files of the layers in `descriptors`, bottom first.

    Args:
        descriptors: of the manifest.
        open_blob: opens a blob by digest, able to seek; also later, while the tree is read.
        cache_dir: where facts are kept between runs; `None` for nowhere.
        trusted: whether blobs need not be compared with their digests when their facts are cached.
    """
    checkpoints = [Checkpoints() for _ in descriptors]

    def one(position: int) -> LayerFacts:
        return _layer(descriptors[position], open_blob, checkpoints[position], cache_dir, trusted=trusted)

    threads = max(1, min(_THREADS_MAX, len(os.sched_getaffinity(0)), len(descriptors)))
    # The largest first, so that the threads end together.
    order = sorted(range(len(descriptors)), key=lambda position: -descriptors[position].size_bytes)
    with concurrent.futures.ThreadPoolExecutor(threads, "layer") as pool:
        jobs = {position: pool.submit(one, position) for position in order}
        try:
            found = tuple(jobs[position].result() for position in range(len(descriptors)))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    tree = FileTree(found, lambda position: open_blob(descriptors[position].digest), checkpoints)
    layers = tuple(
        facts if facts.problem else replace(facts, problem=tree.problems.get(position, ""))
        for position, facts in enumerate(found)
    )
    return Loaded(layers=layers, tree=tree)


def learn(descriptor: Descriptor, open_blob: OpenBlob, cache_dir: Path) -> None:
    """Puts the facts of one sound layer into the cache, unless they are there."""
    _layer(descriptor, open_blob, Checkpoints(), cache_dir, trusted=True)


def _layer(
    descriptor: Descriptor,
    open_blob: OpenBlob,
    checkpoints: Checkpoints,
    cache_dir: Path | None,
    *,
    trusted: bool,
) -> LayerFacts:
    try:
        blob = open_blob(descriptor.digest)
    except UnderstudyError as exc:
        return _unreadable(exc.message)
    except OSError as exc:
        return _unreadable(f"it cannot be opened ({exc.strerror or exc})")
    with blob:
        known = None if cache_dir is None else _known(cache_dir, descriptor.digest, blob, trusted=trusted)
        if known is not None:
            checkpoints.plain = known.plain
            return _compared(known, descriptor)
        facts = scan.layer(blob, checkpoints)
    if cache_dir is not None:
        cache.save(cache_dir, facts)
    return _compared(facts, descriptor)


def _known(cache_dir: Path, digest: str, blob: BinaryIO, *, trusted: bool) -> LayerFacts | None:
    facts = cache.load(cache_dir, digest)
    if facts is None:
        return None
    try:
        same_size = blob.seek(0, os.SEEK_END) == facts.size_bytes
        blob.seek(0)
        if same_size and not trusted:
            same_size = _digest(blob) == digest
            blob.seek(0)
    except OSError:
        return None
    return facts if same_size else None


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
