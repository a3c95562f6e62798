import threading

import pytest

from understudy.errors import UnderstudyError
from understudy.manifests.model import ResourceKey
from understudy.reconcile import graph


def key(name: str) -> ResourceKey:
    return ResourceKey("Role", name)


def test_dependencies_run_first() -> None:
    done: list[str] = []
    needs = {key("c"): [key("b")], key("b"): [key("a")], key("a"): []}
    outcome = graph.run(needs, lambda one: done.append(one.name))
    assert done == ["a", "b", "c"]
    assert set(outcome.results) == set(needs)


def test_independent_work_runs_at_once() -> None:
    meeting = threading.Barrier(3, timeout=60)
    outcome = graph.run({key(name): [] for name in "abc"}, lambda _: meeting.wait() >= 0)
    assert set(outcome.results.values()) == {True}


def test_failure_keeps_its_dependents_from_starting() -> None:
    started: list[str] = []

    def work(one: ResourceKey) -> None:
        started.append(one.name)
        if one.name == "a":
            raise UnderstudyError("x", "no", hint="h")

    outcome = graph.run({key("a"): [], key("b"): [key("a")]}, work)
    assert started == ["a"]
    assert outcome.failures[key("a")].code == "x"
    assert outcome.results == {}


def test_dependencies_outside_the_graph_are_ignored() -> None:
    assert graph.run({key("a"): [key("elsewhere")]}, lambda one: one.name).results == {key("a"): "a"}


def test_bug_in_the_work_is_not_swallowed() -> None:
    def work(_: ResourceKey) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        graph.run({key("a"): []}, work)
