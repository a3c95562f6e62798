"""Limits are checked where there is something to check."""

import dataclasses

import pytest
from bench import limits
from bench.limits import Check

from tests.unit.bench import samples


def test_a_good_run_meets_every_limit() -> None:
    assert [one.text for one in limits.check(samples.complete()) if one.met is not True] == []


def test_figures_of_the_checks() -> None:
    measured = [one.measured for one in limits.check(samples.complete())]
    assert measured == pytest.approx(
        [1.3 / 0.4, 11 / 1.3, 10.0, 100 * 950 / 3000, 0.34 / 0.305, 0.75 - 0.34, 0.05, 98, 90, 3]
    )


def test_without_docker_what_needs_it_is_neither_met_nor_failed() -> None:
    checks = limits.check(samples.without_docker())
    assert [one.met for one in checks] == [True, None, None, True, True, None, None, None, None, None]


def test_a_limit_can_be_missed_from_either_side() -> None:
    slow = dataclasses.replace(samples.complete(), up_second_s=(5.1,), rss_mb={"engine": 251.0})
    missed = [one.text for one in limits.check(slow) if one.met is False]
    assert missed == ["engine and delegate after a push, RSS", "second up"]
    assert Check(text="", measured=4.9, wanted=5, at_least=True).met is False
    assert Check(text="", measured=5.0, wanted=5, at_least=True).met is True
