"""Reads what the observer wrote among the image's own output; pure."""

from __future__ import annotations

import ast
import ipaddress
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast, get_args
from urllib.parse import urlsplit

from understudy.verify.boot import stacks
from understudy.verify.boot.model import Frame, Observations, Observed, ObservedKind
from understudy.verify.boot.observer import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_THREAD = re.compile(r"(?:Current thread|Thread) 0x[0-9a-f]+(?: \[.*\])? \(most recent call first\):")
_FRAME = re.compile(r'  File "(?P<path>[^"]*)", line (?P<line>\d+) in (?P<name>.*)')
_FATAL = re.compile(r"Fatal Python error: (?!none)")
_TIMEOUT = re.compile(r"Timeout \(\d+:\d\d:\d\d")
_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})


@dataclass(slots=True)
class _Dump:
    """Stacks as faulthandler writes them, innermost frame first, the main thread last."""

    threads: list[list[tuple[Frame, str]]] = field(default_factory=list)


def parse(output: str, *, name_of: Callable[[str], str] = str, endpoint: str = "") -> Observations:
    """What the observer saw.

    Args:
        output: of the observed boot, all of it.
        name_of: the name that was resolved to an address, or the address.
        endpoint: URL of the engine, which is told under it although it is local.
    """
    items = list(_items(output))
    if not items:
        return Observations(problem="the image's Python did not load the observer")
    leading = items[0][0]
    own = [item for pid, item in items[1:] if pid == leading]
    dumps = _dumps(output)
    left = _threads_left(dumps["signal"], [item for item in own if item.kind == "thread"])
    others = [item for item in own if item.kind != "thread" and item.frames]
    kept = [_named(_of_engine(item, endpoint), name_of) for item in others]
    return Observations(
        items=(*_merged(item for item in kept if item is not None), *left),
        waiting=_main_stack(dumps["timeout"]),
        crashed=_main_stack(dumps["fatal"]),
    )


def _items(output: str) -> Iterator[tuple[int, Observed]]:
    for line in output.splitlines():
        if not line.startswith(MARK):
            continue
        try:
            pid, kind, what, frames, _ = ast.literal_eval(line.removeprefix(MARK))
        except (ValueError, SyntaxError):
            continue
        if kind == "ready":
            kind = "exit"
        if kind not in get_args(ObservedKind):
            continue
        found = tuple(Frame(path=path, line=number) for path, number in frames if not stacks.is_client(path))
        yield pid, Observed(kind=cast("ObservedKind", kind), what=what, frames=found)


def _of_engine(item: Observed, endpoint: str) -> Observed:
    parts = urlsplit(endpoint)
    host, _, port = item.what.rpartition(":")
    local = item.kind == "connect" and (_is_local(host) or host == parts.hostname)
    return replace(item, what=endpoint) if endpoint and local and port == str(parts.port) else item


def _named(item: Observed, name_of: Callable[[str], str]) -> Observed | None:
    """The item with names instead of the addresses they were resolved to; `None` when it stays inside."""
    if item.kind == "lookup":
        return None if _is_local(item.what) or _is_address(item.what) else item
    if item.kind == "connect" and "://" not in item.what:
        host, _, port = item.what.rpartition(":")
        return None if _is_local(host) else replace(item, what=f"{name_of(host)}:{port}")
    return item


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_local(host: str) -> bool:
    if host in _LOCAL_NAMES or not host:
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _merged(items: Iterable[Observed]) -> Iterator[Observed]:
    found: dict[tuple[str, str, tuple[Frame, ...]], Observed] = {}
    for item in items:
        key = (item.kind, item.what, item.frames)
        known = found.get(key)
        found[key] = item if known is None else replace(known, count=known.count + 1)
    yield from found.values()


def _dumps(output: str) -> dict[str, _Dump]:
    found = {"signal": _Dump(), "timeout": _Dump(), "fatal": _Dump()}
    current = found["signal"]
    for line in output.splitlines():
        if _FATAL.match(line):
            current = found["fatal"]
        elif _TIMEOUT.match(line):
            current = found["timeout"]
        elif _THREAD.match(line):
            current.threads.append([])
        elif (frame := _FRAME.match(line)) is not None and current.threads:
            place = Frame(path=frame["path"], line=int(frame["line"]))
            current.threads[-1].append((place, frame["name"]))
    return found


def _main_stack(dump: _Dump) -> tuple[Frame, ...]:
    if not dump.threads:
        return ()
    stack = [frame for frame, _ in dump.threads[-1] if not frame.path.startswith("<")]
    own = [frame for frame in stack if stacks.is_own(frame.path)]
    return tuple(own or stack[:1])


def _threads_left(dump: _Dump, starts: list[Observed]) -> Iterator[Observed]:
    """Every thread of the image's code that runs when the runtime asks for its first event.

    The runtime client has a thread of its own on newer images; it starts without a frame of anyone else's.
    """
    left = [stack for stack in dump.threads[:-1] if stack]
    if len(starts) == len(left):
        yield from (start for start in reversed(starts) if start.frames)
        return
    of_client = sum(not start.frames for start in starts)
    for stack in left:
        if of_client and all(stacks.is_standard(frame.path) for frame, _ in stack):
            of_client -= 1
            continue
        outermost = [pair for pair in stack if not pair[0].path.endswith("/threading.py")] or stack
        place, name = outermost[-1]
        yield Observed(kind="thread", what=name, frames=(place,))
