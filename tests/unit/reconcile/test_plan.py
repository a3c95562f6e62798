import pytest

from tests.unit.reconcile.builders import desired, key, observed
from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, ImageBinding, Stack
from understudy.reconcile import plan
from understudy.reconcile.model import Observed, ObservedResource, Plan

DIGEST = f"sha256:{'a' * 64}"
URI = "r.example/repo"
CODE = {"imageURI": f"${{Repository.repo.repositoryURI}}@{DIGEST}"}
REPOSITORY = desired("Repository/repo", {"name": "repo"})
FUNCTION = desired(
    "Function/f", {"name": "f", "code": CODE, "role": "r", "memorySize": 256}, "Repository/repo", "Image/app"
)
VERSION = desired("Version/v", {"functionName": "f"}, "Function/f", follow=True)
ALIAS = desired(
    "Alias/live",
    {"name": "live", "functionName": "f", "functionVersion": "${Version.v.version}"},
    "Version/v",
    "Function/f",
)
IMAGE = ImageBinding(name="app", repository="repo", digest=DIGEST, tags=("latest", "abc"))
STACK = Stack(resources=(REPOSITORY, FUNCTION, VERSION, ALIAS), images=(IMAGE,))

THERE = (
    observed("Repository/repo", {"name": "repo", "imageTagMutability": "MUTABLE"}, repositoryURI=URI),
    observed("Image/app", {"digest": DIGEST, "tags": ["latest", "abc"]}),
    observed(
        "Function/f", {"name": "f", "code": {"imageURI": f"{URI}@{DIGEST}"}, "role": "r", "memorySize": 256}
    ),
    observed("Version/v", {"functionName": "f"}, version="7"),
    observed("Alias/live", {"name": "live", "functionName": "f", "functionVersion": "7", "permissions": []}),
)


def planned(*there: ObservedResource, stack: Stack = STACK) -> Plan:
    return plan.plan(stack, Observed(resources={one.key: one for one in there}))


def verbs(found: Plan) -> dict[str, str]:
    return {str(action.key): action.verb for action in found.actions}


def without(name: str) -> tuple[ObservedResource, ...]:
    return tuple(one for one in THERE if one.key != key(name))


def replaced(new: ObservedResource) -> tuple[ObservedResource, ...]:
    return (*without(str(new.key)), new)


def test_empty_account_gets_everything_in_order() -> None:
    found = planned()
    assert [str(action.key) for action in found.actions] == [
        "Repository/repo",
        "Image/app",
        "Function/f",
        "Version/v",
        "Alias/live",
    ]
    assert {action.verb for action in found.actions} == {"create"}


def test_nothing_is_written_when_everything_is_there() -> None:
    found = planned(*THERE)
    assert found.writes == ()
    assert found.counts() == {"unchanged": 5}


def test_changed_memory_publishes_and_moves_the_alias() -> None:
    function = observed("Function/f", {**THERE[2].spec, "memorySize": 128})
    found = planned(*replaced(function))
    assert verbs(found) == {
        "Repository/repo": "unchanged",
        "Image/app": "unchanged",
        "Function/f": "update",
        "Version/v": "create",
        "Alias/live": "update",
    }
    [change] = found.actions[4].changes
    assert (change.path, change.old, change.known) == ("functionVersion", "7", False)


def test_changed_tag_of_the_function_publishes_nothing() -> None:
    function = desired("Function/f", {**FUNCTION.spec, "tags": {"a": "b"}}, "Repository/repo", "Image/app")
    found = planned(*THERE, stack=Stack(resources=(REPOSITORY, function, VERSION, ALIAS), images=(IMAGE,)))
    assert verbs(found)["Function/f"] == "update"
    assert verbs(found)["Version/v"] == verbs(found)["Alias/live"] == "unchanged"


def test_missing_version_is_published_although_the_function_is_right() -> None:
    found = planned(*without("Version/v"))
    assert verbs(found)["Version/v"] == "create"
    assert verbs(found)["Alias/live"] == "update"


def test_alias_on_an_older_version_moves_without_publishing() -> None:
    alias = observed("Alias/live", {**THERE[4].spec, "functionVersion": "3"})
    found = planned(*replaced(alias))
    assert verbs(found)["Version/v"] == "unchanged"
    [change] = found.actions[4].changes
    assert (change.old, change.new, change.known) == ("3", "7", True)


