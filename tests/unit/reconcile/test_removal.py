import pytest

from tests.unit.reconcile.builders import desired, key, observed
from understudy.errors import UnderstudyError
from understudy.manifests.model import Stack
from understudy.reconcile import removal
from understudy.reconcile.model import Observed, Plan

TAGS = [{"key": "understudy.dev/stack", "value": "shop"}]
TABLE = desired("Table/t", {"tableName": "t", "tags": TAGS})
GROUP = desired("LogGroup/l", {"name": "l"}, retain=True)
ROLE = desired("Role/r", {"name": "r"}, "Table/t")
FUNCTION = desired("Function/f", {"name": "f"}, "Role/r")
ALIAS = desired("Alias/live", {"name": "live", "functionName": "f"}, "Function/f")
STACK = Stack(resources=(TABLE, GROUP, ROLE, FUNCTION, ALIAS))
THERE = Observed(resources={one.key: observed(str(one.key), one.spec) for one in STACK})


def verbs(found: Plan) -> dict[str, str]:
    return {str(action.key): action.verb for action in found.actions}


def test_deletion_keeps_data_and_what_says_retain() -> None:
    found = removal.deletion(STACK, THERE)
    assert verbs(found) == {
        "Alias/live": "delete",
        "Function/f": "delete",
        "Role/r": "delete",
        "LogGroup/l": "retain",
        "Table/t": "retain",
    }
    assert [action.reason for action in found.actions[3:]] == [
        "its manifest says retain; --allow-delete LogGroup/l takes it away",
        "it holds data; --allow-delete Table/t takes it away",
    ]


def test_deletion_takes_what_is_allowed_by_name_users_first() -> None:
    found = removal.deletion(STACK, THERE, allowed=[key("Table/t")])
    table = next(action for action in found.actions if action.key == TABLE.key)
    assert (table.verb, table.dependencies) == ("delete", (ROLE.key,))
    assert verbs(found)["LogGroup/l"] == "retain"


def test_deletion_leaves_what_is_not_of_the_stack_even_if_allowed() -> None:
    there = Observed(resources={TABLE.key: observed("Table/t", {"tableName": "t", "tags": []})})
    [action] = removal.deletion(STACK, there, allowed=[TABLE.key]).actions
    assert (action.verb, action.reason) == ("retain", "exists, and carries no tag of this stack")


def test_deletion_skips_what_is_not_there() -> None:
    assert removal.deletion(STACK, Observed(resources={})).actions == ()


def test_a_function_goes_with_what_hangs_below_it_and_nothing_else() -> None:
    found = removal.deletion(STACK, THERE, only=[FUNCTION.key])
    assert verbs(found) == {"Alias/live": "delete", "Function/f": "delete"}


def test_what_is_used_by_something_that_stays_is_not_taken_away() -> None:
    with pytest.raises(UnderstudyError) as caught:
        removal.deletion(STACK, THERE, only=[ROLE.key])
    assert caught.value.message == "Role/r is used by Function/f"
    assert caught.value.hint == "./understudy delete Role/r Function/f"
    alone = Observed(resources={ROLE.key: THERE.resources[ROLE.key]})
    assert verbs(removal.deletion(STACK, alone, only=[ROLE.key])) == {"Role/r": "delete"}


@pytest.mark.parametrize("where", ["only", "allowed"])
def test_a_name_that_is_none_comes_with_the_nearest(where: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        removal.deletion(STACK, THERE, **{where: [key("Table/tt")]})
    assert (caught.value.code, caught.value.hint) == ("resource-unknown", "write Table/t")


RETAINED = [*TAGS, {"key": "understudy.dev/retain", "value": "true"}]
ORPHANS = (
    observed("Table/t", {"tableName": "t", "tags": TAGS}),
    observed("Policy/p", {"name": "p", "tags": TAGS}),
    observed("Role/r", {"name": "r", "tags": TAGS}),
    observed("Role/kept", {"name": "kept", "tags": RETAINED}),
    observed("Integration/i", {}, apiID="a", integrationID="i"),
    observed("Route/GET /", {}, apiID="a", routeID="r"),
)


def test_pruning_goes_from_users_to_what_they_use_and_keeps_data() -> None:
    found = removal.pruning(ORPHANS)
    assert [(str(action.key), action.verb) for action in found.actions] == [
        ("Route/GET /", "delete"),
        ("Integration/i", "delete"),
        ("Role/r", "delete"),
        ("Role/kept", "retain"),
        ("Policy/p", "delete"),
        ("Table/t", "retain"),
    ]
    assert found.actions[1].dependencies == (key("Route/GET /"),)


def test_pruning_takes_what_is_allowed_by_name() -> None:
    found = removal.pruning(ORPHANS, allowed=[key("Table/t"), key("Role/kept")])
    assert set(verbs(found).values()) == {"delete"}
    with pytest.raises(UnderstudyError, match="Table/x is none of these resources"):
        removal.pruning(ORPHANS, allowed=[key("Table/x")])
