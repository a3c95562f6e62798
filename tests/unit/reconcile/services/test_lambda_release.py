import json

import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.errors import UnderstudyError
from understudy.manifests.model import Json
from understudy.reconcile.model import Change
from understudy.reconcile.services import lambda_release

MISSING = Refusal(code="ResourceNotFoundException", status=404)
LATEST = {
    "Version": "$LATEST",
    "CodeSha256": "aa",
    "RevisionId": "r1",
    "MemorySize": 128,
    "FunctionArn": "arn:f",
}


def version(number: int, **changed: object) -> dict[str, object]:
    return {**LATEST, "Version": str(number), "FunctionArn": f"arn:f:{number}", **changed}


FOLLOWS = desired("Version/v", {"functionName": "f"}, follow=True)


def test_version_that_follows_is_the_newest_equal_one() -> None:
    listed = [LATEST, version(1), version(2), version(3, CodeSha256="bb")]
    fake = ScriptedAws(
        {"ListVersionsByFunction": {"Versions": listed}, "GetFunction": {"Configuration": LATEST}}
    )
    found = lambda_release.VersionManager().observe(fake.aws, FOLLOWS)
    assert found is not None
    assert found.status["version"] == "2"


@pytest.mark.parametrize(
    "changed", [{"CodeSha256": "bb"}, {"MemorySize": 256}, {"Environment": {"Variables": {"A": "1"}}}]
)
def test_version_of_other_code_or_configuration_is_another(changed: dict[str, object]) -> None:
    fake = ScriptedAws(
        {
            "ListVersionsByFunction": {"Versions": [LATEST, version(1, **changed)]},
            "GetFunction": {"Configuration": LATEST},
        }
    )
    assert lambda_release.VersionManager().observe(fake.aws, FOLLOWS) is None


def test_list_that_lags_behind_the_function_matches_no_version() -> None:
    old = {"Versions": [LATEST, version(1)]}
    now = {"Configuration": {**LATEST, "MemorySize": 512}}
    fake = ScriptedAws({"ListVersionsByFunction": old, "GetFunction": now})
    assert lambda_release.VersionManager().observe(fake.aws, FOLLOWS) is None


def test_absent_function_has_no_version() -> None:
    assert (
        lambda_release.VersionManager().observe(ScriptedAws({"ListVersionsByFunction": MISSING}).aws, FOLLOWS)
        is None
    )


def test_publishing_guards_what_was_looked_at() -> None:
    fake = ScriptedAws(
        {
            "ListVersionsByFunction": {"Versions": [LATEST]},
            "GetFunction": {"Configuration": LATEST},
            "GetFunctionConfiguration": LATEST,
            "PublishVersion": version(1),
        }
    )
    assert reconcile(fake.aws, FOLLOWS) == "create"
    assert fake.params("PublishVersion") == {"FunctionName": "f", "CodeSha256": "aa", "RevisionId": "r1"}


def test_function_that_changes_while_it_is_published_is_told() -> None:
    fake = ScriptedAws(
        {
            "GetFunctionConfiguration": LATEST,
            "PublishVersion": Refusal(code="PreconditionFailedException", message="RevisionId", status=412),
        }
    )
    with pytest.raises(UnderstudyError, match="changed by somebody else") as caught:
        lambda_release.publish(fake.aws, "f", {})
    assert caught.value.retryable


def test_version_that_stands_still_is_found_by_what_it_says() -> None:
    listed = [LATEST, version(1, Description="first"), version(2, Description="second")]
    fake = ScriptedAws({"ListVersionsByFunction": {"Versions": listed}})
    stands = desired("Version/v", {"functionName": "f", "description": "first", "codeSHA256": "aa"})
    found = lambda_release.VersionManager().observe(fake.aws, stands)
    assert found is not None
    assert found.status["version"] == "1"


