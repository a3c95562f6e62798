"""File trees as OCI layers: written the same on every machine, read without trusting them.

Tar and gzip, whiteouts, ownership and the times Python's bytecode depends on. Refuses to mount anything, and
to decide what belongs into a layer.
"""

from understudy.image.layers.entries import Entry
from understudy.image.layers.tarformat import Kind
from understudy.image.layers.writer import write_layer

__all__ = ["Entry", "Kind", "write_layer"]
