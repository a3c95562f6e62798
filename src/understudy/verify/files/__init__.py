"""The flattened file system of an image, read from its layers without extracting them."""

from understudy.verify.files.load import Loaded, OpenBlob, learn, load
from understudy.verify.files.tree import FileTree

__all__ = ["FileTree", "Loaded", "OpenBlob", "learn", "load"]
