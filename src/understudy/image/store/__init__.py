"""The content-addressed store: blobs by digest, tags, and the collection of what nothing needs.

An OCI image layout on disk that several processes share. Refuses to hold a blob in memory, and to know what
the bytes mean beyond manifests and configs.
"""

from understudy.image.store.blobs import BlobMissingError, BlobWriter, DigestMismatchError, UploadBusyError
from understudy.image.store.collect import GcReport
from understudy.image.store.layout import Store

__all__ = ["BlobMissingError", "BlobWriter", "DigestMismatchError", "GcReport", "Store", "UploadBusyError"]
