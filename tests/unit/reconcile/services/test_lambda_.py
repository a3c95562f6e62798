import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.errors import UnderstudyError
from understudy.manifests.model import Json
from understudy.reconcile.model import Change
from understudy.reconcile.services import lambda_

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


NO_EVENTS = Refusal(code="ResourceNotFoundException", status=404)
FILES: Json = [{"arn": "arn:aws:elasticfilesystem:us-east-1:1:access-point/a", "localMountPath": "/mnt/a"}]


@pytest.mark.parametrize(
    ("field", "value", "answer", "nothing"),
    [
        (
            "deadLetterConfig",
            {"targetARN": "arn:q"},
            {"DeadLetterConfig": {"TargetArn": "arn:q"}},
            {"DeadLetterConfig": {"TargetArn": ""}},
        ),
        (
            "environment",
            {"variables": {"AA": "1"}},
            {"Environment": {"Variables": {"AA": "1"}}},
            {"Environment": {"Variables": {}}},
        ),
        (
            "fileSystemConfigs",
            FILES,
            {
                "FileSystemConfigs": [
                    {
                        "Arn": "arn:aws:elasticfilesystem:us-east-1:1:access-point/a",
                        "LocalMountPath": "/mnt/a",
                    }
                ]
            },
            {"FileSystemConfigs": []},
        ),
        (
            "imageConfig",
            {"command": ["a.b"]},
            {"ImageConfigResponse": {"ImageConfig": {"Command": ["a.b"]}}},
            {"ImageConfig": {}},
        ),
        ("kmsKeyARN", "arn:k", {"KMSKeyArn": "arn:k"}, {"KMSKeyArn": ""}),
        (
            "vpcConfig",
            {"subnetIDs": ["s-1", "s-2"], "securityGroupIDs": ["g"]},
            {"VpcConfig": {"SubnetIds": ["s-2", "s-1"], "SecurityGroupIds": ["g"], "VpcId": "v"}},
            {"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}},
        ),
    ],
)
def test_each_setting_is_written_and_taken_away(
    field: str, value: Json, answer: dict[str, object], nothing: dict[str, object]
) -> None:
    states = {"GetFunctionConfiguration": CONFIGURATION, "GetFunctionEventInvokeConfig": NO_EVENTS}
    bare = ScriptedAws({"GetFunction": function(), **states})
    assert reconcile(bare.aws, desired("Function/f", {**SPEC, field: value})) == "update"
    assert bare.writes == ["UpdateFunctionConfiguration"]
    full = ScriptedAws({"GetFunction": function(**answer), **states})
    assert reconcile(full.aws, desired("Function/f", {**SPEC, field: value})) == "unchanged"
    assert reconcile(full.aws, desired("Function/f", SPEC)) == "update"
    assert full.params("UpdateFunctionConfiguration") == {"FunctionName": "f", **nothing}


def test_snapshots_are_turned_on_and_off() -> None:
    def snapshots(apply_on: str) -> dict[str, object]:
        return {"SnapStart": {"ApplyOn": apply_on, "OptimizationStatus": "Off"}}

    wanted: dict[str, Json] = {**SPEC, "snapStart": {"applyOn": "PublishedVersions"}}
    states = {"GetFunctionConfiguration": CONFIGURATION, "GetFunctionEventInvokeConfig": NO_EVENTS}
    off = ScriptedAws({"GetFunction": function(**snapshots("None")), **states})
    assert reconcile(off.aws, desired("Function/f", wanted)) == "update"
    sent = {"FunctionName": "f", "SnapStart": {"ApplyOn": "PublishedVersions"}}
    assert off.params("UpdateFunctionConfiguration") == sent
    on = ScriptedAws({"GetFunction": function(**snapshots("PublishedVersions")), **states})
    assert reconcile(on.aws, desired("Function/f", wanted)) == "unchanged"
    assert reconcile(on.aws, desired("Function/f", {**SPEC, "snapStart": {"applyOn": "None"}})) == "update"


def test_settings_that_count_when_the_function_is_made() -> None:
    fake = ScriptedAws({"GetFunction": MISSING, "GetFunctionConfiguration": CONFIGURATION})
    durable: Json = {"executionTimeout": 60, "retentionPeriodInDays": 1}
    spec: dict[str, Json] = {
        **SPEC,
        "tenancyConfig": {"tenantIsolationMode": "PER_TENANT"},
        "durableConfig": durable,
    }
    assert reconcile(fake.aws, desired("Function/f", spec)) == "create"
    sent = fake.params("CreateFunction")
    assert sent["TenancyConfig"] == {"TenantIsolationMode": "PER_TENANT"}
    assert sent["DurableConfig"] == {"ExecutionTimeout": 60, "RetentionPeriodInDays": 1}


def test_reserve_that_was_left_out_goes_away() -> None:
    answer = {**function(), "Concurrency": {"ReservedConcurrentExecutions": 0}}
    fake = ScriptedAws({"GetFunction": answer, "GetFunctionConfiguration": CONFIGURATION})
    assert reconcile(fake.aws, desired("Function/f", SPEC)) == "update"
    assert fake.writes == ["DeleteFunctionConcurrency"]


def test_function_whose_making_was_cut_short_is_finished() -> None:
    pending = {**CONFIGURATION, "State": "Pending"}
    fake = ScriptedAws(
        {
            "GetFunction": function(State="Pending"),
            "GetFunctionConfiguration": [pending, CONFIGURATION],
            "GetFunctionEventInvokeConfig": NO_EVENTS,
        }
    )
    spec: dict[str, Json] = {
        **SPEC,
        "reservedConcurrentExecutions": 2,
        "functionEventInvokeConfig": {"maximumRetryAttempts": 0},
    }
    assert reconcile(fake.aws, desired("Function/f", spec)) == "update"
    assert fake.writes == ["PutFunctionConcurrency", "PutFunctionEventInvokeConfig"]
    assert len(fake.clock.slept) == 1


def test_other_processor_is_another_code() -> None:
    answer = function(Architectures=["x86_64"])
    fake = ScriptedAws({"GetFunction": answer, "GetFunctionConfiguration": CONFIGURATION})
    assert reconcile(fake.aws, desired("Function/f", {**SPEC, "architectures": ["arm64"]})) == "update"
    assert fake.params("UpdateFunctionCode") == {
        "FunctionName": "f",
        "ImageUri": URI,
        "Architectures": ["arm64"],
    }


def test_a_function_that_somebody_else_changed_is_not_written() -> None:
    other = {"FunctionName": "f", "FunctionArn": "arn:f", "CodeSha256": "other", "RevisionId": "r2"}
    fake = ScriptedAws({"GetFunctionConfiguration": other})
    there = observed("Function/f", {"name": "f", "timeout": 3}, arn="arn:f", codeSHA256="mine")
    with pytest.raises(UnderstudyError) as caught:
        lambda_.FunctionManager().update(
            fake.aws,
            desired("Function/f", {"name": "f", "timeout": 5}),
            there,
            [Change(path="timeout", old=3, new=5)],
        )
    assert (caught.value.code, fake.writes) == ("function-changed", [])


def test_an_update_names_the_revision_that_it_was_decided_on() -> None:
    latest = {"FunctionName": "f", "FunctionArn": "arn:f", "CodeSha256": "mine", "RevisionId": "r1"}
    refused = Refusal(code="PreconditionFailedException", status=412)
    fake = ScriptedAws({"GetFunctionConfiguration": latest, "UpdateFunctionConfiguration": refused})
    there = observed("Function/f", {"name": "f", "timeout": 3}, arn="arn:f", codeSHA256="mine")
    with pytest.raises(UnderstudyError, match="was changed by somebody else"):
        lambda_.FunctionManager().update(
            fake.aws,
            desired("Function/f", {"name": "f", "timeout": 5}),
            there,
            [Change(path="timeout", old=3, new=5)],
        )
    assert fake.params("UpdateFunctionConfiguration")["RevisionId"] == "r1"
