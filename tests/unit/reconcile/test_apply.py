import json
from pathlib import Path

import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, key
from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, ImageBinding, Stack
from understudy.reconcile import apply, lock, observe, plan, removal
from understudy.reconcile.aws import Aws
from understudy.reconcile.errors import ApplyError
from understudy.reconcile.model import ApplyEvent, ApplyReport, Observed, ObservedResource, Pusher

DIGEST = f"sha256:{'a' * 64}"
MISSING = Refusal(code="NotFoundException", status=404)
API = desired("API/a", {"name": "a", "protocolType": "HTTP"})
ROUTE = desired("Route/r", {"apiID": "${API.a.apiID}", "routeKey": "$default"}, "API/a")
CREATED = {"Items": [{"ApiId": "x1", "Name": "a", "ProtocolType": "HTTP"}]}
ROUTES = {"Items": [{"RouteId": "r1", "RouteKey": "$default"}]}
NONE = {"Items": []}
MADE = {"CreateApi": CREATED["Items"][0], "CreateRoute": ROUTES["Items"][0]}
STACK = Stack(resources=(API, ROUTE))


def run(
    fake: ScriptedAws, stack: Stack = STACK, *, pusher: Pusher | None = None, path: Path | None = None
) -> tuple[ApplyReport, list[ApplyEvent]]:
    events: list[ApplyEvent] = []
    planned = plan.plan(stack, observe.observe(stack, fake.aws))
    return apply.apply(planned, fake.aws, events.append, pusher=pusher, lock_path=path), events


def test_id_of_what_was_created_reaches_what_hangs_below() -> None:
    fake = ScriptedAws({"GetApis": [NONE, NONE, CREATED], "GetRoutes": ROUTES, **MADE})
    report, events = run(fake)
    assert fake.writes == ["CreateApi", "CreateRoute"]
    assert fake.params("CreateRoute")["ApiId"] == "x1"
    assert report.writes == (key("API/a"), key("Route/r"))
    assert [(str(event.key), event.phase) for event in events] == [
        ("API/a", "started"),
        ("API/a", "done"),
        ("Route/r", "started"),
        ("Route/r", "done"),
    ]


def test_second_apply_writes_nothing() -> None:
    fake = ScriptedAws({"GetApis": CREATED, "GetRoutes": ROUTES})
    report, events = run(fake)
    assert (fake.writes, report.writes, events) == ([], (), [])


def test_failure_stops_dependents_and_tells_what_was_done() -> None:
    fake = ScriptedAws(
        {"GetApis": {"Items": []}, "CreateApi": Refusal(code="BadRequestException", message="no")}
    )
    events: list[ApplyEvent] = []
    with pytest.raises(ApplyError) as caught:
        apply.apply(plan.plan(STACK, Observed(resources={})), fake.aws, events.append)
    assert list(caught.value.failures) == [key("API/a")]
    assert caught.value.report.applied == {}
    assert [event.phase for event in events] == ["started", "failed"]
    assert fake.writes == ["CreateApi"]


def test_unknown_value_that_turns_out_equal_is_not_written() -> None:
    alias = desired(
        "Alias/live",
        {"name": "live", "functionName": "f", "functionVersion": "${Version.v.version}"},
        "Version/v",
    )
    version = desired("Version/v", {"functionName": "f"}, follow=True)
    latest = {"Version": "$LATEST", "CodeSha256": "aa", "RevisionId": "r", "FunctionArn": "arn:f"}
    first = {**latest, "Version": "1"}
    fake = ScriptedAws(
        {
            "ListVersionsByFunction": [{"Versions": [latest]}, {"Versions": [latest, first]}],
            "GetAlias": {"AliasArn": "arn:f:live", "Name": "live", "FunctionVersion": "1"},
            "GetPolicy": Refusal(code="ResourceNotFoundException", status=404),
            "GetFunction": {"Configuration": latest},
            "GetFunctionConfiguration": latest,
            "PublishVersion": first,
        }
    )
    report, _ = run(fake, Stack(resources=(version, alias)))
    assert fake.writes == ["PublishVersion"]
    assert report.applied == {key("Version/v"): "create", key("Alias/live"): "unchanged"}


REPOSITORY = desired("Repository/repo", {"name": "repo"})
USER = desired("LogGroup/l", {"name": "l"}, "Image/app")
IMAGE = ImageBinding(name="app", repository="repo", digest=DIGEST)
PUSHED = Stack(resources=(REPOSITORY, USER), images=(IMAGE,))
REPOSITORIES = {
    "repositories": [
        {
            "repositoryName": "repo",
            "repositoryArn": "arn:repo",
            "repositoryUri": "host/repo",
            "imageTagMutability": "MUTABLE",
        }
    ]
}
ABSENT = {
    "DescribeRepositories": [Refusal(code="RepositoryNotFoundException"), REPOSITORIES],
    "DescribeImages": Refusal(code="RepositoryNotFoundException"),
    "DescribeLogGroups": [{"logGroups": []}, {"logGroups": [{"logGroupName": "l", "arn": "arn:l:*"}]}],
}


