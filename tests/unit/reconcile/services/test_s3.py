import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.errors import UnderstudyError
from understudy.manifests.model import Json
from understudy.reconcile.aws import Access, Credentials
from understudy.reconcile.services import s3

BLOCK: Json = {"blockPublicACLs": True, "restrictPublicBuckets": True}
RULES: Json = {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]}
SPEC: dict[str, Json] = {
    "name": "b",
    "publicAccessBlock": BLOCK,
    "encryption": RULES,
    "tagging": {"tagSet": [{"key": "a", "value": "b"}]},
}
ANSWERS = {
    "GetPublicAccessBlock": {
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "RestrictPublicBuckets": True}
    },
    "GetBucketEncryption": {
        "ServerSideEncryptionConfiguration": {
            "Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
            ]
        }
    },
    "GetBucketTagging": {"TagSet": [{"Key": "a", "Value": "b"}]},
}
MISSING = Refusal(code="404", status=404)


def test_absent_bucket_is_created_with_its_settings() -> None:
    fake = ScriptedAws({"HeadBucket": MISSING})
    assert reconcile(fake.aws, desired("Bucket/b", SPEC)) == "create"
    assert fake.writes == ["CreateBucket", "PutPublicAccessBlock", "PutBucketEncryption", "PutBucketTagging"]
    tags = {"Tags": [{"Key": "a", "Value": "b"}]}
    assert fake.params("CreateBucket") == {"Bucket": "b", "CreateBucketConfiguration": tags}


def test_bucket_outside_the_first_region_names_its_place() -> None:
    fake = ScriptedAws({"HeadBucket": MISSING})
    fake.aws.access = Access(region="eu-west-1", endpoint_url="http://127.0.0.1:9", credentials=Credentials())
    reconcile(fake.aws, desired("Bucket/b", {"name": "b"}))
    assert fake.params("CreateBucket")["CreateBucketConfiguration"] == {"LocationConstraint": "eu-west-1"}


def test_equal_bucket_is_left_alone() -> None:
    fake = ScriptedAws(ANSWERS)
    assert reconcile(fake.aws, desired("Bucket/b", SPEC)) == "unchanged"


def test_only_the_setting_that_differs_is_written() -> None:
    fake = ScriptedAws(
        {**ANSWERS, "GetBucketEncryption": Refusal(code="ServerSideEncryptionConfigurationNotFoundError")}
    )
    assert reconcile(fake.aws, desired("Bucket/b", SPEC)) == "update"
    assert fake.writes == ["PutBucketEncryption"]


def test_versioning_is_read_from_the_answer_itself() -> None:
    fake = ScriptedAws({"GetBucketVersioning": {"Status": "Enabled"}})
    spec: dict[str, Json] = {"name": "b", "versioning": {"status": "Enabled"}}
    assert reconcile(fake.aws, desired("Bucket/b", spec)) == "unchanged"


def test_name_of_somebody_else_is_told() -> None:
    fake = ScriptedAws({"HeadBucket": Refusal(code="403", status=403)})
    with pytest.raises(UnderstudyError, match="belongs to another account") as caught:
        reconcile(fake.aws, desired("Bucket/b", SPEC))
    assert caught.value.code == "bucket-taken"


def test_delete_empties_the_bucket_first() -> None:
    versions = {
        "Versions": [{"Key": "k", "VersionId": "1"}],
        "DeleteMarkers": [{"Key": "k", "VersionId": "2"}],
        "IsTruncated": False,
    }
    fake = ScriptedAws({"ListObjectVersions": versions})
    s3.BucketManager().delete(fake.aws, observed("Bucket/b", {"name": "b"}))
    assert fake.writes == ["DeleteObjects", "DeleteBucket"]
    assert len(fake.params("DeleteObjects")["Delete"]["Objects"]) == 2


def test_region_of_a_bucket_is_said_once() -> None:
    fake = ScriptedAws({"HeadBucket": [MISSING, {"BucketRegion": "eu-west-1"}]})
    fake.aws.access = Access(region="eu-west-1", endpoint_url="http://127.0.0.1:9", credentials=Credentials())
    spec: dict[str, Json] = {"name": "b", "createBucketConfiguration": {"locationConstraint": "eu-west-1"}}
    assert reconcile(fake.aws, desired("Bucket/b", spec)) == "create"
    assert fake.params("CreateBucket")["CreateBucketConfiguration"] == {"LocationConstraint": "eu-west-1"}
    assert reconcile(fake.aws, desired("Bucket/b", spec)) == "unchanged"


