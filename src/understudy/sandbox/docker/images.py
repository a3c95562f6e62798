"""The images of sandboxes in a Docker engine: each loaded once, few kept.

Layers that the engine has from an earlier image are not sent again. Of what was loaded the newest stay, so
that the next engine and the next `verify` find them; the rest goes, unless a container runs on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import TYPE_CHECKING, TypeVar

from understudy.errors import UnderstudyError
from understudy.sandbox import namespaces
from understudy.sandbox.docker import archive
from understudy.sandbox.docker.api import DockerRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from understudy.sandbox.docker.api import DockerApi
    from understudy.sandbox.docker.archive import SandboxImage
    from understudy.sandbox.model import SandboxSpec

_KEPT = 8
_OURS = f"{archive.LABEL}=image"
_T = TypeVar("_T")


class Images:
    """Loads images into one Docker engine.

    Args:
        api: is open.
        architecture: the engine's, as it names it.
    """

    def __init__(self, api: DockerApi, architecture: str) -> None:
        self._api = api
        self._architecture = architecture
        self._loading = asyncio.Lock()
        self._loaded: set[str] = set()

    async def ensure(self, spec: SandboxSpec) -> str:
        """Returns the name of the image for `spec`, loaded if need be.

        Raises:
            DockerRefusedError: the engine cannot load it.
            UnderstudyError: a layer was removed meanwhile, from the store or from beside it.
        """
        image = await asyncio.to_thread(self._image, spec)
        async with self._loading:
            if image.name not in self._loaded and not await self._has(image.name):
                await self._load(image)
            self._loaded.add(image.name)
        return image.name

    def forget(self, name: str) -> None:
        """Takes note that somebody removed the image from the engine."""
        self._loaded.discard(name)

    def _image(self, spec: SandboxSpec) -> SandboxImage:
        with namespaces.lease(spec):
            return archive.of_spec(spec, self._architecture)

    async def _has(self, name: str) -> bool:
        try:
            await self._api.get(f"/images/{name}/json")
        except DockerRefusedError:
            return False
        return True

    async def _load(self, image: SandboxImage) -> None:
        known = await self._known(image)
        try:
            try:
                await self._api.load(_in_threads(image.stream(known)))
            except DockerRefusedError:
                # An image store of containerd's has layers by another name and wants all of them.
                if not known:
                    raise
                await self._api.load(_in_threads(image.stream(0)))
        except FileNotFoundError as error:
            raise UnderstudyError(
                "sandbox-layer-gone",
                f"layer {error.filename} was removed meanwhile",
                hint="invoke again",
                retryable=True,
            ) from error
        await self._remove_old()

    async def _known(self, image: SandboxImage) -> int:
        """How many of the lowest layers an image of ours in the engine has too."""
        most = 0
        for each in await self._api.list("/images/json", _OURS):
            with contextlib.suppress(DockerRefusedError):
                found = await self._api.get(f"/images/{each['Id']}/json")
                pairs = zip(image.diff_ids[:-1], found["RootFS"]["Layers"], strict=False)
                same = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
                most = max(most, len(list(same)))
        return most

    async def _remove_old(self) -> None:
        found = await self._api.list("/images/json", _OURS)
        for each in sorted(found, key=lambda one: one["Created"], reverse=True)[_KEPT:]:
            # One that a container runs on is refused, and stays.
            with contextlib.suppress(DockerRefusedError):
                for name in each.get("RepoTags") or [each["Id"]]:
                    self.forget(name)
                    await self._api.delete(f"/images/{name}")


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Reads `pieces` beside the event loop."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
