"""Which kind of place a reference names."""

import contextlib
from collections.abc import Iterator

from understudy.image.store import Store
from understudy.verify.sources import stored
from understudy.verify.sources.model import ImageNotFoundError, ImageSource

DEFAULT_PLATFORM = "linux/amd64"


@contextlib.contextmanager
def open(reference: str, *, store: Store, platform: str = DEFAULT_PLATFORM) -> Iterator[ImageSource]:  # noqa: A001 - read as sources.open
    """Opens the image that `reference` names, for as long as the context lasts.

    Raises:
        UnderstudyError: there is no such image, or it cannot be read.
    """
    digest = stored.find(store, reference)
    if digest is None:
        raise ImageNotFoundError(
            "image-unknown", f"image {reference[:300]!r} is not known", hint="./understudy build"
        )
    yield stored.open_stored(store, reference, digest, platform)
