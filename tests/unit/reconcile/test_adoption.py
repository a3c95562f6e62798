import pytest

from tests.unit.reconcile.builders import desired, key, observed
from understudy.errors import UnderstudyError
from understudy.manifests.model import Stack
from understudy.reconcile import adoption, plan
from understudy.reconcile.model import Observed, Plan

STACK_TAG = {"key": "understudy.dev/stack", "value": "shop"}
ROLE = desired("Role/r", {"name": "r", "description": "new", "tags": [STACK_TAG]})
THERE = observed(
    "Role/r",
    {
        "name": "r",
        "description": "old",
        "inlinePolicies": {"p": "{}"},
        "policies": [],
        "tags": [{"key": "a", "value": "b"}],
    },
)


def planned(*there: object) -> Plan:
    found = {one.key: one for one in there}  # type: ignore[attr-defined]  # observed resources
    return plan.plan(Stack(resources=(ROLE,)), Observed(resources=found))


def test_a_plan_that_takes_something_over_is_stopped_with_the_command() -> None:
    with pytest.raises(UnderstudyError) as caught:
        adoption.check(planned(THERE))
    assert caught.value.message == "Role/r exists, and carries no tag of this stack"
    assert caught.value.hint.startswith("./understudy adopt Role/r, ")
    assert caught.value.where == "a.yaml:1"
    adoption.check(planned())


def test_adoption_writes_the_tags_and_nothing_else() -> None:
    [action] = adoption.adoption(planned(THERE), [ROLE.key]).actions
    assert (action.verb, [change.path for change in action.changes]) == (
        "update",
        ["tags.understudy.dev/stack"],
    )
    assert action.desired is not None
    decided = plan.decide(action.desired, THERE)
    assert decided.desired is not None
    assert decided.desired.spec == {**THERE.spec, "tags": [{"key": "a", "value": "b"}, STACK_TAG]}
    assert [change.path for change in decided.changes] == ["tags[understudy.dev/stack]"]


def test_what_is_the_stack_s_already_is_left_alone() -> None:
    ours = observed("Role/r", {**THERE.spec, "tags": [STACK_TAG]})
    assert [action.verb for action in adoption.adoption(planned(ours), [ROLE.key]).actions] == ["unchanged"]


@pytest.mark.parametrize(("name", "code"), [("Role/r", "resource-absent"), ("Role/rr", "resource-unknown")])
def test_what_cannot_be_adopted_is_told(name: str, code: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        adoption.adoption(planned(), [key(name)])
    assert caught.value.code == code
