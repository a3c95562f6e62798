"""What the parts of one build share: request, store, caches and the way to other stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.image import digests, render, rootfs
from understudy.image.builder.tree import LayersTree
from understudy.image.model import OCI_CONFIG, Descriptor, ImageConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from understudy.image.builder.cache import CachedLayer, FileHashes, LayerCache
    from understudy.image.builder.env import Host
    from understudy.image.builder.model import BuildEvent, BuildRequest
    from understudy.image.builder.state import Scope, StageState
    from understudy.image.builder.tree import Tree
    from understudy.image.dockerfile.model import Instruction
    from understudy.image.model import ImageManifest
    from understudy.image.steps import StepRunner
    from understudy.image.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """One build's tools.

    Attributes:
        scope: of the Dockerfile.
        context: the build context without ignored files.
        source: returns the layers of a stage or image that is copied from.
        output: receives one line of a command's output.
    """

    request: BuildRequest
    scope: Scope
    store: Store
    steps: StepRunner
    progress: Callable[[BuildEvent], None]
    layers: LayerCache
    hashes: FileHashes
    context: Tree
    host: Host
    source: Callable[[Instruction, str], Sequence[CachedLayer]]
    output: Callable[[str], None]

    def folders(self, layers: Sequence[CachedLayer]) -> tuple[Path, ...]:
        """Returns where layers are extracted, bottom first; extracts what is not."""
        if not layers:
            return ()
        operating_system, _, architecture = self.request.platform.partition("/")
        config = ImageConfig(
            architecture=architecture.partition("/")[0],
            os=operating_system,
            diff_ids=tuple(layer.diff_id for layer in layers),
        )
        manifest = stored(self.store, config, layers)
        return rootfs.prepare(self.store, manifest.digest).layers

    def tree(self, layers: Sequence[CachedLayer]) -> LayersTree:
        """Returns the merged view of layers."""
        return LayersTree(self.folders(layers))

    def cached(self, name: str) -> CachedLayer | None:
        """Returns the layer for a key unless the cache is off."""
        return None if self.request.no_cache else self.layers.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What an instruction came to: the layer, and whether it was known."""

    layer: CachedLayer | None
    cached: bool


def chain(layers: Sequence[CachedLayer]) -> list[str]:
    """Returns the identity of a stack of layers."""
    return [layer.diff_id for layer in layers]


def identity(state: StageState) -> list[str]:
    """Returns the identity of a stage's files."""
    return chain(state.layers)


def stored(store: Store, config: ImageConfig, layers: Sequence[CachedLayer]) -> ImageManifest:
    """Returns the manifest of an image from these parts, stored; what is there is not written again."""
    raw = render.image_config(config).raw
    digest = _put(store, raw)
    descriptor = Descriptor(media_type=OCI_CONFIG, digest=digest, size_bytes=len(raw))
    manifest = render.image_manifest(descriptor, [layer.descriptor for layer in layers])
    if not store.has(manifest.digest):
        store.put_image(manifest)
    return manifest


def _put(store: Store, data: bytes) -> str:
    digest = digests.of(data)
    return digest if store.has(digest) else store.put(data)
