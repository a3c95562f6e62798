"""From a digest to an image: manifest, config, and of an index the manifest for one platform.

Each document is compared with its digest. Accepts what Lambda would refuse - foreign layers, zstd, an index -
because to say so is what the rules are for.
"""

import json
from collections.abc import Sequence
from typing import BinaryIO, Final

from understudy.image import digests, fields, model
from understudy.image.fields import DocumentInvalidError
from understudy.image.model import Image, ImageIndex, ImageManifest, IndexEntry
from understudy.image.store import DigestMismatchError
from understudy.verify.sources.model import Blobs, ImageNotFoundError

_ATTESTATION: Final = "vnd.docker.reference.type"


def load(blobs: Blobs, digest: str, platform: str) -> tuple[ImageIndex | None, Image]:
    """Returns the image with this digest, and the index when that is what the digest names.

    Raises:
        UnderstudyError: a document is missing, damaged or of a foreign kind, or an index has no one manifest
            to choose.
    """
    raw = read(blobs, digest)
    index = None
    if model.media_type_of(raw) in model.INDEX_TYPES:
        index = model.parse_index(raw)
        raw = read(blobs, choose(index.manifests, platform, digest).descriptor.digest)
    manifest = model.parse_manifest(raw)
    config = model.parse_config(read(blobs, manifest.config.digest))
    return index, Image(manifest=manifest, config=config)


def read(blobs: Blobs, digest: str) -> bytes:
    """Returns a small document, compared with its digest.

    Raises:
        UnderstudyError: it is missing, too large, or not what its digest says.
    """
    with blobs.open_blob(digest) as blob:
        return checked(blob, digest)


def checked(blob: BinaryIO, digest: str) -> bytes:
    """Returns the document in `blob`, compared with its digest.

    Raises:
        DocumentInvalidError: it is too large.
        DigestMismatchError: it is another one.
    """
    raw = blob.read(fields.DOCUMENT_LIMIT_BYTES + 1)
    if len(raw) > fields.DOCUMENT_LIMIT_BYTES:
        raise fields.invalid("image document", f"it has more than {fields.DOCUMENT_LIMIT_BYTES} bytes")
    actual = digests.of(raw)
    if actual != digest:
        raise DigestMismatchError(
            "digest-mismatch",
            f"image document {digest} has content {actual}",
            hint="export or pull the image again: its files were changed",
        )
    return raw


def choose(entries: Sequence[IndexEntry], platform: str, what: str) -> IndexEntry:
    """Returns the manifest for `platform`, else the only one that is for any.

    Args:
        entries: of an index.
        platform: as ``linux/amd64``; a variant in an entry is no obstacle.
        what: names the index in an error.

    Raises:
        ImageNotFoundError: there are several, and none is for `platform`; or there is none at all.
    """
    images = [entry for entry in entries if not _is_attestation(entry)]
    for entry in images:
        offered = str(entry.platform or "")
        if offered == platform or offered.startswith(f"{platform}/"):
            return entry
    if len(images) == 1:
        return images[0]
    offers = ", ".join(sorted(str(entry.platform or "no platform") for entry in images)) or "nothing to run"
    raise ImageNotFoundError(
        "platform-missing",
        f"image {what} is not made for {platform}; it offers {offers}",
        hint=f"build it with --platform {platform}",
    )


def manifest_bytes(config: bytes, layers: Sequence[tuple[str, str, int]]) -> bytes:
    """Returns an image manifest for an export that has none.

    Args:
        config: the config's bytes.
        layers: media type, digest and size of each, bottom first.
    """
    document = {
        "schemaVersion": 2,
        "mediaType": model.OCI_MANIFEST,
        "config": {"mediaType": model.OCI_CONFIG, "digest": digests.of(config), "size": len(config)},
        "layers": [{"mediaType": kind, "digest": digest, "size": size} for kind, digest, size in layers],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def is_manifest(raw: bytes) -> bool:
    """Whether `raw` is an image manifest or an index."""
    try:
        parsed: ImageManifest | ImageIndex
        if model.media_type_of(raw) in model.INDEX_TYPES:
            parsed = model.parse_index(raw)
        else:
            parsed = model.parse_manifest(raw)
    except (DocumentInvalidError, model.MediaTypeUnsupportedError, digests.DigestInvalidError):
        return False
    return bool(parsed.raw)


def _is_attestation(entry: IndexEntry) -> bool:
    if entry.descriptor.annotations.get(_ATTESTATION):
        return True
    return entry.platform is not None and entry.platform.architecture == "unknown"
