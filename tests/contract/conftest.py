"""Prints the figures of the session below its results, those of its worker processes too."""

import pytest
from xdist.workermanage import WorkerController

from tests.contract import figures


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
