"""Buckets of S3: each setting is an operation of its own, listed in one table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from understudy.errors import UnderstudyError
from understudy.manifests import ownership
from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile import convert, tags
from understudy.reconcile.aws import Aws
from understudy.reconcile.compare import SYSTEM_TAGS
from understudy.reconcile.errors import AwsError
from understudy.reconcile.manager import ResourceManager, items, mapping, text, touched
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
        delete: operation that takes it away; None where `put` of nothing does.
    """

    get: Callable[["S3Client"], Operation]
    put: Callable[["S3Client"], Operation]
    member: str
    answer: str | None = None
    delete: Callable[["S3Client"], Operation] | None = None


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
        delete=lambda s3: s3.delete_bucket_policy,
    ),
    "cors": _Setting(
        get=lambda s3: s3.get_bucket_cors,
        put=lambda s3: s3.put_bucket_cors,
        member="CORSConfiguration",
        delete=lambda s3: s3.delete_bucket_cors,
    ),
    "lifecycle": _Setting(
        get=lambda s3: s3.get_bucket_lifecycle_configuration,
        put=lambda s3: s3.put_bucket_lifecycle_configuration,
        member="LifecycleConfiguration",
        delete=lambda s3: s3.delete_bucket_lifecycle,
    ),
    "notification": _Setting(
        get=lambda s3: s3.get_bucket_notification_configuration,
        put=lambda s3: s3.put_bucket_notification_configuration,
        member="NotificationConfiguration",
    ),
    "logging": _Setting(
        get=lambda s3: s3.get_bucket_logging,
        put=lambda s3: s3.put_bucket_logging,
        member="BucketLoggingStatus",
    ),
    "tagging": _Setting(
        get=lambda s3: s3.get_bucket_tagging, put=lambda s3: s3.put_bucket_tagging, member="Tagging"
    ),
}
# What a bucket has none of unless somebody puts it there; left out of the manifest, it goes away. The other
# settings have defaults of AWS's that have changed before, or protect what is stored: left out, they stay.
_REMOVABLE = ("cors", "lifecycle", "logging", "notification", "policy")
_ACL = "AWS reports an ACL as grants only, so drift could not be told; write a policy"


