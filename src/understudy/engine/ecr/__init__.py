"""The service ``ecr``: repositories, images and layer uploads over the store, as AWS answers for them.

Digests are the store's own and bytes are kept as they came. Refuses to emulate what needs a scanner or
another account: such a call answers with a named error.
"""

from understudy.engine.ecr.model import (
    EcrImage,
    ImageRecord,
    ImageUriError,
    Registry,
    Repository,
    registry_of_host,
)
from understudy.engine.ecr.repositories import Repositories
from understudy.engine.ecr.service import EcrService
from understudy.engine.ecr.uploads import OffsetError, Uploads

__all__ = [
    "EcrImage",
    "EcrService",
    "ImageRecord",
    "ImageUriError",
    "OffsetError",
    "Registry",
    "Repositories",
    "Repository",
    "Uploads",
    "registry_of_host",
]
