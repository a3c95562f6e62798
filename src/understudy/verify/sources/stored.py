"""Images of the project's own store: by tag, by digest, or by the first digits of a digest."""

import re
from pathlib import Path

from understudy.image import digests, fields
from understudy.image.store import Store
from understudy.verify.sources import documents
from understudy.verify.sources.model import ImageNotFoundError, ImageSource

_PREFIX = re.compile(r"(?:sha256:)?([0-9a-f]{8,64})")


def find(store: Store, name: str) -> str | None:
    """Returns the digest that `name` means in the store, `None` when it means nothing there.

    Raises:
        ImageNotFoundError: the first digits fit several images.
    """
    tags = store.tags()
    for tag in (name, f"{name}:latest"):
        if tag in tags:
            return tags[tag]
    digits = _PREFIX.fullmatch(name)
    if digits is None:
        return None
    found = sorted(path.name for path in _blobs(store, digits[1]))
    if len(found) > 1:
        raise ImageNotFoundError(
            "digest-ambiguous",
            f"{name} is the start of {len(found)} images: {', '.join(item[:16] for item in found[:5])}",
            hint=f"write more digits, as in sha256:{found[0][: len(digits[1]) + 8]}",
            where=str(store.root),
        )
    return f"sha256:{found[0]}" if found else None


def open_stored(store: Store, name: str, digest: str, platform: str) -> ImageSource:
    """Returns the stored image `digest`, named `name` by the user.

    Raises:
        UnderstudyError: a document is missing or damaged.
    """
    index, image = documents.load(store, digests.parse(digest), platform)
    return ImageSource(reference=name, image=image, index=index, blobs=store, trusted=True)


def _blobs(store: Store, digits: str) -> list[Path]:
    folder = store.root / "blobs" / "sha256"
    return [path for path in folder.glob(f"{digits}*") if _is_image(path)]


def _is_image(path: Path) -> bool:
    try:
        if path.stat().st_size > fields.DOCUMENT_LIMIT_BYTES:
            return False
        with path.open("rb") as file:
            return file.read(1) == b"{" and documents.is_manifest(b"{" + file.read())
    except FileNotFoundError:
        return False
