from tests.unit.reconcile.builders import key, observed
from understudy.reconcile.model import Action, ApplyReport, Change, Observed, Plan


def test_writes_are_the_actions_that_change_something() -> None:
    verbs = ("create", "update", "replace", "delete", "retain", "wait", "unchanged")
    found = Plan(actions=tuple(Action(key=key(f"Role/{verb}"), verb=verb) for verb in verbs))
    assert [action.verb for action in found.writes] == ["create", "update", "replace", "delete"]


def test_field_of_a_change_is_its_first_step() -> None:
    assert Change(path="tags[a].value", old=1, new=2).field == "tags"


def test_report_lists_what_was_written() -> None:
    there = observed("Role/a", {})
    report = ApplyReport(
        applied={key("Role/a"): "update", key("Role/b"): "unchanged"},
        observed=Observed(resources={there.key: there}),
        duration_s=1.0,
    )
    assert report.writes == (key("Role/a"),)
    assert report.observed.get(key("Role/a")) is there
