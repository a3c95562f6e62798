"""ECR operations on images: list, describe, fetch, put, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.engine.ecr import errors, manifests, pages
from understudy.engine.ecr.api_repositories import registry_of, timestamp
from understudy.engine.ecr.model import TAG, ImageRecord, Repository
from understudy.engine.ecr.repositories import Repositories
from understudy.engine.protocol import ApiError, Call, Operation
from understudy.image import digests

_NOT_FOUND = "Requested image not found"


@dataclass(frozen=True, slots=True)
class ImageOperations:
    """Operations by name."""

    repositories: Repositories

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations of this part of the API."""
        return {
            "DescribeImages": self.describe,
            "ListImages": self.list_ids,
            "BatchGetImage": self.batch_get,
            "BatchDeleteImage": self.batch_delete,
            "PutImage": self.put,
            "DescribeImageScanFindings": self.scan_findings,
            "ListImageReferrers": self.referrers,
        }

    def _get(self, call: Call) -> Repository:
        return self.repositories.get(registry_of(call), call.params["repositoryName"])

    async def describe(self, call: Call) -> dict[str, Any]:
        """DescribeImages, newest first."""
        repository, wanted = self._get(call), call.params.get("imageIds")
        if wanted:
            if "maxResults" in call.params or "nextToken" in call.params:
                raise errors.invalid_parameter("maxResults", "cannot be used when imageIds is specified")
            found = {each.digest: each for each in (self._find(repository, image_id) for image_id in wanted)}
            return {"imageDetails": [_detail(repository, each) for each in found.values()]}
        images = [each for each in self.repositories.images(repository) if _is_asked_for(each, call.params)]
        page = pages.page(images, lambda each: each.digest, call.params)
        return page.output("imageDetails", lambda each: _detail(repository, each))

    async def list_ids(self, call: Call) -> dict[str, Any]:
        """ListImages: one identifier per tag, and one per untagged image."""
        repository = self._get(call)
        images = [each for each in self.repositories.images(repository) if _is_asked_for(each, call.params)]
        ids = [(each.digest, tag) for each in images for tag in each.tags or ("",)]
        page = pages.page(ids, "@".join, call.params)
        return page.output("imageIds", lambda each: _image_id(*each))

    async def batch_get(self, call: Call) -> dict[str, Any]:
        """BatchGetImage: manifests as they were pushed."""
        repository, accepted = self._get(call), call.params.get("acceptedMediaTypes")
        images, failures = [], []
        for image_id in call.params["imageIds"]:
            record = self._select(repository, image_id)
            if isinstance(record, ImageRecord) and accepted and record.media_type not in accepted:
                reason = f"{_NOT_FOUND} with one of the media types {', '.join(accepted)}"
                record = _failure(image_id, "ImageNotFound", reason)
            if isinstance(record, dict):
                failures.append(record)
                continue
            self.repositories.record_pull(repository, record)
            images.append(self._image(repository, record, image_id.get("imageTag")))
        return {"images": images, "failures": failures}

    async def batch_delete(self, call: Call) -> dict[str, Any]:
        """BatchDeleteImage: by digest the image, by tag the tag, and with its last tag the image.

        Indexes go before what they reference, whatever the order asked for.
        """
        repository = self._get(call)
        gone: list[dict[str, str]] = []
        failures: list[dict[str, Any]] = []
        wanted: Sequence[Mapping[str, str]] = call.params["imageIds"]
        for image_id in sorted(wanted, key=lambda each: not self._is_index(repository, each)):
            record = self._select(repository, image_id)
            if isinstance(record, dict):
                failures.append(record)
                continue
            removed = await self._delete(repository, record, image_id)
            if isinstance(removed, dict):
                failures.append(removed)
            else:
                gone += removed
        return {"imageIds": gone, "failures": failures}

    async def _delete(
        self, repository: Repository, record: ImageRecord, image_id: Mapping[str, str]
    ) -> list[dict[str, str]] | dict[str, Any]:
        """Returns the identifiers that are gone, or the failure."""
        tag = image_id.get("imageTag")
        if tag and "imageDigest" not in image_id and record.tags != (tag,):
            self.repositories.untag(repository, tag)
            return [_image_id(record.digest, tag)]
        parents = self.repositories.referencing(repository, record.digest)
        if parents:
            reason = f"Requested image referenced by manifest list: [{', '.join(parents)}]"
            return _failure(image_id, "ImageReferencedByManifestList", reason)
        await self.repositories.delete_images(repository, [record.digest])
        return [_image_id(record.digest, each) for each in record.tags or ("",)]

    async def put(self, call: Call) -> dict[str, Any]:
        """PutImage."""
        repository, params = self._get(call), call.params
        tag, raw = params.get("imageTag"), params["imageManifest"].encode()
        if tag and TAG.fullmatch(tag) is None:
            raise errors.invalid_parameter("imageTag", f"must satisfy regular expression '{TAG.pattern}'")
        computed = digests.of(raw)
        if params.get("imageDigest", computed) != computed:
            raise errors.digest_mismatch(params["imageDigest"], computed)
        manifest = self.repositories.admit(repository, raw, params.get("imageManifestMediaType"))
        known = self.repositories.tables.images(repository, computed)
        if known and (tag is None or tag in known[0].tags):
            raise errors.image_exists(repository, digest=computed, tag=tag)
        record = await self.repositories.put_image(repository, manifest, tag)
        return {"image": self._image(repository, record, tag, raw)}

    async def scan_findings(self, call: Call) -> dict[str, Any]:
        """DescribeImageScanFindings: nothing here scans, so every existing image has no scan."""
        repository, image_id = self._get(call), call.params["imageId"]
        self._find(repository, image_id)
        raise errors.scan_not_found(
            repository, digest=image_id.get("imageDigest"), tag=image_id.get("imageTag")
        )

    async def referrers(self, call: Call) -> dict[str, Any]:
        """ListImageReferrers."""
        repository, subject = self._get(call), call.params["subjectId"]["imageDigest"]
        wanted = (call.params.get("filter") or {}).get("artifactTypes")
        found = [self._referrer(each) for each in self.repositories.referrers(repository, subject)]
        kept = [each for each in found if not wanted or each["artifactType"] in wanted]
        page = pages.page(kept, lambda each: str(each["digest"]), call.params)
        return page.output("referrers", lambda each: each)

    def _referrer(self, record: ImageRecord) -> dict[str, Any]:
        raw = self.repositories.store.read(record.digest)
        manifest = manifests.parse(raw, record.media_type)
        return {
            "digest": record.digest,
            "mediaType": record.media_type,
            "artifactType": manifest.artifact_type,
            "size": len(raw),
            "annotations": dict(manifest.annotations),
            "artifactStatus": "ACTIVE",
        }

    def _find(self, repository: Repository, image_id: Mapping[str, str]) -> ImageRecord:
        return self.repositories.find(
            repository, digest=image_id.get("imageDigest"), tag=image_id.get("imageTag")
        )

    def _is_index(self, repository: Repository, image_id: Mapping[str, str]) -> bool:
        record = self._select(repository, image_id)
        return isinstance(record, ImageRecord) and bool(record.children)

    def _select(self, repository: Repository, image_id: Mapping[str, str]) -> ImageRecord | dict[str, Any]:
        """Returns the image, or the failure that a batch operation reports for it."""
        digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
        if not digest and not tag:
            reason = "Invalid request parameters: both tag and digest cannot be null"
            return _failure(image_id, "MissingDigestAndTag", reason)
        if digest and not digests.is_digest(digest):
            reason = "Invalid request parameters: image digest should satisfy the regex "
            return _failure(image_id, "InvalidImageDigest", reason + "'[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")
        try:
            return self._find(repository, image_id)
        except ApiError:
            if digest and tag and self.repositories.tables.images(repository, digest):
                reason = f"Requested image tag '{tag}' does not match image digest '{digest}'"
                return _failure(image_id, "ImageTagDoesNotMatchDigest", reason)
            return _failure(image_id, "ImageNotFound", _NOT_FOUND)

    def _image(
        self, repository: Repository, record: ImageRecord, tag: str | None, raw: bytes | None = None
    ) -> dict[str, Any]:
        document = raw if raw is not None else self.repositories.store.read(record.digest)
        return {
            "registryId": repository.registry.account_id,
            "repositoryName": repository.name,
            "imageId": _image_id(record.digest, tag or ""),
            "imageManifest": document.decode(),
            "imageManifestMediaType": record.media_type,
        }


