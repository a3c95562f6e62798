import pytest

from tests.unit.engine.functions.records import function
from understudy.engine.functions import render


@pytest.mark.parametrize(
    ("marker", "limit", "shown", "following"),
    [
        (None, None, ["a", "b", "c"], None),
        (None, 2, ["a", "b"], "c"),
        ("c", 2, ["c"], None),
        ("gone", 1, ["a"], "b"),
        (None, 9, ["a", "b", "c"], None),
    ],
)
def test_pages(marker: str | None, limit: int | None, shown: list[str], following: str | None) -> None:
    keys = ["a", "b", "c"]
    assert render.page(keys, keys, marker, limit, 5) == (shown, following)


def test_an_operation_s_maximum_wins_over_the_caller_s() -> None:
    keys = [str(number) for number in range(9)]
    assert render.page(keys, keys, None, 8, 5) == (keys[:5], "5")


def test_versions_are_listed_by_number_and_not_by_text() -> None:
    made = function("dash", *(str(number) for number in range(10, 0, -1)))
    assert [version.number for version in render.versions(made)] == [
        "$LATEST",
        *(str(number) for number in range(1, 11)),
    ]


def test_lists_show_no_state() -> None:
    shown = render.listed(function(), function().latest)
    assert not [member for member in shown if member.startswith(("State", "LastUpdate"))]
    assert render.configuration(function(), function().latest)["State"] == "Active"
