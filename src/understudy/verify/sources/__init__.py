"""Images wherever they are: the store, OCI layouts, `docker save` archives, a Docker engine, a registry."""

from understudy.verify.sources.model import Blobs, ImageNotFoundError, ImageSource, ImageUnreadableError
from understudy.verify.sources.opening import DEFAULT_PLATFORM, Outside, open  # noqa: A004 - read as sources.open

__all__ = [
    "DEFAULT_PLATFORM",
    "Blobs",
    "ImageNotFoundError",
    "ImageSource",
    "ImageUnreadableError",
    "Outside",
    "open",
]
