"""Runs work on the nodes of a dependency graph: what is independent runs at once, in few threads."""

import graphlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from understudy.errors import UnderstudyError
from understudy.manifests.model import ResourceKey

T = TypeVar("T")

_WORKERS = 8


class Outcome(Generic[T]):
    """What the work returned per node, and the errors of those that failed."""

    def __init__(self) -> None:
        self.results: dict[ResourceKey, T] = {}
        self.failures: dict[ResourceKey, UnderstudyError] = {}


def run(
    dependencies: Mapping[ResourceKey, Iterable[ResourceKey]], work: Callable[[ResourceKey], T]
) -> Outcome[T]:
    """The outcome of `work` on every node, dependencies first.

    After a failure nothing new is started; work that runs already is waited for. Dependencies that are no
    nodes are ignored.
    """
    sorter = graphlib.TopologicalSorter(
        {key: [need for need in needs if need in dependencies] for key, needs in dependencies.items()}
    )
    sorter.prepare()
    outcome: Outcome[T] = Outcome()
    running: dict[Future[T], ResourceKey] = {}
    with ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="reconcile") as pool:
        while sorter.is_active() and not (outcome.failures and not running):
            if not outcome.failures:
                running.update({pool.submit(work, key): key for key in sorter.get_ready()})
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                _collect(future, running.pop(future), outcome, sorter)
    return outcome


def _collect(
    future: Future[T],
    key: ResourceKey,
    outcome: Outcome[T],
    sorter: "graphlib.TopologicalSorter[ResourceKey]",
) -> None:
    try:
        outcome.results[key] = future.result()
    except UnderstudyError as exc:
        outcome.failures[key] = exc
    else:
        sorter.done(key)


def reverse(
    dependencies: Mapping[ResourceKey, Iterable[ResourceKey]],
) -> dict[ResourceKey, list[ResourceKey]]:
    """The same graph with all edges turned: what depends on a node comes before it."""
    turned: dict[ResourceKey, list[ResourceKey]] = {key: [] for key in dependencies}
    for key, needs in dependencies.items():
        for need in needs:
            if need in turned:
                turned[need].append(key)
    return turned
