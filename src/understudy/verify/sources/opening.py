"""Which kind of place a reference names, and the image there.

Written kinds come first (``oci:``, ``oci-archive:``, ``docker-archive:``, ``docker://``). A name without one
is looked for where it costs least: the store, the disk, a local Docker engine, a registry. A name that says
its registry (``localhost:4566/dashboard``) is not asked of the engine: there it may be another image.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from understudy.errors import UnderstudyError
from understudy.image import reference as references
from understudy.image.reference import ReferenceInvalidError
from understudy.image.store import Store
from understudy.verify.sources import archive, engine, layout, stored
from understudy.verify.sources.engine import Engine, from_environment
from understudy.verify.sources.model import (
    ImageNotFoundError,
    ImageSource,
    ImageUnreadableError,
    closing,
)

if TYPE_CHECKING:
    from understudy.image.registry.http import RegistryHttp

DEFAULT_PLATFORM: Final = "linux/amd64"
_ENGINE_KINDS: Final = ("docker://", "docker-daemon:")
_ARCHIVE_KINDS: Final = ("oci-archive:", "docker-archive:")
_ARCHIVE_NAMES: Final = (".tar", ".tar.gz", ".tgz")
_HUB: Final = "docker.io"


def _connect(name: str) -> "RegistryHttp":
    # Most images are stored, and a registry's client brings TLS along.
    from understudy.verify.sources import registry  # noqa: PLC0415 - as above

    return registry.connect(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What is beyond this process and its disk.

    Attributes:
        environment: DOCKER_HOST is read from it.
        engine: finds the local Docker engine.
        registry: the way to a registry by host and port.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    engine: Callable[[Mapping[str, str]], Engine] = from_environment
    registry: "Callable[[str], RegistryHttp]" = _connect


@contextlib.contextmanager
def open(  # noqa: A001 - read as sources.open
    reference: str,
    *,
    store: Store,
    platform: str = DEFAULT_PLATFORM,
    spool_dir: Path | None = None,
    outside: Outside | None = None,
) -> Iterator[ImageSource]:
    """Opens the image that `reference` names, for as long as the context lasts.

    Args:
        reference: ``oci:DIR[:NAME]``, ``oci-archive:FILE[:NAME]``, ``docker-archive:FILE[:NAME]``,
            ``docker://NAME``, a path, a tag of the store, a digest or its first 8 digits, or a registry's
            ``HOST/NAME[:TAG|@DIGEST]``.
        store: the project's; layers from a registry are put there.
        platform: which manifest of an index; the only one is taken in any case.
        spool_dir: for what must be copied to be read; the store's folder for unfinished uploads by default.
        outside: how engines and registries are reached.

    Raises:
        UnderstudyError: there is no such image, or it cannot be read.
    """
    place = _Places(
        store=store,
        platform=platform,
        spool_dir=spool_dir or store.root / "uploads",
        outside=outside or Outside(),
    )
    with place.find(reference) as found, closing(found) as source:
        yield source


class _Places:
    """Where images are looked for."""

    def __init__(self, *, store: Store, platform: str, spool_dir: Path, outside: Outside) -> None:
        self._store = store
        self._platform = platform
        self._spool_dir = spool_dir
        self._outside = outside

    def find(self, reference: str) -> contextlib.AbstractContextManager[ImageSource]:
        """Returns the image, to be entered."""
        if reference.startswith("oci:"):
            return self._path(reference, reference.removeprefix("oci:"))
        for kind in _ARCHIVE_KINDS:
            if reference.startswith(kind):
                return self._path(reference, reference.removeprefix(kind))
        for kind in _ENGINE_KINDS:
            if reference.startswith(kind):
                name = reference.removeprefix(kind)
                return self._engine(reference, _plain_name(reference, name), self._local_engine())
        digest = stored.find(self._store, reference)
        if digest is not None:
            image = stored.open_stored(self._store, reference, digest, self._platform)
            return contextlib.nullcontext(image)
        if _is_path(reference):
            return self._path(reference, reference)
        return self._named(reference)

    def _path(self, reference: str, text: str) -> contextlib.AbstractContextManager[ImageSource]:
        path, name = _split(text)
        if path.is_dir():
            return contextlib.nullcontext(layout.open_directory(reference, path, name, self._platform))
        if not path.exists():
            raise ImageNotFoundError(
                "image-unknown",
                f"{reference} names {path}, which does not exist",
                hint="docker save NAME:TAG -o FILE, or skopeo copy docker-daemon:NAME:TAG oci:DIR:latest",
                where=str(path),
            )
        return archive.open_file(reference, path, name, self._platform, self._spool_dir)

    def _engine(
        self, reference: str, name: str, local: Engine
    ) -> contextlib.AbstractContextManager[ImageSource]:
        return engine.open_image(reference, name, local, self._platform, self._spool_dir)

    def _local_engine(self) -> Engine:
        return self._outside.engine(self._outside.environment)

    def _named(self, reference: str) -> contextlib.AbstractContextManager[ImageSource]:
        """An image by name only: the engine's if it has one and the name could be its, else a registry's."""
        from understudy.verify.sources import registry  # noqa: PLC0415 - see `_connect`

        try:
            ref = references.parse(reference)
        except ReferenceInvalidError as exc:
            raise _unknown(reference, exc.message) from exc
        engine_says = ""
        if ref.registry == _HUB:
            local = self._local_engine()
            try:
                if local.has(reference):
                    return self._engine(reference, reference, local)
                engine_says = "not in the local Docker engine"
            except engine.EngineUnreachableError:
                engine_says = "no local Docker engine answers"
        try:
            http = self._outside.registry(ref.registry)
            image = registry.open_image(reference, ref, self._store, self._platform, http)
            return contextlib.nullcontext(image)
        except UnderstudyError as exc:
            if not engine_says:
                raise
            raise _unknown(reference, f"not in the store, {engine_says}, and {exc.message}") from exc


def _unknown(reference: str, reason: str) -> ImageNotFoundError:
    return ImageNotFoundError(
        "image-unknown",
        f"image {reference[:300]} cannot be found: {reason}",
        hint="./understudy build, or name it as docker://NAME, oci:DIR, FILE.tar or REGISTRY/NAME:TAG",
    )


def _plain_name(reference: str, name: str) -> str:
    if not name or name.startswith("-"):
        raise ImageUnreadableError(
            "reference-invalid",
            f"{reference[:300]!r} names no image",
            hint="write docker://NAME:TAG; docker images lists the names",
        )
    return name


def _is_path(reference: str) -> bool:
    """Whether a reference without a kind means the disk: it looks like a path, or an image is there."""
    if reference.startswith(("/", "./", "../", "~")) or reference in {".", ".."}:
        return True
    path = Path(reference)
    return layout.is_layout(path) or (reference.endswith(_ARCHIVE_NAMES) and path.is_file())


def _split(text: str) -> tuple[Path, str]:
    """The path and the image's name after it; a path that holds a colon and exists is a path."""
    path = Path(text).expanduser()
    if path.exists() or ":" not in text:
        return path, ""
    parts = text.split(":")
    for length in range(len(parts) - 1, 0, -1):
        path = Path(":".join(parts[:length])).expanduser()
        if path.exists():
            return path, ":".join(parts[length:])
    return Path(parts[0]).expanduser(), ":".join(parts[1:])
