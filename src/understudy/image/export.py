"""An image as ``docker load`` takes it, its blobs as they are.

The form is ``docker save``'s (https://github.com/moby/docker-image-spec): older engines load no OCI layout.
"""

from __future__ import annotations

import io
import json
import tarfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.image.model import Image
    from understudy.image.store import Store


def write(store: Store, image: Image, name: str, output: IO[bytes]) -> None:
    """Writes the archive of one image; equal images give equal archives.

    Args:
        store: has the image's blobs.
        image: the image.
        name: what it is called where it is loaded, ``REPOSITORY:TAG``.
        output: written once, front to back.

    Raises:
        BlobMissingError: the store has lost a blob.
    """
    blobs = {"config.json": image.manifest.config.digest}
    layers = {f"{number}.tar": layer.digest for number, layer in enumerate(image.manifest.layers)}
    document = [{"Config": "config.json", "RepoTags": [name], "Layers": list(layers)}]
    told = json.dumps(document).encode()
    with tarfile.open(fileobj=output, mode="w|") as archive:
        archive.addfile(_info("manifest.json", len(told)), io.BytesIO(told))
        for path, digest in (blobs | layers).items():
            with store.open_blob(digest) as blob:
                archive.addfile(_info(path, store.size(digest)), blob)


def _info(name: str, size_bytes: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size_bytes
    return info
