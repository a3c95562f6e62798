"""The image root that the sandbox suites share; prints the session's figures, of its worker processes too."""

from collections.abc import Iterator

import pytest
from xdist.workermanage import WorkerController

from tests import figures
from tests.fakes import runtime_root
from tests.fakes.runtime_root import Place


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
