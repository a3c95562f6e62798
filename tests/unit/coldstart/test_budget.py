from dataclasses import replace

import pytest

from tests.fakes.coldstarts import HOST, report
from understudy.coldstart import budget
from understudy.coldstart.budget import Budget
from understudy.coldstart.model import Report

OLD = f"sha256:{'b' * 64}"


def slower(by: float) -> Report:
    return report(*[1000.0 * (1 + by) + number for number in range(8)])


BEFORE = replace(slower(0), digest=OLD)


def test_the_limit_is_about_init_and_the_first_request() -> None:
    for limit_ms, passed in ((1100.0, True), (1099.0, False)):
        (verdict,) = budget.check(Budget(limit_ms=limit_ms), report(1000.0), None)
        assert verdict.passed is passed
        assert verdict.detail == "1.10 s, limit 1.10 s"


@pytest.mark.parametrize(
    ("by", "passed"), [(0.05, True), (0.2, False), (-0.2, True)], ids=["within", "slower", "faster"]
)
def test_what_is_slower_by_more_than_allowed_breaks_it(by: float, passed: bool) -> None:
    (verdict,) = budget.check(Budget(regression=0.1), slower(by), BEFORE)
    assert (verdict.passed, verdict.is_suspect) == (passed, not passed)
    assert f"{by:+.0%} (p = 0.00" in verdict.detail


def test_what_chance_explains_breaks_nothing() -> None:
    before, after = (replace(report(900, 1000, 1900), digest=OLD), report(950, 1200, 1800))
    (verdict,) = budget.check(Budget(regression=0.1), after, before)
    assert (verdict.passed, verdict.is_suspect) == (True, True)
    assert "+20%" in verdict.detail


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (None, "no digest was accepted yet"),
        (replace(BEFORE, digest=slower(0).digest), "it is the accepted digest itself"),
        (replace(BEFORE, host=replace(HOST, processors=64)), "measured with another machine"),
        (replace(BEFORE, function="admin"), "measured with another function"),
        (replace(BEFORE, event="GET /"), "measured with another event"),
        (replace(BEFORE, stand_in_for="python:3.13"), "measured with another base image"),
    ],
    ids=["none", "same-digest", "machine", "function", "event", "base"],
)
def test_what_cannot_be_compared_is_said_to_be(before: Report | None, reason: str) -> None:
    (verdict,) = budget.check(Budget(regression=0.1), slower(2), before)
    assert verdict.passed
    assert verdict.detail.startswith("not compared: ")
    assert reason in verdict.detail


def test_no_budget_says_nothing() -> None:
    assert budget.check(Budget(), report(1.0), BEFORE) == ()
