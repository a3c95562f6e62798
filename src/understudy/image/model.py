"""OCI and Docker image documents as immutable views over their raw bytes.

Does no I/O and never re-serialises what it received: a digest is the hash of the bytes as they came, so a
document keeps them. Refuses Docker schema 1 and anything else that Lambda would refuse.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy.errors import UnderstudyError
from understudy.image import digests, fields

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"

MANIFEST_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
LAYER_TYPES = frozenset({OCI_LAYER, OCI_LAYER_GZIP, DOCKER_LAYER_GZIP})


class MediaTypeUnsupportedError(UnderstudyError):
    """A document or layer has a media type that this program, or Lambda, cannot use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Operating system and CPU as Go names them."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A typed pointer to a blob."""

    media_type: str
    digest: str
    size_bytes: int
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageManifest:
    """One image manifest: `raw` is the identity, the rest a view of it."""

    raw: bytes
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]

    @property
    def digest(self) -> str:
        """The digest of the bytes as received."""
        return digests.of(self.raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """One manifest of an index; `platform` is None when the index does not say."""

    descriptor: Descriptor
    platform: Platform | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageIndex:
    """An OCI index or Docker manifest list."""

    raw: bytes
    media_type: str
    manifests: tuple[IndexEntry, ...]

    @property
    def digest(self) -> str:
        """The digest of the bytes as received."""
        return digests.of(self.raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthcheck:
    """HEALTHCHECK of an image; durations in nanoseconds, zero means Docker's default."""

    test: tuple[str, ...]
    interval_ns: int = 0
    timeout_ns: int = 0
    start_period_ns: int = 0
    start_interval_ns: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One instruction of an image's past."""

    created: str | None = None
    created_by: str = ""
    comment: str = ""
    empty_layer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """What to run and on which layers; `raw` is the identity."""

    raw: bytes = b""
    architecture: str
    os: str
    variant: str = ""
    env: tuple[tuple[str, str], ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    healthcheck: Healthcheck | None = None
    shell: tuple[str, ...] = ()
    on_build: tuple[str, ...] = ()
    diff_ids: tuple[str, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    created: str | None = None

    @property
    def digest(self) -> str:
        """The digest of the bytes as received."""
        return digests.of(self.raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A manifest with its config."""

    manifest: ImageManifest
    config: ImageConfig

    @property
    def digest(self) -> str:
        """The image manifest's digest: what ECR, Lambda and `docker pull NAME@` speak."""
        return self.manifest.digest

    @property
    def size_bytes(self) -> int:
        """Compressed size as ECR counts it: config and layers."""
        return self.manifest.config.size_bytes + sum(layer.size_bytes for layer in self.manifest.layers)


def parse_manifest(raw: bytes, media_type: str | None = None) -> ImageManifest:
    """Returns the image manifest in `raw`.

    Args:
        raw: the bytes as received.
        media_type: the Content-Type they came with; the document's own type must agree with it.

    Raises:
        MediaTypeUnsupportedError: `raw` is an index, a schema 1 manifest or something else.
        DocumentInvalidError: a required field is missing or malformed.
    """
    document = fields.document(raw, "image manifest")
    actual = media_type_of(raw, media_type)
    if actual not in MANIFEST_TYPES:
        raise _unsupported(actual)
    reader = fields.Fields(document, "image manifest")
    return ImageManifest(
        raw=raw,
        media_type=actual,
        config=_descriptor(reader.mapping("config"), "image manifest config"),
        layers=tuple(_descriptor(item, "image manifest layer") for item in reader.mappings("layers")),
    )


def parse_index(raw: bytes, media_type: str | None = None) -> ImageIndex:
    """Returns the index or manifest list in `raw`.

    Raises:
        MediaTypeUnsupportedError: `raw` is no index.
        DocumentInvalidError: a required field is missing or malformed.
    """
    actual = media_type_of(raw, media_type)
    if actual not in INDEX_TYPES:
        raise _unsupported(actual)
    entries = []
    for item in fields.Fields(fields.document(raw, "image index"), "image index").mappings("manifests"):
        platform = item.get("platform")
        entries.append(
            IndexEntry(
                descriptor=_descriptor(item, "image index entry"),
                platform=_platform(platform) if isinstance(platform, dict) else None,
            )
        )
    return ImageIndex(raw=raw, media_type=actual, manifests=tuple(entries))


def parse_config(raw: bytes) -> ImageConfig:
    """Returns the image config in `raw`.

    Raises:
        DocumentInvalidError: a field is missing or malformed.
    """
    top = fields.Fields(fields.document(raw, "image config"), "image config")
    run = fields.Fields(top.mapping("config", optional=True), "image config")
    rootfs = fields.Fields(top.mapping("rootfs"), "image config rootfs")
    return ImageConfig(
        raw=raw,
        architecture=top.text("architecture", required=True),
        os=top.text("os", required=True),
        variant=top.text("variant"),
        env=tuple(_variable(item) for item in run.texts("Env")),
        entrypoint=run.texts("Entrypoint"),
        cmd=run.texts("Cmd"),
        working_dir=run.text("WorkingDir"),
        user=run.text("User"),
        labels={str(key): str(value) for key, value in run.mapping("Labels", optional=True).items()},
        exposed_ports=tuple(sorted(run.mapping("ExposedPorts", optional=True))),
        volumes=tuple(sorted(run.mapping("Volumes", optional=True))),
        stop_signal=run.text("StopSignal"),
        healthcheck=_healthcheck(run.mapping("Healthcheck", optional=True)),
        shell=run.texts("Shell"),
        on_build=run.texts("OnBuild"),
        diff_ids=tuple(digests.parse(item) for item in rootfs.texts("diff_ids")),
        history=tuple(_history(item) for item in top.mappings("history", optional=True)),
        created=top.text("created") or None,
    )


def media_type_of(raw: bytes, declared: str | None = None) -> str:
    """Returns the media type of the document `raw`.

    Args:
        raw: the document.
        declared: the Content-Type it came with, if any.

    Raises:
        DocumentInvalidError: the document names another media type than `declared`; pulling it would be the
            confusion attack that the OCI image spec warns of (manifest.md, "mediaType").
    """
    document = fields.document(raw, "image document")
    header = (declared or "").partition(";")[0].strip()
    own = document.get("mediaType")
    if not isinstance(own, str) or not own:
        own = ""
    known = MANIFEST_TYPES | INDEX_TYPES
    if own and header in known and own != header:
        raise fields.invalid("image document", f"it calls itself {own} and was served as {header}")
    if own or header in known:
        return own or header
    if document.get("schemaVersion") == 1:
        return "application/vnd.docker.distribution.manifest.v1+json"
    return OCI_INDEX if "manifests" in document else OCI_MANIFEST


def _descriptor(data: Mapping[str, Any], what: str) -> Descriptor:
    reader = fields.Fields(data, what)
    annotations = reader.mapping("annotations", optional=True)
    return Descriptor(
        media_type=reader.text("mediaType", required=True),
        digest=digests.parse(reader.text("digest")),
        size_bytes=reader.number("size"),
        annotations={str(key): str(value) for key, value in annotations.items()},
    )


def _platform(data: Mapping[str, Any]) -> Platform:
    reader = fields.Fields(data, "image index platform")
    return Platform(
        os=reader.text("os"), architecture=reader.text("architecture"), variant=reader.text("variant")
    )


def _variable(item: str) -> tuple[str, str]:
    name, _, value = item.partition("=")
    return name, value


def _healthcheck(data: Mapping[str, Any]) -> Healthcheck | None:
    if not data:
        return None
    reader = fields.Fields(data, "image config Healthcheck")
    return Healthcheck(
        test=reader.texts("Test"),
        interval_ns=reader.number("Interval"),
        timeout_ns=reader.number("Timeout"),
        start_period_ns=reader.number("StartPeriod"),
        start_interval_ns=reader.number("StartInterval"),
        retries=reader.number("Retries"),
    )


def _history(data: Mapping[str, Any]) -> HistoryEntry:
    reader = fields.Fields(data, "image config history")
    return HistoryEntry(
        created=reader.text("created") or None,
        created_by=reader.text("created_by"),
        comment=reader.text("comment"),
        empty_layer=data.get("empty_layer") is True,
    )


def _unsupported(media_type: str) -> MediaTypeUnsupportedError:
    if media_type in INDEX_TYPES:
        hint = "name one platform's image, or rebuild with docker buildx build --provenance=false"
    else:
        hint = "push the image again with Docker 1.10 or later, which writes schema 2 manifests"
    return MediaTypeUnsupportedError(
        "media-type-unsupported",
        f"image manifest is {media_type[:100]}, expected {OCI_MANIFEST} or {DOCKER_MANIFEST}",
        hint=hint,
    )
