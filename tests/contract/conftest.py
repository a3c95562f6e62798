"""Prints the figures of the session below its results."""

import pytest

from tests.contract import figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if figures.FIGURES:
        terminalreporter.section("figures")
        for figure in figures.FIGURES:
            terminalreporter.write_line(figure)
