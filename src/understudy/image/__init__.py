"""Images without a daemon: OCI documents, the store, layers, registries and the Dockerfile builder.

Knows nothing of Lambda beyond what an image must be; running one is the sandbox's.
"""

from understudy.image.model import Descriptor, Image, ImageConfig, ImageManifest
from understudy.image.reference import Ref
from understudy.image.store import BlobWriter, Store

__all__ = ["BlobWriter", "Descriptor", "Image", "ImageConfig", "ImageManifest", "Ref", "Store"]
