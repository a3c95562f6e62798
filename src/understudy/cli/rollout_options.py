"""Options of commands that release: ``--canary`` and ``--without-proof``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from understudy.reconcile.rollout.model import Canary

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def canary_option(command: Decorated) -> Decorated:
    """Adds ``--canary PERCENT%/TIME``."""
    return click.option(
        "--canary",
        metavar="PERCENT%/TIME",
        default="",
        help="Give a new version a part of the traffic first, as 10%/5m; it is taken back on errors.",
    )(command)


def without_proof_option(command: Decorated) -> Decorated:
    """Adds ``--without-proof REASON``."""
    return click.option(
        "--without-proof",
        metavar="REASON",
        default="",
        help="Deploy what is not proved to an AWS target; the reason is kept with the version.",
    )(command)


def parse(text: str) -> Canary | None:
    """Returns the canary that was asked for; None when there was none.

    Raises:
        UnderstudyError: the text is no canary.
    """
    if not text:
        return None
    # Here, because the SDK comes with it.
    from understudy.reconcile.rollout import plan

    return plan.parse_canary(text)
