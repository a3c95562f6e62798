"""An image's layers are read while the rest of the program is still being loaded.

Reading is the longest part of looking at an image and needs none of the rules, nor to know how functions run
it. So this module imports little: what it imports is what reading waits for.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from understudy.image.store import Store
from understudy.verify import files
from understudy.verify.files import Reading
from understudy.verify.sources import stored
from understudy.verify.sources.model import closing


@contextlib.contextmanager
def begun(digest: str, platform: str, *, store: Store, cache_dir: Path) -> Iterator[Mapping[str, Reading]]:
    """Begins to read a stored image and yields the reading by the digest of the image's manifest.

    Args:
        digest: of the image, or of an index of images.
        platform: which image of an index.
        store: holds it.
        cache_dir: facts of layers between runs.

    Raises:
        UnderstudyError: there is no such image, or a document of it is damaged.
    """
    with (
        closing(stored.open_stored(store, digest, digest, platform)) as source,
        files.Reading(
            source.image.manifest.layers, source.open_blob, cache_dir=cache_dir, trusted=source.trusted
        ) as reading,
    ):
        yield {source.image.digest: reading}
