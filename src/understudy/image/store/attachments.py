"""Artifacts that are attached to images of a store: kept as long as their image is, found by its digest.

The list of an image's artifacts is the index that OCI's referrers tag schema describes, under the tag
``sha256-HEX``, so skopeo and oras find it too. Refuses to keep an image alive because something is attached.
"""

from collections.abc import Callable, Mapping, Sequence

from understudy.image import digests, locks, model, referrers
from understudy.image.model import Descriptor
from understudy.image.referrers import Artifact, Entry
from understudy.image.store.blobs import BlobMissingError
from understudy.image.store.layout import Store, TagUnknownError


def attach(
    store: Store,
    subject: str,
    artifact_type: str,
    content: Sequence[tuple[str, bytes]],
    *,
    annotations: Mapping[str, str] | None = None,
    replaces: Callable[[Entry], bool] = lambda _: False,
) -> Artifact:
    """Returns the artifact that is now attached to the image `subject`.

    Args:
        store: it holds the image.
        subject: digest of the image.
        artifact_type: what the artifact is.
        content: media type and bytes of each layer.
        annotations: what a reader finds in the list of referrers.
        replaces: whether an artifact that was attached before gives way to this one.

    Raises:
        BlobMissingError: the store does not hold the image.
    """
    raw = store.read(subject)
    about = Descriptor(media_type=model.media_type_of(raw), digest=subject, size_bytes=len(raw))
    with store.session(), locks.exclusive(store.root / "referrers.lock"):
        layers = [
            Descriptor(media_type=media_type, digest=store.put(data), size_bytes=len(data))
            for media_type, data in content
        ]
        store.put(referrers.EMPTY)
        made = referrers.artifact(about, artifact_type, layers, annotations)
        store.put_image(made.manifest)
        kept = [entry for entry in attached(store, subject) if not replaces(entry)]
        entries = {entry.digest: entry for entry in (*kept, made.entry)}
        store.tag(referrers.tag_of(subject), store.put(referrers.index(entries.values())))
    return made


def attached(store: Store, subject: str, artifact_type: str = "") -> tuple[Entry, ...]:
    """Returns what is attached to the image `subject`, of one type or of all."""
    try:
        raw = store.read(store.resolve(referrers.tag_of(digests.parse(subject))))
    except (TagUnknownError, BlobMissingError):
        return ()
    entries = referrers.parse_index(raw)
    return tuple(entry for entry in entries if artifact_type in ("", entry.artifact_type))


def artifact(store: Store, digest: str) -> Artifact:
    """Returns the artifact with this digest.

    Raises:
        BlobMissingError: the store does not hold it.
        DocumentInvalidError: it is attached to nothing.
    """
    return referrers.parse(store.read(digest))


def prune(store: Store) -> int:
    """Forgets the artifacts of images that the store no longer holds; returns of how many images."""
    orphaned = [
        tag for tag in store.tags() if (subject := referrers.subject_of(tag)) and not store.has(subject)
    ]
    for tag in orphaned:
        store.untag(tag)
    return len(orphaned)
