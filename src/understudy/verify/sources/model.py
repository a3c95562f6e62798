"""An image wherever it is: its documents, and its blobs to be read when somebody wants them."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Protocol

from understudy.errors import UnderstudyError
from understudy.image.model import Image, ImageIndex


class ImageNotFoundError(UnderstudyError):
    """A reference leads to no image."""


class ImageUnreadableError(UnderstudyError):
    """Something is there, and it is no image that this program can read."""


class Blobs(Protocol):
    """Content by digest."""

    def open_blob(self, digest: str) -> BinaryIO:
        """Returns the blob open at its start, able to seek; the caller closes it.

        Raises:
            UnderstudyError: it is not there.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSource:
    """One image that is open for reading.

    Attributes:
        reference: how the user named it.
        image: manifest and config; of an index, those of the wanted platform, else of the only one.
        index: the index that the reference leads to; `None` when it leads to an image manifest.
        blobs: where its layers are.
        exported: whether the manifest was made up from an export (`docker save`): digests and sizes of layers
            are then not those that a registry will show.
        trusted: whether the place vouches for the content under a digest, so that it is not hashed again.
    """

    reference: str
    image: Image
    index: ImageIndex | None
    blobs: Blobs
    exported: bool = False
    trusted: bool = False

    def open_blob(self, digest: str) -> BinaryIO:
        """Returns a blob of the image open at its start, able to seek; the caller closes it.

        Raises:
            UnderstudyError: it is not there.
        """
        return self.blobs.open_blob(digest)


class _Remembered:
    """Blobs whose open files end with a context."""

    def __init__(self, blobs: Blobs, stack: contextlib.ExitStack) -> None:
        self._blobs = blobs
        self._stack = stack

    def open_blob(self, digest: str) -> BinaryIO:
        """Returns the blob open for reading.

        Raises:
            UnderstudyError: it is not there.
        """
        blob = self._blobs.open_blob(digest)
        self._stack.callback(blob.close)
        return blob


@contextlib.contextmanager
def closing(source: ImageSource) -> Iterator[ImageSource]:
    """Yields `source` and closes at the end every blob that was opened through it."""
    with contextlib.ExitStack() as stack:
        yield replace(source, blobs=_Remembered(source.blobs, stack))
