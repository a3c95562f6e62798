"""The boot: the image under Lambda's constraints, watched."""

from understudy.verify.boot.judging import findings
from understudy.verify.boot.model import (
    Attempt,
    BootReport,
    BootRequest,
    Event,
    Frame,
    Observations,
    Observed,
    Outcome,
)
from understudy.verify.boot.starting import boot, run, sandbox_spec
from understudy.verify.rules.boot import RULES

__all__ = [
    "RULES",
    "Attempt",
    "BootReport",
    "BootRequest",
    "Event",
    "Frame",
    "Observations",
    "Observed",
    "Outcome",
    "boot",
    "findings",
    "run",
    "sandbox_spec",
]
