"""What long work reports while it runs; the command line draws it, a detached run writes it as JSON lines."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A step began, such as ``build dashboard``."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """One line of what a running step does now."""

    step: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A step ended well.

    Attributes:
        detail: what came out of it, such as a digest or a count.
    """

    step: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Something that the user must know and that is no error."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A step failed, and what runs goes on with what it had."""

    step: str
    error: str


Event = Started | Advanced | Done | Noticed | Failed
Report = Callable[[Event], None]

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Started, Advanced, Done, Noticed, Failed)}


def to_line(event: Event) -> str:
    """Returns an event as one line of JSON."""
    return json.dumps({"event": type(event).__name__, **dataclasses.asdict(event)})


def from_line(line: str) -> Event:
    """Returns the event of a line that `to_line` made."""
    fields = json.loads(line)
    event: Event = _KINDS[fields.pop("event")](**fields)
    return event
