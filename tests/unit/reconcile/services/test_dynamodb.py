import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.errors import UnderstudyError
from understudy.manifests.model import Json
from understudy.reconcile.services import dynamodb

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


STREAM = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}


def ttl(status: str, attribute: str | None = None) -> dict[str, object]:
    named = {"AttributeName": attribute} if attribute else {}
    return {"TimeToLiveDescription": {"TimeToLiveStatus": status, **named}}


@pytest.mark.parametrize(
    ("wanted", "steps"),
    [
        ({"streamEnabled": True, "streamViewType": "KEYS_ONLY"}, []),
        (
            {"streamEnabled": True, "streamViewType": "NEW_IMAGE"},
            [{"StreamEnabled": False}, {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}],
        ),
        ({"streamEnabled": False, "streamViewType": "KEYS_ONLY"}, [{"StreamEnabled": False}]),
        (None, [{"StreamEnabled": False}]),
    ],
)
def test_another_view_is_another_stream(wanted: Json, steps: list[dict[str, object]]) -> None:
    fake = ScriptedAws({"DescribeTable": answers(StreamSpecification=STREAM)})
    spec = {**SPEC, **({"streamSpecification": wanted} if wanted else {})}
    assert reconcile(fake.aws, desired("Table/t", spec)) == ("update" if steps else "unchanged")
    sent = [params["StreamSpecification"] for name, params in fake.calls if name == "UpdateTable"]
    assert sent == steps


def test_stream_that_is_off_is_off_whatever_view_the_manifest_names() -> None:
    spec = {**SPEC, "streamSpecification": {"streamEnabled": False, "streamViewType": "KEYS_ONLY"}}
    assert reconcile(ScriptedAws({"DescribeTable": answers()}).aws, desired("Table/t", spec)) == "unchanged"


def test_expiry_by_another_attribute_waits_for_the_end_of_the_first() -> None:
    states = [ttl("ENABLED", "a"), ttl("DISABLING", "a"), ttl("DISABLED")]
    fake = ScriptedAws({"DescribeTable": answers(), "DescribeTimeToLive": states})
    spec: dict[str, Json] = {**SPEC, "timeToLive": {"attributeName": "b", "enabled": True}}
    assert reconcile(fake.aws, desired("Table/t", spec)) == "update"
    sent = [params["TimeToLiveSpecification"] for name, params in fake.calls if name == "UpdateTimeToLive"]
    assert sent == [{"Enabled": False, "AttributeName": "a"}, {"Enabled": True, "AttributeName": "b"}]
    assert len(fake.clock.slept) == 1


def test_expiry_that_was_left_out_ends() -> None:
    fake = ScriptedAws({"DescribeTable": answers(), "DescribeTimeToLive": ttl("ENABLED", "a")})
    assert reconcile(fake.aws, desired("Table/t", SPEC)) == "update"
    assert fake.params("UpdateTimeToLive")["TimeToLiveSpecification"] == {
        "Enabled": False,
        "AttributeName": "a",
    }


def test_expiry_that_is_off_is_off_whatever_attribute_the_manifest_names() -> None:
    fake = ScriptedAws({"DescribeTable": answers(), "DescribeTimeToLive": ttl("DISABLED")})
    spec: dict[str, Json] = {**SPEC, "timeToLive": {"attributeName": "a", "enabled": False}}
    assert reconcile(fake.aws, desired("Table/t", spec)) == "unchanged"


def test_policy_is_written_and_taken_away() -> None:
    document = '{"Statement": []}'
    fake = ScriptedAws(
        {"DescribeTable": answers(), "GetResourcePolicy": Refusal(code="PolicyNotFoundException")}
    )
    assert reconcile(fake.aws, desired("Table/t", {**SPEC, "resourcePolicy": document})) == "update"
    assert fake.params("PutResourcePolicy") == {"ResourceArn": "arn:t", "Policy": document}
    there = ScriptedAws({"DescribeTable": answers(), "GetResourcePolicy": {"Policy": document}})
    assert reconcile(there.aws, desired("Table/t", SPEC)) == "update"
    assert there.writes == ["DeleteResourcePolicy"]


def test_definition_that_no_index_uses_any_more_is_no_drift() -> None:
    left = [*TABLE["AttributeDefinitions"], {"AttributeName": "old", "AttributeType": "S"}]
    fake = ScriptedAws({"DescribeTable": answers(AttributeDefinitions=left)})
    assert reconcile(fake.aws, desired("Table/t", SPEC)) == "unchanged"


def test_attribute_cannot_change_its_type() -> None:
    spec: dict[str, Json] = {**SPEC, "attributeDefinitions": [{"attributeName": "pk", "attributeType": "N"}]}
    with pytest.raises(UnderstudyError, match="cannot change from S to N"):
        reconcile(ScriptedAws({"DescribeTable": answers()}).aws, desired("Table/t", spec))


def test_index_that_is_on_its_way_is_waited_for() -> None:
    index = {
        "IndexName": "index",
        "KeySchema": TABLE["KeySchema"],
        "Projection": {"ProjectionType": "ALL"},
        "IndexStatus": "CREATING",
    }
    fake = ScriptedAws({"DescribeTable": answers(GlobalSecondaryIndexes=[index])})
    assert reconcile(fake.aws, desired("Table/t", {**SPEC, "globalSecondaryIndexes": [INDEX]})) == "wait"


def test_index_that_went_while_the_table_was_busy_is_not_deleted_again() -> None:
    index = {"IndexName": "old", "KeySchema": TABLE["KeySchema"], "IndexStatus": "DELETING"}
    fake = ScriptedAws({"DescribeTable": [answers(GlobalSecondaryIndexes=[index]), answers()]})
    assert reconcile(fake.aws, desired("Table/t", SPEC)) == "update"
    assert fake.writes == []


def test_table_whose_making_was_cut_short_is_finished() -> None:
    busy = answers(TableStatus="CREATING")
    fake = ScriptedAws(
        {
            "DescribeTable": [busy, busy, answers()],
            "DescribeTimeToLive": ttl("DISABLED"),
            "DescribeContinuousBackups": Refusal(code="TableNotFoundException"),
        }
    )
    spec: dict[str, Json] = {
        **SPEC,
        "timeToLive": {"attributeName": "a", "enabled": True},
        "continuousBackups": {"pointInTimeRecoveryEnabled": True},
    }
    assert reconcile(fake.aws, desired("Table/t", spec)) == "update"
    assert fake.writes == ["UpdateTimeToLive", "UpdateContinuousBackups"]


def test_key_by_its_id_is_the_key_that_dynamodb_reports_by_its_arn() -> None:
    sse = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": "arn:aws:kms:us-east-1:1:key/11-22"}
    fake = ScriptedAws({"DescribeTable": answers(SSEDescription=sse)})
    wanted = {**SPEC, "sseSpecification": {"enabled": True, "kmsMasterKeyID": "11-22"}}
    assert reconcile(fake.aws, desired("Table/t", wanted)) == "unchanged"


def test_protected_table_is_not_deleted() -> None:
    fake = ScriptedAws()
    with pytest.raises(UnderstudyError, match="protected from deletion"):
        dynamodb.TableManager().delete(
            fake.aws, observed("Table/t", {**SPEC, "deletionProtectionEnabled": True})
        )
    assert fake.writes == []
