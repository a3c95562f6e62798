"""An image that Docker has built, brought into the project's store, where its digest is its identity.

Docker's classic store keeps layers uncompressed and no manifest: then layers are compressed here as the
native builder does it, those of a base keep the base's own bytes, and the config stays Docker's. What the
containerd store has, manifest and all, comes over byte for byte.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping

from understudy.image import docker as buildkit
from understudy.image import model, render
from understudy.image.builder import BuildEvent, BuildRequest, Work
from understudy.image.builder.env import Host
from understudy.image.layers.gzipstream import GzipWriter
from understudy.image.model import Descriptor, Image
from understudy.image.store import Store
from understudy.verify import intake
from understudy.verify.sources import ImageSource
from understudy.verify.sources.engine import DockerCommand, open_image

_CHUNK_BYTES = 1 << 20


def build(
    request: BuildRequest,
    *,
    store: Store,
    progress: Callable[[BuildEvent], None],
    environment: Mapping[str, str] = os.environ,
) -> Image:
    """Returns the image that BuildKit makes of a Dockerfile, stored and tagged.

    Args:
        request: what to build.
        store: receives the image.
        progress: receives what happens, Docker's lines among it.
        environment: Docker's, and what RUN may see of this machine.

    Raises:
        EnvironmentProblemError: this machine has no Docker, no engine or no BuildKit.
        UnderstudyError: a base cannot be had, or the build failed.
    """
    host = Host(environment=environment)
    command = buildkit.find(environment)
    with store.session(), buildkit.build(request, command, store=store, host=host, progress=progress) as made:
        progress(Work(message="reading the image out of Docker"))
        before = [store.image(tag) for tag in request.tags if tag in store.tags()]
        engine = DockerCommand(environment)
        spool = store.root / "uploads"
        with open_image(made.name, made.name, engine, request.platform, spool) as source:
            digest = _stored(source, store, _known([*before, *made.bases], store))
        for tag in request.tags:
            store.tag(tag, digest)
    return store.image(digest)


def _stored(source: ImageSource, store: Store, known: Mapping[str, Descriptor]) -> str:
    if not source.exported:
        return intake.bring(source, store)
    manifest, config = source.image.manifest, source.image.config
    store.put(config.raw)
    packed = [
        known.get(diff_id) or _packed(source, layer, store)
        for diff_id, layer in zip(config.diff_ids, manifest.layers, strict=True)
    ]
    descriptor = Descriptor(
        media_type=model.OCI_CONFIG, digest=manifest.config.digest, size_bytes=manifest.config.size_bytes
    )
    return store.put_image(render.image_manifest(descriptor, packed))


def _packed(source: ImageSource, layer: Descriptor, store: Store) -> Descriptor:
    with source.open_blob(layer.digest) as content, store.writer() as writer:
        with GzipWriter(writer.write) as packer:
            shutil.copyfileobj(content, packer, _CHUNK_BYTES)
        size_bytes = writer.offset
        digest = writer.commit()
    return Descriptor(media_type=model.OCI_LAYER_GZIP, digest=digest, size_bytes=size_bytes)


def _known(images: Iterable[Image], store: Store) -> dict[str, Descriptor]:
    """The compressed layers that are there already, by diff_id; a later image's win."""
    return {
        diff_id: layer
        for image in images
        for diff_id, layer in zip(image.config.diff_ids, image.manifest.layers, strict=True)
        if layer.media_type == model.OCI_LAYER_GZIP and store.has(layer.digest)
    }
