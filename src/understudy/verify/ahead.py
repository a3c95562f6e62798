"""An image's layers are read by processes of their own while the rest of the program is being loaded.

Reading is the longest part of looking at an image and needs none of the rules, nor to know how functions run
it. Processes, because importing and reading both need the interpreter: as threads they take turns. They leave
facts in the cache, where whoever wants them finds them, or reads the layer after all. This module imports
little: what it imports is what reading waits for.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.image.model import Descriptor
from understudy.image.store import Store
from understudy.verify import files
from understudy.verify.sources import stored


@contextlib.contextmanager
def begun(digest: str, platform: str, *, store: Store, cache_dir: Path) -> Iterator[Callable[[], None]]:
    """Begins to read a stored image and yields a function that returns when it is read.

    Nothing is begun where it would not help or might harm: on one processor, or beside other threads.

    Args:
        digest: of the image, or of an index of images.
        platform: which image of an index.
        store: holds it.
        cache_dir: facts of layers between runs.
    """
    readers: list[int] = []
    try:
        readers.extend(_fork(share, store, cache_dir) for share in _shares(store, digest, platform))
        yield lambda: _wait(readers)
    finally:
        for reader in readers:
            os.kill(reader, signal.SIGKILL)
        _wait(readers)


def _shares(store: Store, digest: str, platform: str) -> list[list[Descriptor]]:
    """The layers of an image, largest first, dealt to as many readers as there are processors."""
    count = len(os.sched_getaffinity(0))
    if count == 1 or threading.active_count() > 1:
        return []
    try:
        layers = stored.open_stored(store, digest, digest, platform).image.manifest.layers
    except UnderstudyError:
        # Whoever looks at the image says so, and says more.
        return []
    shares: list[list[Descriptor]] = [[] for _ in range(min(count, len(layers)))]
    for layer in sorted(layers, key=lambda layer: -layer.size_bytes):
        min(shares, key=lambda share: sum(one.size_bytes for one in share)).append(layer)
    return shares


def _fork(layers: Sequence[Descriptor], store: Store, cache_dir: Path) -> int:
    """The process that reads these layers."""
    reader = os.fork()
    if reader:
        return reader
    try:
        for layer in layers:
            files.learn(layer, store.open_blob, cache_dir)
    finally:
        os._exit(0)


def _wait(readers: list[int]) -> None:
    while readers:
        os.waitpid(readers.pop(), 0)
