import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.errors import UnderstudyError
from understudy.manifests.model import Json
from understudy.reconcile import dynamodb

KEYS = [{"attributeName": "pk", "keyType": "HASH"}]
SPEC: dict[str, Json] = {
    "tableName": "t",
    "attributeDefinitions": [{"attributeName": "pk", "attributeType": "S"}],
    "keySchema": KEYS,
    "billingMode": "PAY_PER_REQUEST",
}
INDEX: dict[str, Json] = {"indexName": "index", "keySchema": KEYS, "projection": {"projectionType": "ALL"}}
TABLE = {
    "TableName": "t",
    "TableArn": "arn:t",
    "TableStatus": "ACTIVE",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
    "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
}
MISSING = Refusal(code="ResourceNotFoundException")


def answers(**table: object) -> dict[str, object]:
    return {"Table": {**TABLE, **table}}


def test_absent_table_is_created_and_waited_for() -> None:
    creating = answers(TableStatus="CREATING")
    fake = ScriptedAws({"DescribeTable": [MISSING, creating, creating, answers()]})
    spec = {**SPEC, "timeToLive": {"attributeName": "ttl", "enabled": True}}
    assert reconcile(fake.aws, desired("Table/t", spec)) == "create"
    assert fake.writes == ["CreateTable", "UpdateTimeToLive"]
    assert len(fake.clock.slept) == 2


def test_equal_table_is_left_alone() -> None:
    assert reconcile(ScriptedAws({"DescribeTable": answers()}).aws, desired("Table/t", SPEC)) == "unchanged"


def test_table_that_is_not_active_is_waited_for() -> None:
    fake = ScriptedAws({"DescribeTable": answers(TableStatus="UPDATING")})
    assert reconcile(fake.aws, desired("Table/t", SPEC)) == "wait"


@pytest.mark.parametrize(
    ("change", "writes"),
    [
        ({"tableClass": "STANDARD_INFREQUENT_ACCESS"}, ["UpdateTable"]),
        ({"deletionProtectionEnabled": True}, ["UpdateTable"]),
        (
            {
                "billingMode": "PROVISIONED",
                "provisionedThroughput": {"readCapacityUnits": 1, "writeCapacityUnits": 1},
                "tableClass": "STANDARD_INFREQUENT_ACCESS",
            },
            ["UpdateTable", "UpdateTable"],
        ),
        ({"streamSpecification": {"streamEnabled": True, "streamViewType": "NEW_IMAGE"}}, ["UpdateTable"]),
        ({"sseSpecification": {"enabled": True}}, ["UpdateTable"]),
        ({"timeToLive": {"attributeName": "x", "enabled": True}}, ["UpdateTimeToLive"]),
        ({"continuousBackups": {"pointInTimeRecoveryEnabled": True}}, ["UpdateContinuousBackups"]),
        ({"globalSecondaryIndexes": [INDEX]}, ["UpdateTable"]),
        ({"tags": [{"key": "c", "value": "d"}]}, ["TagResource", "UntagResource"]),
    ],
)
def test_one_class_of_change_per_update(change: dict[str, Json], writes: list[str]) -> None:
    fake = ScriptedAws(
        {
            "DescribeTable": answers(),
            "DescribeTimeToLive": {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
            "DescribeContinuousBackups": {
                "ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED"}
            },
            "ListTagsOfResource": {"Tags": [{"Key": "a", "Value": "b"}]},
        }
    )
    assert reconcile(fake.aws, desired("Table/t", {**SPEC, **change})) == "update"
    assert fake.writes == writes


def test_index_that_is_gone_from_the_manifest_is_deleted() -> None:
    index = {"IndexName": "old", "KeySchema": TABLE["KeySchema"], "IndexStatus": "ACTIVE"}
    fake = ScriptedAws({"DescribeTable": answers(GlobalSecondaryIndexes=[index])})
    assert reconcile(fake.aws, desired("Table/t", {**SPEC, "globalSecondaryIndexes": []})) == "update"
    updates = fake.params("UpdateTable")["GlobalSecondaryIndexUpdates"]
    assert updates == [{"Delete": {"IndexName": "old"}}]


def test_index_cannot_change_its_keys() -> None:
    index = {
        "IndexName": "index",
        "KeySchema": [{"AttributeName": "other", "KeyType": "HASH"}],
        "IndexStatus": "ACTIVE",
    }
    fake = ScriptedAws({"DescribeTable": answers(GlobalSecondaryIndexes=[index])})
    with pytest.raises(UnderstudyError, match="cannot change its keys"):
        reconcile(fake.aws, desired("Table/t", {**SPEC, "globalSecondaryIndexes": [INDEX]}))


def test_encryption_reads_back_under_its_own_name() -> None:
    sse = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": "arn:k"}
    fake = ScriptedAws({"DescribeTable": answers(SSEDescription=sse)})
    wanted = {**SPEC, "sseSpecification": {"enabled": True, "sseType": "KMS", "kmsMasterKeyID": "arn:k"}}
    assert reconcile(fake.aws, desired("Table/t", wanted)) == "unchanged"


def test_delete_waits_until_the_table_is_gone() -> None:
    fake = ScriptedAws({"DescribeTable": [answers(TableStatus="DELETING"), MISSING]})
    dynamodb.TableManager().delete(fake.aws, observed("Table/t", SPEC))
    assert fake.writes == ["DeleteTable"]
    assert len(fake.clock.slept) == 1
