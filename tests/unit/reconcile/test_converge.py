"""One resource against answers that are late, lost or behind."""

import pytest

from tests.fakes.aws import Cut, Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, key
from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, Stack
from understudy.reconcile import apply, observe, plan, removal
from understudy.reconcile.errors import ApplyError
from understudy.reconcile.model import ApplyReport

API = desired("API/a", {"name": "a", "protocolType": "HTTP"})
LATEST = {
    "FunctionName": "f",
    "FunctionArn": "arn:f",
    "CodeSha256": "aa",
    "RevisionId": "r2",
    "MemorySize": 512,
}
GROUP = desired("LogGroup/l", {"name": "l", "retentionDays": 7})
NONE = {"Items": []}
ONE = {"Items": [{"ApiId": "x1", "Name": "a", "ProtocolType": "HTTP"}]}
MADE = ONE["Items"][0]
NO_GROUP: dict[str, object] = {"logGroups": []}
BARE = {"logGroups": [{"logGroupName": "l", "arn": "arn:l:*"}]}
KEPT = {"logGroups": [{"logGroupName": "l", "arn": "arn:l:*", "retentionInDays": 7}]}
DOWN = Refusal(code="InternalServerError", status=500)
EXISTS = Refusal(code="ResourceAlreadyExistsException", message="The specified log group already exists")


def run(fake: ScriptedAws, *resources: DesiredResource) -> ApplyReport:
    stack = Stack(resources=resources)
    return apply.apply(plan.plan(stack, observe.observe(stack, fake.aws)), fake.aws)


@pytest.mark.parametrize("failure", [Cut(), DOWN], ids=["cut", "5xx"])
def test_what_was_created_without_an_answer_is_found_although_reads_lag(failure: Cut | Refusal) -> None:
    fake = ScriptedAws({"GetApis": [NONE, NONE, NONE, NONE, ONE], "CreateApi": failure})
    report = run(fake, API)
    assert fake.writes == ["CreateApi"]
    assert report.applied == {key("API/a"): "create"}
    assert report.observed.resources[key("API/a")].status["apiID"] == "x1"


def test_what_was_not_created_is_created_again_after_a_long_look() -> None:
    fake = ScriptedAws({"GetApis": [NONE] * 8 + [ONE], "CreateApi": [Cut(), MADE]})
    run(fake, API)
    assert fake.writes == ["CreateApi", "CreateApi"]
    assert sum(fake.clock.slept) > 3


def test_api_that_came_to_be_since_the_plan_is_not_created_again() -> None:
    fake = ScriptedAws({"GetApis": [NONE, ONE]})
    assert run(fake, API).applied == {key("API/a"): "unchanged"}
    assert fake.writes == []


def test_name_that_is_taken_after_all_is_looked_at_and_brought_up_to_date() -> None:
    fake = ScriptedAws({"DescribeLogGroups": [NO_GROUP, NO_GROUP, BARE, KEPT], "CreateLogGroup": EXISTS})
    run(fake, GROUP)
    assert fake.writes == ["CreateLogGroup", "PutRetentionPolicy"]


def test_what_somebody_else_made_since_the_plan_is_left_alone() -> None:
    ours = desired("API/a", {**API.spec, "tags": {"understudy.dev/stack": "ours"}})
    fake = ScriptedAws({"GetApis": [NONE, ONE]})
    with pytest.raises(ApplyError, match="carries no tag of this stack") as caught:
        run(fake, ours)
    assert (caught.value.code, fake.writes) == ("resource-foreign", [])


def test_name_that_is_taken_and_never_shows_is_told() -> None:
    fake = ScriptedAws({"DescribeLogGroups": NO_GROUP, "CreateLogGroup": EXISTS})
    with pytest.raises(ApplyError, match="already exists"):
        run(fake, GROUP)
    assert 55 <= fake.clock.time <= 80


def test_refusal_that_stays_is_told_at_once() -> None:
    denied = Refusal(code="AccessDeniedException", message="no", status=403)
    fake = ScriptedAws({"DescribeLogGroups": NO_GROUP, "CreateLogGroup": denied})
    with pytest.raises(ApplyError, match="AccessDeniedException"):
        run(fake, GROUP)
    assert fake.clock.slept == []


def test_update_is_done_once_it_reads_back() -> None:
    fake = ScriptedAws({"DescribeLogGroups": [BARE, BARE, BARE, KEPT]})
    report = run(fake, GROUP)
    assert fake.writes == ["PutRetentionPolicy"]
    assert report.observed.resources[key("LogGroup/l")].spec["retentionDays"] == 7


