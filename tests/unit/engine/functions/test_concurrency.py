from dataclasses import replace

import pytest

from tests.unit.engine.functions.records import function
from understudy.engine.functions.concurrency import Concurrency
from understudy.engine.protocol import ApiError


def test_a_reservation_throttles_on_its_own() -> None:
    mine = replace(function("mine"), reserved=2)
    counter = Concurrency().counter(mine, [mine])
    counter.enter()
    counter.enter()
    with pytest.raises(ApiError) as caught:
        counter.enter()
    assert caught.value.fields["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    counter.leave()
    counter.enter()


def test_a_reservation_made_again_counts_what_still_runs_under_the_one_before() -> None:
    concurrency, mine = Concurrency(), replace(function("mine"), reserved=1)
    before = concurrency.counter(mine, [mine])
    before.enter()
    concurrency.counter(function("mine"), [mine])
    with pytest.raises(ApiError, match="Rate Exceeded"):
        concurrency.counter(mine, [mine]).enter()
    before.leave()
    concurrency.counter(mine, [mine]).enter()


def test_a_reservation_of_nothing_switches_the_function_off() -> None:
    mine = replace(function("mine"), reserved=0)
    with pytest.raises(ApiError):
        Concurrency().counter(mine, [mine]).enter()


def test_functions_without_a_reservation_share_the_rest() -> None:
    mine, other, reserved = function("mine"), function("other"), replace(function("third"), reserved=8)
    everything = [mine, other, reserved]
    concurrency = Concurrency(10)
    concurrency.counter(mine, everything).enter()
    concurrency.counter(other, everything).enter()
    with pytest.raises(ApiError) as caught:
        concurrency.counter(mine, everything).enter()
    assert caught.value.fields["Reason"] == "ConcurrentInvocationLimitExceeded"


def test_a_reservation_must_leave_a_hundred_for_the_others() -> None:
    mine, other = replace(function("mine"), reserved=100), replace(function("other"), reserved=500)
    concurrency = Concurrency(1000)
    concurrency.check_reservation(mine, [mine, other], 400)
    with pytest.raises(ApiError, match=r"below its minimum value of \[100\]"):
        concurrency.check_reservation(mine, [mine, other], 401)
    with pytest.raises(ApiError, match="greater than or equal to 0"):
        concurrency.check_reservation(mine, [mine, other], -1)
