"""What ECR reads in a manifest: the blobs and manifests it needs, its kind and its subject.

Pure. Wider than `image.model`, which knows only what Lambda runs: a registry also keeps indexes and OCI
artifacts. Refuses Docker schema 1, as ECR does for new pushes, and never re-serialises.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from understudy.errors import UnderstudyError
from understudy.image import digests, fields, model

_FOREIGN = "foreign.diff"
_NONDISTRIBUTABLE = ".nondistributable."


class ManifestUnsupportedError(UnderstudyError):
    """A manifest of a kind that no registry of today keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A parsed manifest or index.

    Attributes:
        raw: the bytes as received; the digest is over them.
        config_type: media type of the config, empty for an index.
        blobs: digests of config and layers that must have been uploaded.
        children: digests of the manifests that an index references.
        subject: digest of the manifest this one is attached to.
    """

    raw: bytes
    media_type: str
    config_type: str = ""
    artifact_type: str = ""
    blobs: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    subject: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of the bytes as received."""
        return digests.of(self.raw)

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests in place of layers; Lambda refuses such an image."""
        return self.media_type in model.INDEX_TYPES


def parse(raw: bytes, media_type: str | None = None) -> Manifest:
    """Returns the manifest or index in `raw`.

    Args:
        raw: the bytes as received.
        media_type: the Content-Type they came with.

    Raises:
        ManifestUnsupportedError: schema 1, or a type that is neither manifest nor index.
        DocumentInvalidError: a field is missing or malformed.
    """
    actual = model.media_type_of(raw, media_type)
    document = fields.document(raw, "image manifest")
    if document.get("schemaVersion") != 2 or actual not in model.MANIFEST_TYPES | model.INDEX_TYPES:
        raise ManifestUnsupportedError(
            "manifest-unsupported",
            f"manifest of schemaVersion {fields.shown(document.get('schemaVersion'))} is {actual[:100]}, "
            f"expected {model.OCI_MANIFEST} or one of its kin",
            hint="push with Docker 1.10 or later, skopeo or `understudy push`: they write schema 2",
        )
    reader = fields.Fields(document, "image manifest")
    subject = reader.mapping("subject", optional=True)
    annotations = reader.mapping("annotations", optional=True)
    manifest = Manifest(
        raw=raw,
        media_type=actual,
        artifact_type=reader.text("artifactType"),
        subject=_digest(subject) if subject else None,
        annotations={key: str(value) for key, value in annotations.items()},
    )
    if manifest.is_index:
        return replace(manifest, children=tuple(_digest(each) for each in reader.mappings("manifests")))
    config = reader.mapping("config")
    config_type = fields.Fields(config, "image manifest config").text("mediaType", required=True)
    layers = [each for each in reader.mappings("layers") if not _is_elsewhere(each)]
    return replace(
        manifest,
        config_type=config_type,
        artifact_type=manifest.artifact_type or config_type,
        blobs=tuple(dict.fromkeys([_digest(config), *(_digest(each) for each in layers)])),
    )


def _digest(descriptor: Mapping[str, Any]) -> str:
    return digests.parse(fields.Fields(descriptor, "image manifest descriptor").text("digest"))


def _is_elsewhere(layer: Mapping[str, Any]) -> bool:
    """Foreign layers are fetched from their own URLs and never uploaded (image spec, "Descriptors")."""
    media_type = str(layer.get("mediaType", ""))
    return bool(layer.get("urls")) and (_FOREIGN in media_type or _NONDISTRIBUTABLE in media_type)