def test_version_is_deleted_by_its_number() -> None:
    fake = ScriptedAws()
    there = observed("Version/v", {"functionName": "f"}, version="3")
    lambda_release.VersionManager().delete(fake.aws, there)
    assert fake.params("DeleteFunction") == {"FunctionName": "f", "Qualifier": "3"}


PERMISSION: Json = {
    "statementID": "s",
    "action": "lambda:InvokeFunction",
    "principal": "apigateway.amazonaws.com",
    "sourceARN": "arn:x",
}
ALIAS: dict[str, Json] = {
    "name": "live",
    "functionName": "f",
    "functionVersion": "1",
    "permissions": [PERMISSION],
}
STATEMENT = {
    "Sid": "s",
    "Effect": "Allow",
    "Principal": {"Service": "apigateway.amazonaws.com"},
    "Action": "lambda:InvokeFunction",
    "Resource": "arn:f:live",
    "Condition": {"ArnLike": {"AWS:SourceArn": "arn:x"}},
}


def policy(*statements: dict[str, object]) -> dict[str, str]:
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


FOUND = {"AliasArn": "arn:f:live", "Name": "live", "FunctionVersion": "1", "Description": ""}


def test_absent_alias_is_created_with_its_permissions() -> None:
    fake = ScriptedAws({"GetAlias": MISSING})
    assert reconcile(fake.aws, desired("Alias/a", ALIAS)) == "create"
    assert fake.writes == ["CreateAlias", "AddPermission"]
    assert fake.params("AddPermission")["Qualifier"] == "live"


def test_equal_alias_is_left_alone() -> None:
    fake = ScriptedAws({"GetAlias": FOUND, "GetPolicy": policy(STATEMENT)})
    assert reconcile(fake.aws, desired("Alias/a", ALIAS)) == "unchanged"


def test_permission_is_granted_before_the_alias_moves() -> None:
    other = {**STATEMENT, "Condition": {"ArnLike": {"AWS:SourceArn": "arn:y"}}}
    by_hand = {**STATEMENT, "Sid": "by-hand"}
    fake = ScriptedAws({"GetAlias": FOUND, "GetPolicy": policy(other, by_hand)})
    assert reconcile(fake.aws, desired("Alias/a", {**ALIAS, "functionVersion": "2"})) == "update"
    assert fake.writes == ["RemovePermission", "RemovePermission", "AddPermission", "UpdateAlias"]
    assert fake.params("UpdateAlias") == {"FunctionName": "f", "Name": "live", "FunctionVersion": "2"}


@pytest.mark.parametrize(
    ("principal", "wanted"),
    [
        ({"AWS": "arn:aws:iam::111122223333:root"}, "111122223333"),
        ({"AWS": "arn:aws:iam::111122223333:root"}, "arn:aws:iam::111122223333:root"),
        ("*", "*"),
    ],
)
def test_principal_reads_back_as_it_was_written(principal: object, wanted: str) -> None:
    permission: Json = {
        "statementID": "s",
        "action": "lambda:InvokeFunction",
        "principal": wanted,
        "sourceARN": "arn:x",
    }
    fake = ScriptedAws({"GetAlias": FOUND, "GetPolicy": policy({**STATEMENT, "Principal": principal})})
    assert reconcile(fake.aws, desired("Alias/a", {**ALIAS, "permissions": [permission]})) == "unchanged"


def test_delete_names_the_alias() -> None:
    fake = ScriptedAws()
    lambda_release.AliasManager().delete(fake.aws, observed("Alias/a", ALIAS))
    assert fake.params("DeleteAlias") == {"FunctionName": "f", "Name": "live"}


def test_revision_guards_what_is_published() -> None:
    fake = ScriptedAws(
        {
            "ListVersionsByFunction": {"Versions": [LATEST]},
            "GetFunctionConfiguration": LATEST,
            "PublishVersion": {"Version": "1"},
        }
    )
    stands = desired("Version/v", {"functionName": "f", "revisionID": "mine"})
    assert reconcile(fake.aws, stands) == "create"
    assert fake.params("PublishVersion")["RevisionId"] == "mine"


