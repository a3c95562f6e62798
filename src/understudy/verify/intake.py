"""Brings an image that lies elsewhere into the store, because a boot needs its layers unpacked there.

Blobs are hashed on the way in. Refuses to name what it brings: nothing keeps it but the run that asked, and
the next collection takes it.
"""

import shutil
from collections.abc import Callable

from understudy.image import model
from understudy.image.store import Store
from understudy.verify.sources import ImageSource

_CHUNK_BYTES = 1 << 20


def bring(source: ImageSource, store: Store, progress: Callable[[str], None] = lambda _: None) -> str:
    """Returns the digest of the image, which is in the store now with all its blobs.

    Raises:
        UnderstudyError: a blob cannot be read, or is another than its digest says.
    """
    manifest = source.image.manifest
    with store.session():
        # Already read, and under a name of its own in what Docker engines before 25 save.
        store.put(source.image.config.raw)
        for blob in manifest.layers:
            if store.has(blob.digest):
                continue
            progress(f"copying {blob.size_bytes / 1e6:.0f} MB")
            with source.open_blob(blob.digest) as content, store.writer() as writer:
                shutil.copyfileobj(content, writer, _CHUNK_BYTES)
                writer.commit(blob.digest)
        return store.put_image(manifest)


def obstacle(source: ImageSource) -> str:
    """Why the image cannot be unpacked; empty when it can."""
    layers = source.image.manifest.layers
    foreign = [layer.media_type for layer in layers if layer.media_type not in model.LAYER_TYPES]
    if foreign:
        return f"a layer is {foreign[0][:100]}, which cannot be unpacked here"
    if len(source.image.config.diff_ids) != len(layers):
        return "config and manifest name different numbers of layers"
    return ""
