from typing import TYPE_CHECKING, Any

from analysis.handler import lambda_handler

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def record(
    number: int, *tickers: str, identity: str = "1", version: int = 1, name: str = "INSERT"
) -> dict[str, Any]:
    keys = {"pk": {"S": "USER#a"}, "sk": {"S": f"CONFIGURATION#{identity}"}}
    item = {**keys, "version": {"N": str(version)}, "tickers": {"L": [{"S": one} for one in tickers]}}
    image = "OldImage" if name == "REMOVE" else "NewImage"
    return {"eventName": name, "dynamodb": {"Keys": keys, "SequenceNumber": str(number), image: item}}


def run(*records: dict[str, Any]) -> list[str]:
    """The records that the function says it failed on."""
    answer = lambda_handler({"Records": list(records)}, None)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def analyses(dynamodb: "DynamoDBClient") -> dict[str, dict[str, Any]]:
    return {item["sk"]["S"]: item for item in dynamodb.scan(TableName="analyses")["Items"]}


def test_a_configuration_is_analysed(dynamodb: "DynamoDBClient") -> None:
    assert run(record(1, "AAPL", "BA", "GONE", version=3)) == []
    assert analyses(dynamodb) == {
        "CONFIGURATION#1": {
            "pk": {"S": "USER#a"},
            "sk": {"S": "CONFIGURATION#1"},
            "version": {"N": "3"},
            "exchanges": {"M": {"NASDAQ": {"N": "1"}, "NYSE": {"N": "1"}}},
            "unknown": {"L": [{"S": "GONE"}]},
            "concentration": {"N": "0.5"},
        }
    }


def test_a_batch_that_comes_again_changes_nothing(dynamodb: "DynamoDBClient") -> None:
    batch = [record(1, "AAPL"), record(2, "AAPL", "BA", version=2, name="MODIFY")]
    assert run(*batch) == []
    first = analyses(dynamodb)
    assert run(*batch) == []
    assert run(batch[0]) == []
    assert analyses(dynamodb) == first
    assert first["CONFIGURATION#1"]["version"] == {"N": "2"}


def test_an_analysis_goes_with_its_configuration(dynamodb: "DynamoDBClient") -> None:
    assert run(record(1, "AAPL"), record(2, "AAPL", name="REMOVE")) == []
    assert analyses(dynamodb) == {}


def test_a_removal_that_comes_late_leaves_what_is_newer(dynamodb: "DynamoDBClient") -> None:
    run(record(1, "AAPL", version=5))
    assert run(record(2, "AAPL", version=4, name="REMOVE")) == []
    assert list(analyses(dynamodb)) == ["CONFIGURATION#1"]


def test_the_first_bad_record_ends_the_batch_and_is_named(dynamodb: "DynamoDBClient") -> None:
    bad = record(2, identity="bad")
    bad["dynamodb"]["NewImage"]["tickers"] = {"S": "AAPL"}
    assert run(record(1, "AAPL"), bad, record(3, "BA", identity="behind")) == ["2"]
    assert list(analyses(dynamodb)) == ["CONFIGURATION#1"]


def test_what_cannot_be_stored_is_tried_again(dynamodb: "DynamoDBClient") -> None:
    dynamodb.delete_table(TableName="analyses")
    assert run(record(1, "AAPL")) == ["1"]


def test_other_items_and_events_without_records_are_no_business_of_its() -> None:
    slots = {"eventName": "INSERT", "dynamodb": {"Keys": {"sk": {"S": "SLOTS"}}, "SequenceNumber": "1"}}
    assert run(slots) == []
    assert lambda_handler({}, None) == {"batchItemFailures": []}
