import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.errors import UnderstudyError
from understudy.manifests.model import Json
from understudy.reconcile import lambda_

URI = "host/repo@sha256:aa"
SPEC: dict[str, Json] = {
    "name": "f",
    "code": {"imageURI": URI},
    "role": "arn:aws:iam::000000000000:role/r",
    "memorySize": 256,
}
CONFIGURATION = {
    "FunctionName": "f",
    "FunctionArn": "arn:f",
    "Role": "arn:aws:iam::000000000000:role/r",
    "MemorySize": 256,
    "State": "Active",
    "LastUpdateStatus": "Successful",
}
MISSING = Refusal(code="ResourceNotFoundException", status=404)


def function(code: dict[str, str] | None = None, **changed: object) -> dict[str, object]:
    return {
        "Configuration": {**CONFIGURATION, **changed},
        "Code": code or {"ImageUri": URI},
        "Tags": {"a": "b"},
    }


def test_absent_function_is_created_and_waited_for() -> None:
    pending = {**CONFIGURATION, "State": "Pending"}
    fake = ScriptedAws({"GetFunction": MISSING, "GetFunctionConfiguration": [pending, CONFIGURATION]})
    assert reconcile(fake.aws, desired("Function/f", {**SPEC, "reservedConcurrentExecutions": 2})) == "create"
    assert fake.writes == ["CreateFunction", "PutFunctionConcurrency"]
    assert fake.params("CreateFunction")["Code"] == {"ImageUri": URI}
    assert len(fake.clock.slept) == 1


def test_equal_function_is_left_alone() -> None:
    fake = ScriptedAws({"GetFunction": function()})
    assert (
        reconcile(fake.aws, desired("Function/f", {**SPEC, "tags": {"a": "b"}, "publish": True}))
        == "unchanged"
    )


def test_configuration_is_written_before_code_and_both_are_waited_for() -> None:
    busy = {**CONFIGURATION, "LastUpdateStatus": "InProgress"}
    states = [CONFIGURATION, busy, CONFIGURATION, busy, CONFIGURATION]
    fake = ScriptedAws({"GetFunction": function(), "GetFunctionConfiguration": states})
    spec: dict[str, Json] = {**SPEC, "memorySize": 512, "code": {"imageURI": "host/repo@sha256:bb"}}
    assert reconcile(fake.aws, desired("Function/f", spec)) == "update"
    assert fake.writes == ["UpdateFunctionConfiguration", "UpdateFunctionCode"]
    assert fake.params("UpdateFunctionConfiguration") == {"FunctionName": "f", "MemorySize": 512}
    assert fake.params("UpdateFunctionCode") == {"FunctionName": "f", "ImageUri": "host/repo@sha256:bb"}
    assert len(fake.clock.slept) == 2


def test_tags_and_concurrency_have_their_own_writes() -> None:
    fake = ScriptedAws({"GetFunction": function(), "GetFunctionConfiguration": CONFIGURATION})
    spec: dict[str, Json] = {**SPEC, "reservedConcurrentExecutions": 5, "tags": {"c": "d"}}
    assert reconcile(fake.aws, desired("Function/f", spec)) == "update"
    assert fake.writes == ["PutFunctionConcurrency", "TagResource", "UntagResource"]


def test_tag_that_resolves_to_the_wanted_digest_is_no_change() -> None:
    code = {"ImageUri": "host/repo:latest", "ResolvedImageUri": URI}
    assert (
        reconcile(ScriptedAws({"GetFunction": function(code)}).aws, desired("Function/f", SPEC))
        == "unchanged"
    )


def test_image_configuration_reads_back_under_its_own_name() -> None:
    answer = function(ImageConfigResponse={"ImageConfig": {"Command": ["a.b"]}})
    spec: dict[str, Json] = {**SPEC, "imageConfig": {"command": ["a.b"]}}
    assert reconcile(ScriptedAws({"GetFunction": answer}).aws, desired("Function/f", spec)) == "unchanged"


def test_function_that_is_still_changing_is_waited_for() -> None:
    answer = function(LastUpdateStatus="InProgress", LastUpdateStatusReason="creating")
    assert reconcile(ScriptedAws({"GetFunction": answer}).aws, desired("Function/f", SPEC)) == "wait"


def test_failure_of_the_function_tells_lambda_s_reason() -> None:
    failed = {**CONFIGURATION, "State": "Failed", "StateReasonCode": "ImageDeleted", "StateReason": "gone"}
    with pytest.raises(UnderstudyError, match="function f failed: ImageDeleted: gone"):
        lambda_.settled(ScriptedAws({"GetFunctionConfiguration": failed}).aws, "f")


def test_code_that_is_no_image_is_refused() -> None:
    fake = ScriptedAws({"GetFunction": MISSING})
    with pytest.raises(UnderstudyError, match="only container images are applied"):
        reconcile(fake.aws, desired("Function/f", {**SPEC, "code": {"zipFile": "aGk="}}))
    assert fake.writes == []


def test_role_that_is_not_known_yet_is_tried_again() -> None:
    refused = Refusal(
        code="InvalidParameterValueException",
        message="The role defined for the function cannot be assumed by Lambda.",
    )
    fake = ScriptedAws(
        {"GetFunction": MISSING, "CreateFunction": [refused, {}], "GetFunctionConfiguration": CONFIGURATION}
    )
    reconcile(fake.aws, desired("Function/f", SPEC))
    assert fake.writes == ["CreateFunction", "CreateFunction"]


def test_delete_names_the_function() -> None:
    fake = ScriptedAws()
    lambda_.FunctionManager().delete(fake.aws, observed("Function/f", SPEC))
    assert fake.params("DeleteFunction") == {"FunctionName": "f"}