def _image_id(digest: str, tag: str) -> dict[str, str]:
    return {"imageDigest": digest, "imageTag": tag} if tag else {"imageDigest": digest}


def _failure(image_id: Mapping[str, str], code: str, reason: str) -> dict[str, Any]:
    return {"imageId": dict(image_id), "failureCode": code, "failureReason": reason}


def _is_asked_for(record: ImageRecord, params: Mapping[str, Any]) -> bool:
    chosen = params.get("filter") or {}
    status = chosen.get("tagStatus", "ANY")
    if chosen.get("imageStatus", "ANY") not in ("ANY", "ACTIVE"):
        return False
    return bool(status == "ANY" or (status == "TAGGED") == bool(record.tags))


def _detail(repository: Repository, record: ImageRecord) -> dict[str, Any]:
    optional = {
        "imageTags": list(record.tags),
        "artifactMediaType": record.artifact_type,
        "lastRecordedPullTime": timestamp(record.pulled_at) if record.pulled_at else None,
        "subjectManifestDigest": record.subject,
    }
    return {
        "registryId": repository.registry.account_id,
        "repositoryName": repository.name,
        "imageDigest": record.digest,
        "imageSizeInBytes": record.size_bytes,
        "imagePushedAt": timestamp(record.pushed_at),
        "imageManifestMediaType": record.media_type,
        "imageStatus": "ACTIVE",
        **{name: value for name, value in optional.items() if value},
    }