def test_update_that_never_reads_back_is_not_called_done() -> None:
    fake = ScriptedAws({"DescribeLogGroups": BARE})
    with pytest.raises(
        ApplyError, match="does not read back as it was written: retentionDays is 0"
    ) as caught:
        run(fake, GROUP)
    assert caught.value.code == "apply-differs"


def test_created_api_is_the_one_whose_id_was_answered() -> None:
    old = {"Items": [{**MADE, "ApiId": "x0"}]}
    fake = ScriptedAws({"GetApis": [NONE, NONE, old, ONE], "CreateApi": MADE})
    assert run(fake, API).observed.resources[key("API/a")].status["apiID"] == "x1"


def test_what_somebody_else_created_at_the_same_time_stays_alone() -> None:
    both = {"Items": [MADE, {**MADE, "ApiId": "x0"}]}
    fake = ScriptedAws({"GetApis": [NONE, NONE, both], "CreateApi": MADE})
    with pytest.raises(ApplyError, match="created by somebody else at the same time") as caught:
        run(fake, API)
    assert caught.value.code == "apply-concurrent"
    assert fake.params("DeleteApi") == {"ApiId": "x1"}


def test_a_rival_that_gives_up_leaves_the_other_one() -> None:
    both = {"Items": [MADE, {**MADE, "ApiId": "x0"}]}
    fake = ScriptedAws({"GetApis": [NONE, NONE, both, both, ONE], "CreateApi": MADE})
    run(fake, API)
    assert fake.writes == ["CreateApi"]


def test_deletion_is_done_once_it_is_out_of_sight() -> None:
    fake = ScriptedAws({"GetApis": [ONE, ONE, ONE, NONE], "DeleteApi": [DOWN, {}]})
    stack = Stack(resources=(API,))
    apply.apply(removal.deletion(stack, observe.observe(stack, fake.aws)), fake.aws)
    assert fake.writes == ["DeleteApi", "DeleteApi"]
    assert [name for name, _ in fake.calls].count("GetApis") == 4


def test_version_is_published_of_the_function_that_was_seen() -> None:
    function = desired("Function/f", {"name": "f", "memorySize": 512})
    version = desired("Version/v", {"functionName": "f"}, "Function/f", follow=True)
    first = {**LATEST, "Version": "1"}
    fake = ScriptedAws(
        {
            "GetFunction": {"Configuration": LATEST},
            "GetFunctionConfiguration": {**LATEST, "RevisionId": "r1"},  # lags
            "ListVersionsByFunction": [{"Versions": []}, {"Versions": []}, {"Versions": [first]}],
            "PublishVersion": [Cut()],
        }
    )
    report = run(fake, function, version)
    assert fake.writes == ["PublishVersion"]
    assert fake.params("PublishVersion") == {"FunctionName": "f", "CodeSha256": "aa", "RevisionId": "r2"}
    assert report.observed.resources[key("Version/v")].status["version"] == "1"


def test_function_that_somebody_changed_is_not_published() -> None:
    function = desired("Function/f", {"name": "f", "memorySize": 512})
    version = desired("Version/v", {"functionName": "f"}, "Function/f", follow=True)
    fake = ScriptedAws(
        {
            "GetFunction": {"Configuration": LATEST},
            "GetFunctionConfiguration": LATEST,
            "ListVersionsByFunction": {"Versions": []},
            "PublishVersion": Refusal(code="PreconditionFailedException", status=412),
        }
    )
    with pytest.raises(UnderstudyError, match="was changed by somebody else"):
        run(fake, function, version)
    assert fake.writes == ["PublishVersion"]


def test_version_of_a_function_that_changed_since_is_told_as_that() -> None:
    function = desired("Function/f", {"name": "f", "memorySize": 512})
    version = desired("Version/v", {"functionName": "f"}, "Function/f", follow=True)
    mine = {**LATEST, "Version": "1"}
    fake = ScriptedAws(
        {
            "GetFunction": [{"Configuration": LATEST}] * 2
            + [{"Configuration": {**LATEST, "CodeSha256": "bb"}}],
            "GetFunctionConfiguration": LATEST,
            "ListVersionsByFunction": [{"Versions": []}, {"Versions": [mine]}],
            "PublishVersion": mine,
        }
    )
    with pytest.raises(ApplyError, match="no version holds the function as it is now") as caught:
        run(fake, function, version)
    assert caught.value.code == "function-changed"
