"""OCI image layouts: a directory, or the same files inside a tar archive."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from understudy.image import digests, fields, model
from understudy.image.model import Descriptor, IndexEntry
from understudy.verify.sources import documents
from understudy.verify.sources.model import Blobs, ImageNotFoundError, ImageSource, ImageUnreadableError

_REF_NAMES: Final = ("org.opencontainers.image.ref.name", "io.containerd.image.name")


class LayoutDirectory:
    """Blobs in ``blobs/sha256`` below a directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open_blob(self, digest: str) -> BinaryIO:
        """Returns the blob open for reading.

        Raises:
            ImageUnreadableError: it is not there.
        """
        path = self.root / "blobs" / "sha256" / digests.hex_of(digest)
        try:
            return path.open("rb")
        except OSError as exc:
            raise missing(digest, str(path)) from exc


def is_layout(path: Path) -> bool:
    """Whether `path` is a directory with an OCI image layout."""
    return (path / "oci-layout").is_file() and (path / "index.json").is_file()


def open_directory(reference: str, root: Path, name: str, platform: str) -> ImageSource:
    """Returns the image `name` of the layout at `root`; any name will do when it holds one image.

    Raises:
        UnderstudyError: there is no layout, no such image, or a document is damaged.
    """
    try:
        raw = (root / "index.json").read_bytes()
    except OSError as exc:
        raise ImageUnreadableError(
            "layout-unreadable",
            f"{root} is no OCI image layout: index.json cannot be read ({exc.strerror})",
            hint=f"write one with: skopeo copy docker-daemon:NAME:TAG oci:{root}:latest",
            where=str(root),
        ) from exc
    return open_index(reference, raw, name, LayoutDirectory(root), platform)


def open_index(reference: str, raw: bytes, name: str, blobs: Blobs, platform: str) -> ImageSource:
    """Returns the image `name` of the layout whose ``index.json`` is `raw`.

    ``index.json`` only lists what the layout holds: it is not the index of an image.

    Raises:
        UnderstudyError: no such image, or a document is damaged.
    """
    entries = model.parse_index(raw, model.OCI_INDEX).manifests
    chosen = _choose(reference, entries, name, platform)
    index, image = documents.load(blobs, chosen.digest, platform)
    return ImageSource(reference=reference, image=image, index=index, blobs=blobs)


def document(open_file: Callable[[], BinaryIO], what: str) -> bytes:
    """Returns a small file whole.

    Raises:
        DocumentInvalidError: it is larger than any document.
    """
    with open_file() as file:
        raw = file.read(fields.DOCUMENT_LIMIT_BYTES + 1)
    if len(raw) > fields.DOCUMENT_LIMIT_BYTES:
        raise fields.invalid(what, f"it has more than {fields.DOCUMENT_LIMIT_BYTES} bytes")
    return raw


def missing(digest: str, where: str) -> ImageUnreadableError:
    """Returns the error for a blob that a layout or an archive names and does not hold."""
    return ImageUnreadableError(
        "blob-missing",
        f"blob {digest} is missing",
        hint="export the image again, complete",
        where=where,
    )


def _choose(reference: str, entries: Sequence[IndexEntry], name: str, platform: str) -> Descriptor:
    if name:
        for entry in entries:
            if name in _names(entry.descriptor) or entry.descriptor.digest == name:
                return entry.descriptor
        raise ImageNotFoundError(
            "image-unknown",
            f"{reference} holds no image {name!r}; it holds {_listed(entries)}",
            hint="write one of these names after the path, as in oci:DIR:NAME",
        )
    if len(entries) == 1:
        return entries[0].descriptor
    if not entries or len({item for entry in entries for item in _names(entry.descriptor)}) > 1:
        raise ImageNotFoundError(
            "image-ambiguous",
            f"{reference} holds {len(entries)} images: {_listed(entries)}",
            hint="write one of these names after the path, as in oci:DIR:NAME",
        )
    return documents.choose(entries, platform, reference).descriptor


def _names(descriptor: Descriptor) -> set[str]:
    return {text for key in _REF_NAMES if (text := descriptor.annotations.get(key))}


def _listed(entries: Sequence[IndexEntry]) -> str:
    names = sorted({min(_names(entry.descriptor), default=entry.descriptor.digest) for entry in entries})
    return ", ".join(names[:10]) or "nothing"