NO_EVENTS = Refusal(code="ResourceNotFoundException", status=404)
COLD = Refusal(code="ProvisionedConcurrencyConfigNotFoundException", status=404)
WARM = {"RequestedProvisionedConcurrentExecutions": 1, "Status": "READY"}
KEPT_WARM: Json = {"provisionedConcurrentExecutions": 1}


def test_version_whose_making_was_cut_short_is_finished() -> None:
    fake = ScriptedAws(
        {
            "ListVersionsByFunction": {"Versions": [LATEST, version(1)]},
            "GetFunction": {"Configuration": LATEST},
            "GetFunctionEventInvokeConfig": NO_EVENTS,
            "GetProvisionedConcurrencyConfig": [COLD, WARM],
        }
    )
    wanted = desired(
        "Version/v", {"functionName": "f", "provisionedConcurrencyConfig": KEPT_WARM}, follow=True
    )
    assert reconcile(fake.aws, wanted) == "update"
    assert fake.params("PutProvisionedConcurrencyConfig")["Qualifier"] == "1"
    assert reconcile(fake.aws, wanted) == "unchanged"


def test_alias_whose_making_was_cut_short_is_finished() -> None:
    bare = {"Name": "live", "FunctionVersion": "1", "AliasArn": "arn:a"}
    fake = ScriptedAws(
        {
            "GetAlias": bare,
            "GetPolicy": NO_EVENTS,
            "GetFunctionEventInvokeConfig": NO_EVENTS,
            "GetProvisionedConcurrencyConfig": [COLD, WARM],
        }
    )
    wanted = {**ALIAS, "functionVersion": "1", "provisionedConcurrencyConfig": KEPT_WARM}
    wanted["functionEventInvokeConfig"] = {"maximumRetryAttempts": 0}
    assert reconcile(fake.aws, desired("Alias/a", wanted)) == "update"
    assert [name for name in fake.writes if name != "UpdateAlias"] == [
        "AddPermission",
        "PutFunctionEventInvokeConfig",
        "PutProvisionedConcurrencyConfig",
    ]


def test_what_is_kept_warm_is_cooled_before_it_is_deleted() -> None:
    fake = ScriptedAws()
    lambda_release.AliasManager().delete(
        fake.aws, observed("Alias/a", {**ALIAS, "provisionedConcurrencyConfig": KEPT_WARM})
    )
    assert fake.writes == ["DeleteProvisionedConcurrencyConfig", "DeleteAlias"]


@pytest.mark.parametrize("found", ["4", "3"], ids=["moved", "in-between"])
def test_an_alias_that_somebody_else_moved_is_left_where_it_is(found: str) -> None:
    refused = Refusal(code="PreconditionFailedException", status=412)
    now = {"Name": "live", "AliasArn": "arn", "FunctionVersion": found, "RevisionId": "r"}
    fake = ScriptedAws({"GetAlias": now, "UpdateAlias": refused})
    spec = {"name": "live", "functionName": "f", "functionVersion": "5"}
    there = observed("Alias/live", {**spec, "functionVersion": "3"})
    change = Change(path="functionVersion", old="3", new="5")
    with pytest.raises(UnderstudyError) as caught:
        lambda_release.AliasManager().update(fake.aws, desired("Alias/live", spec), there, [change])
    assert caught.value.code == "function-changed"
    assert fake.writes == (["UpdateAlias"] if found == "3" else [])


def test_durable_executions_are_part_of_a_release() -> None:
    durable = {**LATEST, "DurableConfig": {"ExecutionTimeout": 60}}
    assert lambda_release.same_release(durable, durable)
    assert not lambda_release.same_release(LATEST, durable)


def test_snapshots_are_part_of_a_release_and_how_far_they_are_is_not() -> None:
    asked = {**LATEST, "SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}}
    taken = {**LATEST, "SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}}
    without = {**LATEST, "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"}}
    assert lambda_release.same_release(taken, asked)
    assert not lambda_release.same_release(without, asked)
