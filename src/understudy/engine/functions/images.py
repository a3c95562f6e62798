"""Images of functions: checked when a function is created or updated, prepared while it is `Pending`.

What AWS checks at once (the image exists, one manifest with layers that Lambda can use) is `resolve`; what
takes time (layers extracted, the size limit) is `prepare`. An image of another architecture is accepted here,
as on AWS, and fails at its first run.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from understudy.engine.ecr import EcrImage, ImageUriError
from understudy.engine.functions import errors
from understudy.engine.functions.model import Code, FunctionId
from understudy.errors import UnderstudyError
from understudy.image import rootfs
from understudy.image.model import Image
from understudy.image.rootfs import Rootfs
from understudy.image.store import Store

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: "10 GB (maximum uncompressed image
# size, including all layers)"; the error text says GiB.
MAXIMUM_BYTES = 10 * 1024**3
# Files are counted only when the layers, compressed, come to a tenth of the limit: code shrinks three times.
_WORTH_COUNTING = 10

_LAMBDA = "lambda.amazonaws.com"
_ARCHITECTURES: Mapping[str, str] = {"amd64": "x86_64", "arm64": "arm64"}


class ImageSource(Protocol):
    """The part of ECR that Lambda needs."""

    def resolve_image(self, uri: str) -> EcrImage:
        """The image that `uri` names at this moment."""
        ...


class ImageUnusableError(UnderstudyError):
    """An image that was accepted cannot be run.

    Attributes:
        reason_code: `InvalidImage` or `InternalError`, as in StateReasonCode.
    """

    def __init__(
        self,
        reason_code: str,
        message: str,
        *,
        hint: str = "build and push the image again, then update the function",
    ) -> None:
        super().__init__("lambda-image-unusable", message, hint=hint)
        self.reason_code = reason_code


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedImage:
    """An image ready to be run."""

    image: Image
    rootfs: Rootfs

    @property
    def architecture(self) -> str:
        """The image's architecture in Lambda's words."""
        own = self.image.config.architecture
        return _ARCHITECTURES.get(own, own)


class Images:
    """Resolves image URIs and keeps prepared images at hand."""

    def __init__(self, store: Store, source: ImageSource, *, limit_bytes: int = MAXIMUM_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._store = store
        self._source = source
        self._prepared: dict[str, PreparedImage] = {}

    def resolve(self, uri: str, architecture: str, function: FunctionId) -> Code:
        """The code that `function` has with this image URI.

        The image lies in the function's own region, and in its account or in a repository whose policy lets
        Lambda in (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html, "Amazon ECR permissions").

        Raises:
            ApiError: there is no such image, it is out of reach, or of a kind that Lambda does not take.
        """
        found = self._source.resolve_image(uri)
        if found.registry.region != function.region:
            raise ImageUriError(uri)
        if found.registry.account_id != function.account_id and _LAMBDA not in (found.policy or ""):
            raise errors.image_access_denied()
        return Code(
            image_uri=uri,
            resolved_uri=found.resolved_uri,
            digest=found.digest,
            architecture=architecture,
        )

    async def prepare(self, digest: str) -> PreparedImage:
        """The image with its layers extracted; extraction happens in a thread.

        Raises:
            ImageUnusableError: the image is gone, damaged or too large.
        """
        return await asyncio.to_thread(self.prepared, digest)

    def prepared(self, digest: str) -> PreparedImage:
        """As `prepare`, in the caller's thread; quick once the layers are extracted.

        Raises:
            ImageUnusableError: the image is gone, damaged or too large.
        """
        found = self._prepared.get(digest)
        # Unpacked layers are a cache that image collection may have emptied since.
        if found is None or not all(layer.is_dir() for layer in found.rootfs.layers):
            found = self._prepared[digest] = self._load(digest)
        return found

    def keep_only(self, digests: set[str]) -> None:
        """Drops what is kept of images that no function uses any more."""
        for digest in self._prepared.keys() - digests:
            del self._prepared[digest]

    def _load(self, digest: str) -> PreparedImage:
        try:
            image = self._store.image(digest)
            root = rootfs.prepare(self._store, digest)
        except UnderstudyError as exc:
            raise ImageUnusableError("InvalidImage", f"InvalidImage: {exc.message}") from exc
        except OSError as exc:
            raise ImageUnusableError(
                "InternalError",
                f"InternalError: the image cannot be unpacked here: {exc}",
                hint=f"make room under {self._store.root}, then update the function",
            ) from exc
        suspect = image.size_bytes * _WORTH_COUNTING > self._limit_bytes
        if suspect and _size(root.layers) > self._limit_bytes:
            raise ImageUnusableError(
                "InvalidImage",
                "InvalidImage(SizeLimitExceeded: Uncompressed container image size exceeds 10 GiB limit)",
            )
        return PreparedImage(image=image, rootfs=root)


def _size(layers: tuple[Path, ...]) -> int:
    return sum(path.lstat().st_size for layer in layers for path in layer.rglob("*") if not path.is_dir())
