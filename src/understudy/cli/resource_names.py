"""Resources as people name them on a command line: a kind in any spelling, or KIND/NAME."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from understudy.errors import UnderstudyError
from understudy.manifests import errors, kinds
from understudy.manifests.model import ResourceKey

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def allow_delete_option(command: Decorated) -> Decorated:
    """Adds ``--allow-delete``; the command gets keys."""
    option = click.option(
        "--allow-delete",
        "allowed",
        metavar="KIND/NAME",
        multiple=True,
        callback=lambda _context, _option, values: tuple(map(parse, values)),
        help="Take this resource away although it holds data or is to be retained. May be repeated.",
    )
    return option(command)


def parse(text: str) -> ResourceKey:
    """The resource that `KIND/NAME` names.

    Raises:
        UnderstudyError: the kind is none, or the name is missing.
    """
    kind, _, name = text.partition("/")
    if not name:
        raise UnderstudyError(
            "resource-name", f"{text} is not KIND/NAME", hint="./understudy get lists the resources"
        )
    return ResourceKey(kind_of(kind), name)


def kind_of(text: str) -> str:
    """The kind that somebody means by `text`, which may be lower case or plural, as kubectl takes it.

    Raises:
        UnderstudyError: there is no such kind; the hint names the nearest.
    """
    spellings = {spelling.lower(): name for name in kinds.KINDS for spelling in (name, *_plurals(name))}
    if text.lower() in spellings:
        return spellings[text.lower()]
    close = errors.nearest(text, kinds.KINDS)
    raise UnderstudyError(
        "kind-unknown",
        f"{text} is no kind of resource; known are {', '.join(sorted(kinds.KINDS))}",
        hint=f"./understudy get {close}" if close else "./understudy get, without a kind, lists all",
    )


def _plurals(name: str) -> tuple[str, str, str]:
    return f"{name}s", f"{name}es", f"{name[:-1]}ies"
