"""Buckets of S3: each setting is an operation of its own, listed in one table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource
from understudy.reconcile import convert
from understudy.reconcile.aws import Aws
from understudy.reconcile.errors import AwsError
from understudy.reconcile.manager import ResourceManager, text, touched
from understudy.reconcile.model import Change, ObservedResource

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Operation = Callable[..., Any]

_DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """How one setting is read and written.

    Attributes:
        get: operation that reads it.
        put: operation that writes it.
        member: member of `put` that holds the value.
        answer: member of the answer that holds it; None where the answer itself does.
    """

    get: Callable[["S3Client"], Operation]
    put: Callable[["S3Client"], Operation]
    member: str
    answer: str | None = None


# Versioning stands before what may need it (NOTES 2.2).
_SETTINGS: Mapping[str, _Setting] = {
    "versioning": _Setting(
        get=lambda s3: s3.get_bucket_versioning,
        put=lambda s3: s3.put_bucket_versioning,
        member="VersioningConfiguration",
    ),
    "publicAccessBlock": _Setting(
        get=lambda s3: s3.get_public_access_block,
        put=lambda s3: s3.put_public_access_block,
        member="PublicAccessBlockConfiguration",
        answer="PublicAccessBlockConfiguration",
    ),
    "ownershipControls": _Setting(
        get=lambda s3: s3.get_bucket_ownership_controls,
        put=lambda s3: s3.put_bucket_ownership_controls,
        member="OwnershipControls",
        answer="OwnershipControls",
    ),
    "encryption": _Setting(
        get=lambda s3: s3.get_bucket_encryption,
        put=lambda s3: s3.put_bucket_encryption,
        member="ServerSideEncryptionConfiguration",
        answer="ServerSideEncryptionConfiguration",
    ),
    "policy": _Setting(
        get=lambda s3: s3.get_bucket_policy,
        put=lambda s3: s3.put_bucket_policy,
        member="Policy",
        answer="Policy",
    ),
    "cors": _Setting(
        get=lambda s3: s3.get_bucket_cors, put=lambda s3: s3.put_bucket_cors, member="CORSConfiguration"
    ),
    "lifecycle": _Setting(
        get=lambda s3: s3.get_bucket_lifecycle_configuration,
        put=lambda s3: s3.put_bucket_lifecycle_configuration,
        member="LifecycleConfiguration",
    ),
    "notification": _Setting(
        get=lambda s3: s3.get_bucket_notification_configuration,
        put=lambda s3: s3.put_bucket_notification_configuration,
        member="NotificationConfiguration",
    ),
    "tagging": _Setting(
        get=lambda s3: s3.get_bucket_tagging, put=lambda s3: s3.put_bucket_tagging, member="Tagging"
    ),
}


class BucketManager(ResourceManager):
    """Kind Bucket, found by its name."""

    supported: ClassVar[frozenset[str]] = frozenset(
        ["name", "acl", "createBucketConfiguration", "objectLockEnabledForBucket", *_SETTINGS]
    )
    immutable: ClassVar[frozenset[str]] = frozenset({"objectLockEnabledForBucket"})
    holds_data: ClassVar[bool] = True

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The bucket with the settings that the manifest mentions.

        Raises:
            UnderstudyError: the name belongs to somebody else.
        """
        name = text(desired.spec, "name")
        try:
            found = aws.find(aws.s3().head_bucket, Bucket=name)
        except AwsError as exc:
            if exc.status == 403:
                raise UnderstudyError(
                    "bucket-taken",
                    f"bucket name {name} belongs to another account, or access is denied",
                    hint="choose another spec.name: bucket names are global",
                    where=desired.where,
                ) from exc
            raise
        if found is None:
            return None
        spec = {
            **{
                name: desired.spec[name] for name in self.supported - _SETTINGS.keys() if name in desired.spec
            },
            **{
                name: self._read(aws, text(desired.spec, "name"), name)
                for name in _SETTINGS
                if name in desired.spec
            },
        }
        return ObservedResource(key=desired.key, spec=spec, status={"arn": f"arn:aws:s3:::{name}"})

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the bucket in the region of the access, then its settings."""
        params = convert.create_params("Bucket", desired.spec)
        if aws.access.region != _DEFAULT_REGION:
            place = params.setdefault("CreateBucketConfiguration", {})
            place.setdefault("LocationConstraint", aws.access.region)
        aws.call(aws.s3().create_bucket, **params)
        self._write(aws, desired, frozenset(desired.spec))

    def update(
        self,
        aws: Aws,
        desired: DesiredResource,
        observed: ObservedResource,  # noqa: ARG002 - S3 replaces a setting whole
        changes: Sequence[Change],
    ) -> None:
        """Writes the settings that changed."""
        self._write(aws, desired, touched(changes))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the bucket with every object and version in it."""
        name, s3 = text(observed.spec, "name"), aws.s3()
        for page in aws.pages(s3.get_paginator("list_object_versions").paginate(Bucket=name)):
            marked = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in marked]
            if objects:
                aws.call(s3.delete_objects, Bucket=name, Delete={"Objects": objects, "Quiet": True})
        aws.find(s3.delete_bucket, Bucket=name)

    @staticmethod
    def _read(aws: Aws, bucket: str, name: str) -> Any:  # noqa: ANN401 - JSON of the setting
        setting = _SETTINGS[name]
        answer = aws.find(setting.get(aws.s3()), Bucket=bucket)
        if answer is None:
            return None
        return convert.read("Bucket", name, answer[setting.answer] if setting.answer else answer)

    @staticmethod
    def _write(aws: Aws, desired: DesiredResource, fields: frozenset[str]) -> None:
        bucket = text(desired.spec, "name")
        for name, setting in _SETTINGS.items():
            if name in fields and name in desired.spec:
                value = convert.value("Bucket", name, desired.spec[name])
                aws.call(setting.put(aws.s3()), Bucket=bucket, **{setting.member: value})
