"""The image root that the sandbox suites share; prints the session's figures, of its worker processes too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from tests import figures
from tests.fakes import runtime_root
from tests.fakes.runtime_root import Place

# Both use two processors by themselves, and count on calls that take no longer than usual.
_IN_TURN = {"test_crash_points", "test_fault_runs"}


class _Files(LoadFileScheduling):
    """Keeps a file's tests in one worker process: they share what took long to make."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "in turn" if Path(file).stem in _IN_TURN else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    return _Files(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["figures"] = figures.FIGURES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController) -> None:
    figures.FIGURES.extend(getattr(node, "workeroutput", {}).get("figures", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if figures.FIGURES:
        terminalreporter.section("figures")
        for figure in figures.FIGURES:
            terminalreporter.write_line(figure)


@pytest.fixture(scope="session")
def sandbox_place() -> Iterator[Place]:
    """Made once, and packed and loaded into Docker once; whoever needs more adds a layer."""
    with runtime_root.made() as made:
        yield made
        made.unload()