class _Pusher:
    def __init__(self, fake: ScriptedAws) -> None:
        self.pushed: list[tuple[str, str]] = []
        self._fake = fake

    def push(self, image: ImageBinding, repository_uri: str) -> None:
        self.pushed.append((image.digest, repository_uri))
        self._fake.calls.append(("Push", {}))


def test_image_is_pushed_between_its_repository_and_its_users() -> None:
    fake = ScriptedAws(ABSENT)
    pusher = _Pusher(fake)
    run(fake, PUSHED, pusher=pusher)
    assert fake.writes == ["CreateRepository", "Push", "CreateLogGroup"]
    assert pusher.pushed == [(DIGEST, "host/repo")]


def test_image_that_nobody_can_push_is_an_error() -> None:
    with pytest.raises(ApplyError, match="is not in repository repo"):
        run(ScriptedAws(ABSENT), PUSHED)


def test_replacing_what_holds_data_is_refused() -> None:
    table = desired("Table/t", {"tableName": "t", "keySchema": [{"attributeName": "b", "keyType": "HASH"}]})
    there = {
        "TableName": "t",
        "TableArn": "arn:t",
        "TableStatus": "ACTIVE",
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
    }
    fake = ScriptedAws({"DescribeTable": {"Table": there}})
    with pytest.raises(ApplyError, match="would delete what it holds"):
        run(fake, Stack(resources=(table,)))
    assert fake.writes == []


def test_changed_type_of_an_api_replaces_it_and_what_hangs_below() -> None:
    other = {"Items": [{"ApiId": "x0", "Name": "a", "ProtocolType": "WEBSOCKET"}]}
    fake = ScriptedAws(
        {"GetApis": [other, CREATED], "GetRoutes": ROUTES, "DeleteRoute": MISSING, **MADE},
    )
    run(fake)
    assert fake.writes == ["DeleteApi", "CreateApi", "DeleteRoute", "CreateRoute"]
    assert fake.params("CreateRoute")["ApiId"] == "x1"


def test_deletion_takes_what_hangs_below_first() -> None:
    fake = ScriptedAws({"GetApis": [CREATED, NONE], "GetRoutes": [ROUTES, NONE]})
    planned = removal.deletion(STACK, observe.observe(STACK, fake.aws))
    report = apply.apply(planned, fake.aws)
    assert fake.writes == ["DeleteRoute", "DeleteApi"]
    assert report.observed.resources == {}


def test_waits_for_what_is_not_ready_without_writing() -> None:
    table = desired("Table/t", {"tableName": "t", "billingMode": "PAY_PER_REQUEST"})
    base = {"TableName": "t", "TableArn": "arn:t", "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
    states = [{"Table": {**base, "TableStatus": state}} for state in ("CREATING", "CREATING", "ACTIVE")]
    fake = ScriptedAws({"DescribeTable": states})
    report, _ = run(fake, Stack(resources=(table,)))
    assert (fake.writes, report.applied) == ([], {key("Table/t"): "wait"})


def test_second_apply_at_a_time_is_refused(tmp_path: Path) -> None:
    fake = ScriptedAws({"GetApis": CREATED, "GetRoutes": ROUTES})
    with lock.held(tmp_path / "lock"), pytest.raises(UnderstudyError) as caught:
        run(fake, path=tmp_path / "lock")
    assert caught.value.code == "apply-busy"


def test_write_that_leaves_nothing_behind_is_told() -> None:
    fake = ScriptedAws({"GetApis": NONE, **MADE})
    with pytest.raises(ApplyError, match="is not there after it was written"):
        run(fake, Stack(resources=(API,)))


class _Mover:
    def __init__(self) -> None:
        self.moved: list[tuple[str, str]] = []

    def move(self, aws: Aws, desired: DesiredResource, observed: ObservedResource) -> None:
        self.moved.append((str(observed.spec["functionVersion"]), str(desired.spec["functionVersion"])))


def test_an_existing_alias_is_moved_by_the_mover_and_granted_by_apply() -> None:
    grant = {"statementID": "s", "action": "lambda:InvokeFunction", "principal": "events.amazonaws.com"}
    spec = {"name": "live", "functionName": "f", "functionVersion": "2", "permissions": [grant]}
    alias = {"AliasArn": "arn:f:live", "Name": "live"}
    statement = {
        "Sid": "s",
        "Action": "lambda:InvokeFunction",
        "Principal": {"Service": "events.amazonaws.com"},
    }
    granted = json.dumps({"Statement": [statement]})
    stack = Stack(resources=(desired("Alias/live", spec),))
    fake = ScriptedAws(
        {
            "GetAlias": [{**alias, "FunctionVersion": "1"}, {**alias, "FunctionVersion": "2"}],
            "GetPolicy": [Refusal(code="ResourceNotFoundException", status=404), {"Policy": granted}],
        }
    )
    mover = _Mover()
    apply.apply(plan.plan(stack, observe.observe(stack, fake.aws)), fake.aws, mover=mover)
    assert (fake.writes, mover.moved) == (["AddPermission"], [("1", "2")])
