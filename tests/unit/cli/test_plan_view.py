import pytest

from tests.unit.reconcile.builders import key
from understudy.cli import plan_view
from understudy.reconcile.model import Action, Change, Plan, Verb


def action(name: str, verb: Verb, *changes: Change, reason: str = "") -> Action:
    return Action(key=key(name), verb=verb, changes=changes, reason=reason)


PLAN = Plan(
    actions=(
        action("Table/t", "unchanged"),
        action("API/a", "create"),
        action("Role/r", "replace", reason="path cannot change"),
        action(
            "Function/f",
            "update",
            Change(path="timeout", old=3, new=29),
            Change(path="role", old=None, new=None, known=False),
            Change(path="description", old="", new="x" * 100),
        ),
    )
)


def test_shows_what_changes_and_counts_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    plan_view.show(PLAN)

    assert capsys.readouterr().out.splitlines() == [
        "+ API/a",
        "± Role/r  (path cannot change)",
        "~ Function/f",
        "    timeout: 3 -> 29",
        "    role: null -> (known after apply)",
        f'    description: "" -> "{"x" * 58}…',
        "1 create, 1 replace, 1 unchanged, 1 update",
    ]


def test_an_empty_stack_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    plan_view.show(Plan(actions=()))

    assert capsys.readouterr().out == "the stack is empty\n"


def test_the_document_holds_every_action_in_order() -> None:
    found = plan_view.document(PLAN)

    assert [one["resource"] for one in found["actions"]] == ["Table/t", "API/a", "Role/r", "Function/f"]
    assert found["actions"][3]["changes"][1] == {"path": "role", "old": None, "new": None, "known": False}
    assert found["counts"] == {"unchanged": 1, "create": 1, "replace": 1, "update": 1}
