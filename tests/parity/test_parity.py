"""The page about LocalStack says what a new measurement of the engine says."""

import difflib
from collections.abc import Sequence

import pytest

from tests.parity import measure, page
from tests.parity.__main__ import PAGE
from tests.parity.model import Measured, Row, SkippedError, Verdict, judge
from tests.parity.world import World


@pytest.fixture(scope="module")
def measured() -> Sequence[Measured]:
    with World() as world:
        return measure.measure(world)


def test_every_row_is_measured(measured: Sequence[Measured]) -> None:
    open_rows = [each for each in measured if each.verdict in (Verdict.UNKNOWN, Verdict.SKIPPED)]
    assert not open_rows, "\n".join(f"{each.row.key}: {each.observed}" for each in open_rows)


def test_no_two_rows_are_one() -> None:
    keys = [row.key for row in measure.ROWS]
    assert len(keys) == len(set(keys))


def test_the_page_says_what_was_measured(measured: Sequence[Measured]) -> None:
    written, found = page.comparable(PAGE.read_text()), page.comparable(page.render(measured, "now"))
    difference = "\n".join(difflib.unified_diff(written, found, "the page", "this measurement", lineterm=""))
    assert not difference, f"run python -m tests.parity --write:\n{difference}"


def _row(observe: object) -> Row:
    return Row(area="area", name="name", localstack="200", observe=observe)  # type: ignore[arg-type]


def _raise(error: Exception) -> str:
    raise error


@pytest.mark.parametrize(
    ("observed", "verdict"),
    [
        ("200", Verdict.SAME),
        ("404", Verdict.DIFFERS),
        ("refused: 501 no such thing here", Verdict.REFUSED),
        (SkippedError("cannot"), Verdict.SKIPPED),
        (ValueError("odd"), Verdict.UNKNOWN),
        (AssertionError("odd"), Verdict.UNKNOWN),
    ],
)
def test_a_verdict_follows_from_what_was_seen(observed: str | Exception, verdict: Verdict) -> None:
    def observe(_: object) -> str:
        return _raise(observed) if isinstance(observed, Exception) else observed

    assert judge(_row(observe), None).verdict is verdict  # type: ignore[arg-type]
