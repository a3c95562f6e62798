"""Artifacts that are attached to an image: OCI manifests with a subject, and the index that lists them.

Pure. A referrer names the image that it is about and never changes it: the image keeps its digest. Refuses
artifacts without a type, because a reader finds them by type alone.

OCI image spec 1.1, "Guidelines for Artifact Usage"; distribution spec 1.1, "Listing Referrers" and
"Referrers Tag Schema".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from understudy.image import digests, fields, model, render
from understudy.image.model import Descriptor, ImageManifest

EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
EMPTY = b"{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A manifest that is attached to an image.

    Attributes:
        manifest: what is stored and pushed; its layers are the artifact's content.
        artifact_type: what kind of thing it is.
        subject: the image that it is about.
        annotations: of the manifest; they are in the index too, so that a reader need not fetch each.
    """

    manifest: ImageManifest
    artifact_type: str
    subject: Descriptor
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of the manifest."""
        return self.manifest.digest

    @property
    def entry(self) -> "Entry":
        """How an index lists it."""
        descriptor = Descriptor(
            media_type=self.manifest.media_type,
            digest=self.digest,
            size_bytes=len(self.manifest.raw),
            annotations=self.annotations,
        )
        return Entry(descriptor=descriptor, artifact_type=self.artifact_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a list of referrers."""

    descriptor: Descriptor
    artifact_type: str

    @property
    def digest(self) -> str:
        """The digest of the artifact's manifest."""
        return self.descriptor.digest


def artifact(
    subject: Descriptor,
    artifact_type: str,
    layers: Sequence[Descriptor],
    annotations: Mapping[str, str] | None = None,
) -> Artifact:
    """Returns an artifact about `subject`; equal arguments give equal bytes.

    The config is the empty one: the bytes `EMPTY`, which have to be stored and pushed as well.
    """
    config = Descriptor(media_type=EMPTY_TYPE, digest=digests.of(EMPTY), size_bytes=len(EMPTY))
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": model.OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": render.descriptor_fields(config),
        "layers": [render.descriptor_fields(layer) for layer in layers],
        "subject": render.descriptor_fields(subject),
    }
    if annotations:
        document["annotations"] = dict(annotations)
    return parse(render.document(document))


def parse(raw: bytes) -> Artifact:
    """Returns the artifact in `raw`.

    Raises:
        DocumentInvalidError: it is attached to nothing, or a field is missing or malformed.
        MediaTypeUnsupportedError: it is no image manifest.
    """
    what = "artifact manifest"
    manifest = model.parse_manifest(raw)
    reader = fields.Fields(fields.document(raw, what), what)
    subject = reader.mapping("subject")
    annotations = reader.mapping("annotations", optional=True)
    return Artifact(
        manifest=manifest,
        # Where no type is written, the config's is the artifact's (image spec, manifest.md).
        artifact_type=reader.text("artifactType") or manifest.config.media_type,
        subject=_descriptor(subject, what),
        annotations={str(key): str(value) for key, value in annotations.items()},
    )


def tag_of(digest: str) -> str:
    """The tag whose index lists the referrers of `digest` where a registry cannot list them itself."""
    return digest.replace(":", "-", 1)


def subject_of(tag: str) -> str:
    """The digest whose referrers the index under `tag` lists; empty when the tag is an ordinary one."""
    digest = tag.replace("-", ":", 1)
    return digest if digests.is_digest(digest) else ""


def index(entries: Iterable[Entry]) -> bytes:
    """Returns the index of these referrers; the same entries in any order give the same bytes."""
    listed = sorted(entries, key=lambda entry: entry.digest)
    manifests = [
        {**render.descriptor_fields(entry.descriptor), "artifactType": entry.artifact_type}
        for entry in listed
    ]
    return render.document({"schemaVersion": 2, "mediaType": model.OCI_INDEX, "manifests": manifests})


def parse_index(raw: bytes) -> tuple[Entry, ...]:
    """Returns the entries of an index of referrers.

    Raises:
        DocumentInvalidError: a field is missing or malformed.
    """
    what = "referrers index"
    reader = fields.Fields(fields.document(raw, what), what)
    return tuple(
        Entry(
            descriptor=_descriptor(item, what), artifact_type=fields.Fields(item, what).text("artifactType")
        )
        for item in reader.mappings("manifests", optional=True)
    )


def _descriptor(data: Mapping[str, Any], what: str) -> Descriptor:
    reader = fields.Fields(data, f"{what} descriptor")
    annotations = reader.mapping("annotations", optional=True)
    return Descriptor(
        media_type=reader.text("mediaType", required=True),
        digest=digests.parse(reader.text("digest")),
        size_bytes=reader.number("size"),
        annotations={str(key): str(value) for key, value in annotations.items()},
    )
