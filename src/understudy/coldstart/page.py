"""A report as one HTML file that needs no network: the data and the program that draws it."""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
from typing import TYPE_CHECKING

from understudy.coldstart import comparison
from understudy.coldstart.model import USD_PER_GB_S
from understudy.coldstart.text import BANNER

if TYPE_CHECKING:
    from understudy.coldstart.model import Report

_PLACE = "__DATA__"


def render(report: Report, *, before: Report | None = None, before_name: str = "") -> str:
    """The page.

    Args:
        report: what it shows.
        before: an earlier report to compare it with.
        before_name: what that one is called.
    """
    data = {
        "report": dataclasses.asdict(report),
        "banner": BANNER,
        "usd_per_gb_s": USD_PER_GB_S,
        "before": before_name,
        "comparison": dataclasses.asdict(comparison.compare(before, report)) if before else None,
    }
    page = importlib.resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    # In a script element only "</" and "<!--" end or change anything.
    return page.replace(_PLACE, json.dumps(data).replace("<", "\\u003c"), 1)
