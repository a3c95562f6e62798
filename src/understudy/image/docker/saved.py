"""An image of the store as the archive that ``docker load`` takes.

The form is Docker's image specification 1.2 (``manifest.json``), which every engine reads; layers go in
compressed, as they lie in the store.
"""

from __future__ import annotations

import io
import json
import tarfile
from typing import IO, TYPE_CHECKING

from understudy.image import digests

if TYPE_CHECKING:
    from understudy.image.model import Image
    from understudy.image.store import Store


def write(image: Image, store: Store, name: str, target: IO[bytes]) -> None:
    """Writes the archive of `image`, called `name` in Docker, to a pipe or a file.

    Raises:
        BlobMissingError: a layer is not in the store.
    """
    config = f"{digests.hex_of(image.manifest.config.digest)}.json"
    layers = [f"{digests.hex_of(layer.digest)}.tar" for layer in image.manifest.layers]
    rows = [{"Config": config, "RepoTags": [name], "Layers": layers}]
    with tarfile.open(fileobj=target, mode="w|") as archive:
        for member, layer in zip(layers, image.manifest.layers, strict=True):
            with store.open_blob(layer.digest) as blob:
                _add(archive, member, blob, layer.size_bytes)
        for member, raw in ((config, image.config.raw), ("manifest.json", json.dumps(rows).encode())):
            _add(archive, member, io.BytesIO(raw), len(raw))


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size_bytes: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size_bytes
    archive.addfile(entry, content)
