"""Process trees and their memory, seen from this very process."""

import os

from bench import processes


def test_a_tree_begins_with_its_root() -> None:
    assert processes.tree(os.getpid())[0] == os.getpid()


def test_figures_of_a_process() -> None:
    assert processes.resident_mb(os.getpid()) > 1
    assert processes.resident_mb(2**22 + 1) == 0.0
    assert "py" in processes.command_line(os.getpid())
