"""Places and turns that pools share."""

import asyncio

import pytest

from understudy.engine.functions.background import Background
from understudy.engine.functions.budget import Budget, Turn
from understudy.engine.protocol import ApiError


class Line:
    """A pool that only counts."""

    def __init__(self, budget: Budget, *idle_since: float) -> None:
        self.budget = budget
        self.since = list(idle_since)
        self.turns: list[Turn] = []
        self.begun = asyncio.Semaphore(0)
        budget.pools.add(self)

    @property
    def idle(self) -> int:
        return len(self.since)

    @property
    def oldest_idle(self) -> float:
        return self.since[0]

    def drop_oldest(self) -> None:
        self.since.pop(0)
        self.budget.give_back()

    def start_one(self) -> None:
        self.turns.append(self.budget.turn())
        self.begun.release()


def make_budget(places: int = 2, turn_s: float = 600.0) -> Budget:
    return Budget(places, Background(), starts_at_once=1, turn_s=turn_s)


def test_the_longest_idle_environment_of_all_pools_makes_room() -> None:
    budget = make_budget()
    older, newer = Line(budget, 1.0), Line(budget, 2.0)
    for _ in range(3):
        budget.take()
    assert (older.idle, newer.idle, budget.used) == (0, 1, 2)


def test_busy_places_are_throttled() -> None:
    budget = make_budget(0)
    with pytest.raises(ApiError):
        budget.take()


async def test_a_turn_ends_once() -> None:
    budget = make_budget()
    line = Line(budget)
    for _ in range(3):
        budget.queue(line)
    assert len(line.turns) == 1
    line.turns[0].end()
    line.turns[0].end()
    assert len(line.turns) == 2


async def test_a_turn_ends_by_the_clock() -> None:
    budget = make_budget(turn_s=0.0)
    line = Line(budget)
    budget.queue(line)
    budget.queue(line)
    for _ in range(2):
        await line.begun.acquire()


async def test_the_last_place_in_line_is_what_is_withdrawn() -> None:
    budget = make_budget()
    first, second = Line(budget), Line(budget)
    for line in (first, second, first, second):
        budget.queue(line)
    budget.withdraw(first)
    first.turns[0].end()
    second.turns[0].end()
    second.turns[1].end()
    assert (len(first.turns), len(second.turns)) == (1, 2)
