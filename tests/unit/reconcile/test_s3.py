import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.errors import UnderstudyError
from understudy.manifests.model import Json
from understudy.reconcile import s3
from understudy.reconcile.aws import Access, Credentials

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
    assert fake.params("CreateBucket") == {"Bucket": "b"}


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
