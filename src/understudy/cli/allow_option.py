"""``--allow RULE=REASON``: what a user knows better than a rule, with the reason on record."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def allow_option(command: Decorated) -> Decorated:
    """Adds ``--allow``; the command gets rules with their reasons."""
    option = click.option(
        "--allow",
        "allowed",
        metavar="RULE=REASON",
        multiple=True,
        callback=lambda _context, _option, values: parse(values),
        help="Let findings of a rule pass; the reason is recorded in the proof. May be repeated.",
    )
    return option(command)


def parse(values: tuple[str, ...]) -> dict[str, str]:
    """Returns the rules with their reasons.

    Raises:
        click.BadParameter: a reason is missing, or there is no such rule.
    """
    allowed = {}
    for value in values:
        rule, _, reason = (part.strip() for part in value.partition("="))
        if not rule or not reason:
            raise click.BadParameter(f"{value!r} is not RULE=REASON", param_hint="--allow")
        allowed[rule] = reason
    if allowed:
        _check(allowed)
    return allowed


def _check(allowed: dict[str, str]) -> None:
    # Here, because all rules are loaded to know their names.
    from understudy.verify import run

    try:
        run.check_rules(allowed)
    except run.UnknownRuleError as exc:
        raise click.BadParameter(f"{exc.message}: {exc.hint}", param_hint="--allow") from exc
