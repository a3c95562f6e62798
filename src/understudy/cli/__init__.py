"""The command line: parse, call one library function, render, map to an exit code."""

from understudy.cli.root import main

__all__ = ["main"]
