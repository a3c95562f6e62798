from tests.unit.reconcile.builders import desired, key, observed
from understudy.reconcile import conditions
from understudy.reconcile.model import Action, Change, Plan, Verb

ROLE = desired("Role/r", {"name": "r"})
THERE = observed("Role/r", {"name": "r"})


def state(
    verb: Verb, *, there: bool = True, ready: bool = True, changes: tuple[Change, ...] = ()
) -> conditions.ResourceState:
    existing = observed("Role/r", {"name": "r"}, ready=ready) if there else None
    action = Action(key=key("Role/r"), verb=verb, desired=ROLE, observed=existing, changes=changes)
    [found] = conditions.states(Plan(actions=(action,)))
    return found


def test_unchanged_resource_is_ready_and_synced() -> None:
    found = state("unchanged")
    assert (found.ready, found.synced) == (True, True)
    assert [one.type for one in found.conditions] == ["Ready", "ACK.ResourceSynced"]


def test_absent_resource_is_neither() -> None:
    found = state("create", there=False)
    assert (found.ready, found.synced, found.conditions[0].reason) == (False, False, "NotFound")


def test_changed_resource_is_ready_and_tells_what_differs() -> None:
    found = state("update", changes=(Change(path="description", old="a", new="b"),))
    assert (found.ready, found.synced, found.conditions[1].message) == (True, False, "description")


def test_settling_resource_is_synced_and_tells_why_it_is_not_ready() -> None:
    found = state("wait", ready=False)
    assert (found.ready, found.synced, found.conditions[0].message) == (False, True, "still changing")


def test_pushed_images_are_no_resources() -> None:
    assert list(conditions.states(Plan(actions=(Action(key=key("Image/app"), verb="create"),)))) == []
