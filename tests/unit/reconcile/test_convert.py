from datetime import UTC, datetime

from understudy.reconcile import convert


def test_create_params_leave_out_what_other_operations_set() -> None:
    spec = {"name": "f", "code": {"imageURI": "x"}, "role": "r", "reservedConcurrentExecutions": 3}
    assert convert.create_params("Function", spec) == {
        "FunctionName": "f",
        "Code": {"ImageUri": "x"},
        "Role": "r",
    }


def test_free_keys_are_never_renamed() -> None:
    spec = {"environment": {"variables": {"imageURI": "x"}}}
    found = convert.params("Function", spec, ["environment"])
    assert found == {"Environment": {"Variables": {"imageURI": "x"}}}


def test_lists_of_structures_are_renamed_inside() -> None:
    spec = {"tags": [{"key": "a", "value": "b"}]}
    assert convert.params("Repository", spec, ["tags"]) == {"tags": [{"Key": "a", "Value": "b"}]}


def test_blob_is_base64_in_json() -> None:
    assert convert.value("Function", "code", {"zipFile": "aGk="}) == {"ZipFile": b"hi"}
    assert convert.read("Function", "code", {"ZipFile": b"hi"}) == {"zipFile": "aGk="}


def test_answer_becomes_a_spec_and_what_the_kind_does_not_know_is_dropped() -> None:
    answer = {"FunctionName": "f", "MemorySize": 128, "CodeSha256": "x", "Description": None}
    assert convert.spec("Function", answer) == {"name": "f", "memorySize": 128}


def test_time_is_text() -> None:
    rules = {"Rules": [{"Status": "Enabled", "Expiration": {"Date": datetime(2026, 1, 2, tzinfo=UTC)}}]}
    assert convert.read("Bucket", "lifecycle", rules) == {
        "rules": [{"expiration": {"date": "2026-01-02T00:00:00+00:00"}, "status": "Enabled"}]
    }


def test_reference_fields_are_never_sent() -> None:
    spec = {"functionRef": {"from": {"name": "f"}}, "name": "live", "functionVersion": "1"}
    assert convert.create_params("Alias", spec) == {"Name": "live", "FunctionVersion": "1"}
