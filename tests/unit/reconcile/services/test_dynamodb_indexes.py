import pytest

from understudy.errors import UnderstudyError
from understudy.manifests.model import Json, JsonMap
from understudy.reconcile.services import dynamodb_indexes as indexes


def index(capacity: int | None = None, projection: Json = None) -> JsonMap:
    limits: JsonMap = {"readCapacityUnits": capacity, "writeCapacityUnits": 1}
    return {
        "indexName": "i",
        "keySchema": [{"attributeName": "a", "keyType": "HASH"}],
        "projection": projection or {"projectionType": "ALL"},
        **({"provisionedThroughput": limits} if capacity else {}),
    }


def test_creation_speaks_dynamodb() -> None:
    assert indexes.creation(index(2)) == {
        "Create": {
            "IndexName": "i",
            "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
            "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 1},
        }
    }


def test_throughput_is_the_only_change_in_place() -> None:
    assert indexes.throughput(index(2)) == {
        "Update": {
            "IndexName": "i",
            "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 1},
        }
    }
    assert indexes.throughput_differs(index(2), index(1))
    assert not indexes.throughput_differs(index(2), index(2))
    assert not indexes.throughput_differs(index(), index(1))


def test_change_to_provisioned_billing_states_the_throughput_of_what_is_there() -> None:
    wanted: JsonMap = {"billingMode": "PROVISIONED", "globalSecondaryIndexes": [index(2)]}
    there: JsonMap = {"billingMode": "PAY_PER_REQUEST", "globalSecondaryIndexes": [index()]}
    assert indexes.when_provisioned(wanted, there) == {
        "GlobalSecondaryIndexUpdates": [indexes.throughput(index(2))]
    }
    assert indexes.when_provisioned(wanted, {"billingMode": "PAY_PER_REQUEST"}) == {}
    assert indexes.when_provisioned(wanted, {**there, "billingMode": "PROVISIONED"}) == {}
    assert indexes.when_provisioned(there, wanted) == {}


def test_attributes_of_a_projection_are_a_set() -> None:
    one: Json = {"projectionType": "INCLUDE", "nonKeyAttributes": ["x", "y"]}
    other: Json = {"projectionType": "INCLUDE", "nonKeyAttributes": ["y", "x"]}
    indexes.check("t", index(projection=one), index(projection=other))


def test_other_projection_is_another_index() -> None:
    keys: Json = {"projectionType": "KEYS_ONLY"}
    with pytest.raises(UnderstudyError, match="cannot change its keys or its projection"):
        indexes.check("t", index(projection=keys), index())