def test_bucket_in_another_region_is_not_taken_over() -> None:
    fake = ScriptedAws({"HeadBucket": {"BucketRegion": "eu-west-1"}})
    with pytest.raises(UnderstudyError, match="is in eu-west-1"):
        reconcile(fake.aws, desired("Bucket/b", {"name": "b"}))


def test_setting_that_was_left_out_goes_away() -> None:
    fake = ScriptedAws(
        {
            "GetBucketCors": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]},
            "GetBucketLifecycleConfiguration": {"Rules": [{"ID": "a", "Status": "Enabled"}]},
            "GetBucketPolicy": {"Policy": "{}"},
            "GetBucketLogging": {"LoggingEnabled": {"TargetBucket": "x", "TargetPrefix": ""}},
            "GetBucketNotificationConfiguration": {
                "QueueConfigurations": [{"QueueArn": "q", "Events": ["s3:ObjectCreated:*"]}],
                "EventBridgeConfiguration": {},
            },
            "GetBucketVersioning": {"Status": "Enabled"},
        }
    )
    assert reconcile(fake.aws, desired("Bucket/b", {"name": "b"})) == "update"
    assert fake.writes == [
        "DeleteBucketPolicy",
        "DeleteBucketCors",
        "DeleteBucketLifecycle",
        "PutBucketNotificationConfiguration",
        "PutBucketLogging",
    ]
    # What ACK has no word for stays.
    written = fake.params("PutBucketNotificationConfiguration")["NotificationConfiguration"]
    assert written == {"EventBridgeConfiguration": {}}


def test_blocks_that_the_manifest_does_not_mention_stay() -> None:
    there = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
    fake = ScriptedAws({**ANSWERS, "GetPublicAccessBlock": {"PublicAccessBlockConfiguration": there}})
    spec: dict[str, Json] = {**SPEC, "publicAccessBlock": {"restrictPublicBuckets": False}}
    assert reconcile(fake.aws, desired("Bucket/b", spec)) == "update"
    written = fake.params("PutPublicAccessBlock")["PublicAccessBlockConfiguration"]
    assert written == {**there, "RestrictPublicBuckets": False}


def test_tags_of_aws_and_of_tools_stay() -> None:
    have = [
        {"Key": "aws:x", "Value": "1"},
        {"Key": "understudy.dev/stack", "Value": "s"},
        {"Key": "old", "Value": "2"},
    ]
    fake = ScriptedAws({**ANSWERS, "GetBucketTagging": {"TagSet": have}})
    assert reconcile(fake.aws, desired("Bucket/b", SPEC)) == "update"
    assert fake.params("PutBucketTagging")["Tagging"] == {"TagSet": [{"Key": "a", "Value": "b"}, *have[:2]]}


def test_lock_of_objects_is_read_back() -> None:
    spec: dict[str, Json] = {"name": "b", "objectLockEnabledForBucket": True}
    locked = {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}
    fake = ScriptedAws({"GetObjectLockConfiguration": locked})
    assert reconcile(fake.aws, desired("Bucket/b", spec)) == "unchanged"


def test_object_that_cannot_be_deleted_stops_the_deletion() -> None:
    versions = {"Versions": [{"Key": "k", "VersionId": "1"}], "IsTruncated": False}
    refused = {"Errors": [{"Key": "k", "Code": "AccessDenied", "Message": "locked until 2030"}]}
    fake = ScriptedAws({"ListObjectVersions": versions, "DeleteObjects": refused})
    with pytest.raises(UnderstudyError, match="locked until 2030"):
        s3.BucketManager().delete(fake.aws, observed("Bucket/b", {"name": "b"}))
    assert fake.writes == ["DeleteObjects"]


def test_delete_of_a_bucket_that_is_gone_is_done() -> None:
    fake = ScriptedAws({"HeadBucket": MISSING})
    s3.BucketManager().delete(fake.aws, observed("Bucket/b", {"name": "b"}))
    assert fake.writes == []


def test_bucket_whose_making_was_cut_short_is_finished() -> None:
    absent = Refusal(code="NoSuchTagSet", status=404)
    fake = ScriptedAws({**ANSWERS, "GetBucketTagging": absent})
    assert reconcile(fake.aws, desired("Bucket/b", SPEC)) == "update"
    assert fake.writes == ["PutBucketTagging"]
