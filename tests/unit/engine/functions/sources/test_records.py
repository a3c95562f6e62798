from tests.unit.engine.functions.sources.mappings import QUEUE, mapping, record
from understudy.engine.functions.sources import records

MESSAGE = {"MessageId": "m1", "ReceiptHandle": "r1", "Body": '{"kind": "a"}', "MD5OfBody": "m"}


def test_binary_attributes_stay_base64() -> None:
    sent = {**MESSAGE, "MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": "AAE="}}}
    made = records.of_queue(mapping(QUEUE), {**sent, "MD5OfMessageAttributes": "x"})
    assert made["messageAttributes"]["b"] == {
        "binaryValue": "AAE=",
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "Binary",
    }
    assert made["md5OfMessageAttributes"] == "x"


def test_a_filter_sees_a_body_as_json_and_the_function_does_not() -> None:
    filtering = mapping(QUEUE, patterns=('{"body": {"kind": ["a"]}}',))
    made = [records.of_queue(filtering, {**MESSAGE, "Body": body}) for body in ('{"kind": "a"}', "a", "[1]")]
    assert [one["body"] for one in records.passing(filtering, made)] == ['{"kind": "a"}']


def test_a_plain_body_is_matched_as_text() -> None:
    filtering = mapping(QUEUE, patterns=('{"body": ["a"]}',))
    made = [records.of_queue(filtering, {**MESSAGE, "Body": body}) for body in ('{"kind": "a"}', "a")]
    assert [one["body"] for one in records.passing(filtering, made)] == ["a"]


def test_a_body_nested_too_deep_to_be_read_is_text() -> None:
    body = "[" * 100_000
    for made in (mapping(QUEUE), mapping(QUEUE, patterns=('{"body": [{"prefix": "["}]}',))):
        assert records.passing(made, [records.of_queue(made, {**MESSAGE, "Body": body})])


def test_a_deletion_by_time_to_live_says_who_deleted() -> None:
    gone = {**record(1), "userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}}
    made = records.of_stream(mapping(), gone)
    assert made["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert (records.sequence(made), records.created_at(made)) == ("1", 1_700_000_001.0)