def test_image_that_lacks_a_tag_is_tagged() -> None:
    found = planned(*replaced(observed("Image/app", {"digest": DIGEST, "tags": ["latest"]})))
    assert verbs(found)["Image/app"] == "update"
    assert verbs(found)["Function/f"] == "unchanged"


def test_resource_that_is_not_ready_is_waited_for() -> None:
    found = planned(*replaced(observed("Function/f", THERE[2].spec, ready=False)))
    assert (verbs(found)["Function/f"], found.actions[2].reason) == ("wait", "still changing")
    assert found.writes == ()


def test_changed_immutable_field_replaces() -> None:
    table = desired("Table/t", {"tableName": "t", "keySchema": [{"attributeName": "b", "keyType": "HASH"}]})
    there = observed(
        "Table/t",
        {
            "tableName": "t",
            "keySchema": [{"attributeName": "a", "keyType": "HASH"}],
            "billingMode": "PROVISIONED",
            "tableClass": "STANDARD",
        },
    )
    found = planned(there, stack=Stack(resources=(table,)))
    assert verbs(found) == {"Table/t": "replace"}
    assert found.actions[0].reason == "keySchema cannot change in place: its items would be lost"


def test_children_of_a_replaced_api_are_replaced() -> None:
    api = desired("API/a", {"name": "a", "protocolType": "WEBSOCKET"})
    route = desired("Route/r", {"apiID": "${API.a.apiID}", "routeKey": "$default"}, "API/a")
    found = planned(
        observed("API/a", {"name": "a", "protocolType": "HTTP"}, apiID="x1"),
        observed("Route/r", {"apiID": "x1", "routeKey": "$default"}, apiID="x1", routeID="r1"),
        stack=Stack(resources=(api, route)),
    )
    assert verbs(found) == {"API/a": "replace", "Route/r": "replace"}


def test_authoritative_list_that_is_left_out_is_empty() -> None:
    alias = observed("Alias/live", {**THERE[4].spec, "permissions": [{"statementID": "by-hand"}]})
    found = planned(*replaced(alias))
    assert [change.path for change in found.actions[4].changes] == ["permissions[by-hand]"]


def test_field_that_nothing_would_apply_is_refused() -> None:
    bucket = desired("Bucket/b", {"name": "b", "replication": {}})
    with pytest.raises(UnderstudyError) as caught:
        planned(stack=Stack(resources=(bucket,)))
    assert (caught.value.code, caught.value.where) == ("field-unsupported", "a.yaml:1")


ROLE = desired("Role/r", {"name": "r", "tags": [{"key": "understudy.dev/stack", "value": "shop"}]})


@pytest.mark.parametrize(
    ("tags", "foreign", "reason"),
    [
        ([], True, "exists, and carries no tag of this stack"),
        ([{"key": "understudy.dev/stack", "value": "other"}], True, "belongs to stack other"),
        ([{"key": "understudy.dev/stack", "value": "shop"}], False, ""),
    ],
    ids=["untagged", "another's", "ours"],
)
def test_what_does_not_carry_the_stack_s_tag_is_marked(
    tags: list[dict[str, str]], foreign: bool, reason: str
) -> None:
    there = observed("Role/r", {"name": "r", "inlinePolicies": {}, "policies": [], "tags": tags})
    [action] = planned(there, stack=Stack(resources=(ROLE,))).actions
    assert (action.foreign, action.reason) == (foreign, reason)


def test_plan_is_pure(  # the same input gives the same plan, and the input stays as it was
) -> None:
    before = tuple(DesiredResource(**{f: getattr(r, f) for f in r.__dataclass_fields__}) for r in STACK)
    assert planned(*THERE) == planned(*THERE)
    assert tuple(STACK) == before


def test_field_that_no_function_of_an_image_can_have_is_refused_with_the_reason() -> None:
    zipped = desired("Function/f", {"name": "f", "layers": ["arn:l"]})
    with pytest.raises(UnderstudyError, match=r"spec.layers of Function/f is valid ACK, but an image brings"):
        plan.plan(Stack(resources=(zipped,)), Observed(resources={}))