class BucketManager(ResourceManager):
    """Kind Bucket, found by its name."""

    supported: ClassVar[frozenset[str]] = frozenset(
        ["name", "createBucketConfiguration", "objectLockEnabledForBucket", *_SETTINGS]
    )
    refused: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("acl", "grantFullControl", "grantRead", "grantReadACP", "grantWrite"), _ACL),
        "grantWriteACP": _ACL,
    }
    immutable: ClassVar[frozenset[str]] = frozenset(
        {"createBucketConfiguration", "objectLockEnabledForBucket"}
    )
    defaults: ClassVar[JsonMap] = dict.fromkeys(_REMOVABLE)
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
        self._check_region(aws, desired, found.get("BucketRegion"))
        kept = ("name", "createBucketConfiguration")
        spec: dict[str, Json] = {field: desired.spec[field] for field in kept if field in desired.spec}
        for setting in _SETTINGS:
            if setting in desired.spec or setting in _REMOVABLE:
                spec[setting] = self._read(aws, name, setting)
        if "objectLockEnabledForBucket" in desired.spec:
            spec["objectLockEnabledForBucket"] = self._locks(aws, name)
        return ObservedResource(key=desired.key, spec=spec, status={"arn": f"arn:aws:s3:::{name}"})

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the bucket with its tags in the region of the access, then its settings."""
        params = convert.create_params("Bucket", desired.spec)
        marks = ownership.tags("Bucket", desired.spec)
        if marks:
            # PutBucketTagging alone would come too late for who dies before it: 0054.
            params.setdefault("CreateBucketConfiguration", {})["Tags"] = tags.pairs(marks)
        if aws.access.region != _DEFAULT_REGION:
            place = params.setdefault("CreateBucketConfiguration", {})
            place.setdefault("LocationConstraint", aws.access.region)
        aws.call(aws.s3().create_bucket, **params)
        self._write(aws, desired, frozenset(desired.spec), {})

    def update(
        self,
        aws: Aws,
        desired: DesiredResource,
        observed: ObservedResource,
        changes: Sequence[Change],
    ) -> None:
        """Writes the settings that changed."""
        self._write(aws, desired, touched(changes), observed.spec)

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the bucket with every object and version in it.

        A plan gets here only when somebody allowed this bucket's data to go, by its name; nothing else
        ever empties a bucket.

        Raises:
            UnderstudyError: an object cannot be deleted.
        """
        name, s3 = text(observed.spec, "name"), aws.s3()
        if aws.find(s3.head_bucket, Bucket=name) is None:
            return
        for page in aws.pages(s3.get_paginator("list_object_versions").paginate(Bucket=name)):
            marked = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in marked]
            if objects:
                answer = aws.call(s3.delete_objects, Bucket=name, Delete={"Objects": objects, "Quiet": True})
                _check_deleted(name, answer.get("Errors", []))
        aws.find(s3.delete_bucket, Bucket=name)

    @staticmethod
    def _check_region(aws: Aws, desired: DesiredResource, region: str | None) -> None:
        if region not in (None, aws.access.region):
            raise UnderstudyError(
                "bucket-region",
                f"bucket {text(desired.spec, 'name')} is in {region}, the target is {aws.access.region}",
                hint="choose another spec.name: bucket names are global",
                where=desired.where,
            )

    @staticmethod
    def _locks(aws: Aws, bucket: str) -> bool:
        answer = aws.find(aws.s3().get_object_lock_configuration, Bucket=bucket)
        found: Mapping[str, Any] = answer.get("ObjectLockConfiguration", {}) if answer else {}
        return found.get("ObjectLockEnabled") == "Enabled"

    @staticmethod
    def _answer(aws: Aws, bucket: str, name: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = aws.find(_SETTINGS[name].get(aws.s3()), Bucket=bucket)
        return found

    @classmethod
    def _read(cls, aws: Aws, bucket: str, name: str) -> Json:
        answer, member = cls._answer(aws, bucket, name), _SETTINGS[name].answer
        if answer is None:
            return None
        return convert.read("Bucket", name, answer.get(member) if member else answer)

    @classmethod
    def _write(cls, aws: Aws, desired: DesiredResource, fields: frozenset[str], observed: JsonMap) -> None:
        bucket, s3 = text(desired.spec, "name"), aws.s3()
        for name, setting in _SETTINGS.items():
            if name not in fields:
                continue
            if name not in desired.spec and setting.delete:
                aws.find(setting.delete(s3), Bucket=bucket)
                continue
            wanted = desired.spec.get(name, {})
            if name == "tagging":
                wanted = _with_system_tags(wanted, observed.get(name))
            elif name == "publicAccessBlock":
                wanted = {**mapping(cls._read(aws, bucket, name)), **mapping(wanted)}
            value = convert.value("Bucket", name, wanted)
            if name == "notification":
                # ACK has no word for it, and S3 replaces the whole configuration.
                kept = cls._answer(aws, bucket, name) or {}
                value.update({key: kept[key] for key in ("EventBridgeConfiguration",) if key in kept})
            aws.call(setting.put(s3), Bucket=bucket, **{setting.member: value})


def _with_system_tags(wanted: Json, actual: Json) -> JsonMap:
    """The manifest's tags, and those of AWS and of tools: S3 replaces the whole set."""
    given = items(mapping(wanted).get("tagSet"))
    have = {text(tag, "key") for tag in given}
    kept = [
        tag
        for tag in items(mapping(actual).get("tagSet"))
        if text(tag, "key").startswith(SYSTEM_TAGS) and text(tag, "key") not in have
    ]
    return {"tagSet": [*given, *kept]}


def _check_deleted(bucket: str, errors: Sequence[Mapping[str, Any]]) -> None:
    if errors:
        first = errors[0]
        raise UnderstudyError(
            "bucket-objects",
            f"{len(errors)} objects of bucket {bucket} cannot be deleted,"
            f" {first.get('Key')} for one: {first.get('Code')}: {first.get('Message')}",
            hint="correct what the message names, then run the same command again",
        )
