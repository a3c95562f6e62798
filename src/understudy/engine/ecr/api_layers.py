"""ECR operations on layers: what is here, where to fetch it, and uploads in parts."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from understudy.engine.ecr import errors
from understudy.engine.ecr.api_repositories import registry_of
from understudy.engine.ecr.model import Registry, Repository
from understudy.engine.ecr.repositories import Repositories
from understudy.engine.ecr.uploads import OffsetError, Uploads
from understudy.engine.protocol import ApiError, Call, Operation
from understudy.image import digests
from understudy.image.store import DigestMismatchError

_PART_BYTES = 20 * 1024 * 1024
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True, slots=True)
class LayerOperations:
    """Operations by name."""

    repositories: Repositories
    uploads: Uploads
    port: int

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations of this part of the API."""
        return {
            "BatchCheckLayerAvailability": self.check,
            "GetDownloadUrlForLayer": self.download_url,
            "InitiateLayerUpload": self.initiate,
            "UploadLayerPart": self.upload_part,
            "CompleteLayerUpload": self.complete,
        }

    def _get(self, call: Call) -> Repository:
        return self.repositories.get(registry_of(call), call.params["repositoryName"])

    async def check(self, call: Call) -> dict[str, Any]:
        """BatchCheckLayerAvailability."""
        repository = self._get(call)
        layers, failures = [], []
        for digest in call.params["layerDigests"]:
            if not digests.is_digest(digest):
                reason = f"Invalid layer digest '{digest}'"
                failures.append(
                    {"layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason}
                )
                continue
            if not self.repositories.has_blob(repository, digest):
                layers.append({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"})
                continue
            size = self.repositories.store.size(digest)
            available = {"layerAvailability": "AVAILABLE", "layerSize": size, "mediaType": _LAYER_TYPE}
            layers.append({"layerDigest": digest, **available})
        return {"layers": layers, "failures": failures}

    async def download_url(self, call: Call) -> dict[str, Any]:
        """GetDownloadUrlForLayer: the blob's address in the registry protocol."""
        repository, digest = self._get(call), call.params["layerDigest"]
        if not digests.is_digest(digest) or not self.repositories.has_blob(repository, digest):
            raise errors.layer_not_found(repository, digest)
        # Loopback host names mean the default registry; any other is only found under its own name.
        is_default = repository.registry == Registry()
        host = call.host if is_default else repository.registry.host(self.port)
        return {
            "downloadUrl": f"http://{host}/v2/{repository.name}/blobs/{digest}",
            "layerDigest": digest,
        }

    async def initiate(self, call: Call) -> dict[str, Any]:
        """InitiateLayerUpload."""
        return {"uploadId": await self.uploads.start(self._get(call)), "partSize": _PART_BYTES}

    async def upload_part(self, call: Call) -> dict[str, Any]:
        """UploadLayerPart; parts arrive in order, without gaps."""
        repository, params = self._get(call), call.params
        upload_id, first, last = params["uploadId"], params["partFirstByte"], params["partLastByte"]
        part = params["layerPartBlob"]
        offset = await self.uploads.offset(repository, upload_id)
        if len(part) != last - first + 1:
            raise _invalid_part(repository, upload_id, offset)
        try:
            offset = await self.uploads.append(repository, upload_id, _once(part), first_byte=first)
        except OffsetError as exc:
            raise _invalid_part(repository, upload_id, exc.offset) from exc
        return {**_upload(repository, upload_id), "lastByteReceived": offset - 1}

    async def complete(self, call: Call) -> dict[str, Any]:
        """CompleteLayerUpload."""
        repository, upload_id = self._get(call), call.params["uploadId"]
        expected = call.params["layerDigests"][0]
        if await self.uploads.offset(repository, upload_id) == 0:
            raise ApiError(
                "EmptyUploadException", f"The upload with id '{upload_id}' contains no layer parts"
            )
        if not digests.is_digest(expected):
            raise errors.invalid_parameter("layerDigests", f"'{expected}' is not a sha256 digest")
        if self.repositories.tables.linked(repository, expected) and self.repositories.store.has(expected):
            await self.uploads.cancel(repository, upload_id)
            raise ApiError(
                "LayerAlreadyExistsException",
                f"Layer with digest '{expected}' already exists in the repository with name "
                f"'{repository.name}' in registry with id '{repository.registry.account_id}'",
            )
        try:
            await self.uploads.commit(repository, upload_id, expected)
        except DigestMismatchError as exc:
            raise ApiError(
                "InvalidLayerException", f"Layer digest '{expected}' is wrong: {exc.message}"
            ) from exc
        return {**_upload(repository, upload_id), "layerDigest": expected}


def _upload(repository: Repository, upload_id: str) -> dict[str, Any]:
    return {
        "registryId": repository.registry.account_id,
        "repositoryName": repository.name,
        "uploadId": upload_id,
    }


def _invalid_part(repository: Repository, upload_id: str, offset: int) -> ApiError:
    return ApiError(
        "InvalidLayerPartException",
        f"Invalid layer part upload for upload with id '{upload_id}' in the repository with name "
        f"'{repository.name}' in the registry with id '{repository.registry.account_id}'",
        fields={**_upload(repository, upload_id), "lastValidByteReceived": max(offset - 1, 0)},
    )


async def _once(part: bytes) -> AsyncIterator[bytes]:
    yield part
