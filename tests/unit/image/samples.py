"""Small images for tests."""

import random
from pathlib import Path

from understudy.image import render
from understudy.image.layers import Entry, Kind, write_layer
from understudy.image.model import (
    DOCKER_CONFIG,
    DOCKER_LAYER_GZIP,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_MANIFEST,
    Descriptor,
    Image,
    ImageConfig,
)
from understudy.image.store import Store

EPOCH = 1_700_000_000


def store_at(path: Path, *, grace_s: float = 3600) -> Store:
    return Store(path, grace_s=grace_s).open()


def noise(size_bytes: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size_bytes)


def file(path: str, data: bytes = b"hello", **fields: object) -> Entry:
    return Entry(path=path, kind=Kind.FILE, data=data, **fields)


def folder(path: str, **fields: object) -> Entry:
    return Entry(path=path, kind=Kind.DIR, **{"mode": 0o755, **fields})


def image_of(
    store: Store, *layers: list[Entry], docker: bool = False, architecture: str = "amd64", tag: str = ""
) -> Image:
    """Stores an image of these layers."""
    written = [write_layer(store, layer, epoch=EPOCH) for layer in layers]
    descriptors = [descriptor for descriptor, _ in written]
    if docker:
        descriptors = [
            Descriptor(media_type=DOCKER_LAYER_GZIP, digest=item.digest, size_bytes=item.size_bytes)
            for item in descriptors
        ]
    config = render.image_config(
        ImageConfig(
            architecture=architecture,
            os="linux",
            env=(("PATH", "/usr/bin:/bin"),),
            cmd=("handler.lambda_handler",),
            diff_ids=tuple(diff_id for _, diff_id in written),
        )
    )
    manifest = render.image_manifest(
        Descriptor(
            media_type=DOCKER_CONFIG if docker else OCI_CONFIG,
            digest=store.put(config.raw),
            size_bytes=len(config.raw),
        ),
        descriptors,
        media_type=DOCKER_MANIFEST if docker else OCI_MANIFEST,
    )
    digest = store.put_image(manifest)
    if tag:
        store.tag(tag, digest)
    return store.image(digest)
