"""Single timed requests, each on a connection of its own."""

import contextlib
import http.client
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from bench.wrk import Target
from understudy.errors import UnderstudyError

_TIMEOUT_S = 60.0


class AnswerError(UnderstudyError):
    """A contender answered something else than 200."""


def get(target: Target) -> tuple[float, int, bytes]:
    """Returns how long one GET took from connect to the last byte, its status and body."""
    url = urlsplit(target.url)
    started = time.perf_counter()
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", url.path)
        response = connection.getresponse()
        body = response.read()
        return time.perf_counter() - started, response.status, body
    finally:
        connection.close()


def first_ok(target: Target) -> float:
    """Returns the seconds that one request took to its 200.

    Raises:
        AnswerError: it answered something else.
    """
    seconds, status, body = get(target)
    if status != 200:
        raise AnswerError(
            "bench-answer",
            f"{target.url} answered {status}: {body[:300].decode(errors='replace')}",
            hint="read the logs below .understudy/bench",
        )
    return seconds


def same_answer(targets: Sequence[Target]) -> None:
    """Returns when all give one and the same answer, so that the app is what answers everywhere.

    Raises:
        AnswerError: they differ.
    """
    bodies = [get(target)[2] for target in targets]
    for target, body in zip(targets, bodies, strict=True):
        if body != bodies[0]:
            raise AnswerError(
                "bench-answer",
                f"{target.url} answers {body[:200]!r}, {targets[0].url} {bodies[0][:200]!r}",
                hint="run python -m bench --no-peers",
            )


def until(target: Target, marker: bytes, *, within_s: float, pause_s: float = 0.02) -> float:
    """Returns the seconds from now to the first 200 whose body holds `marker`.

    Raises:
        AnswerError: it never does.
    """
    started = time.perf_counter()
    status, body = 0, b""
    while time.perf_counter() - started < within_s:
        _, status, body = get(target)
        if status == 200 and marker in body:
            return time.perf_counter() - started
        time.sleep(pause_s)
    raise AnswerError(
        "bench-answer",
        f"{target.url} does not show {marker!r} within {within_s:.0f} s; last: {status} {body[:200]!r}",
        hint="read the logs below .understudy/bench",
    )


def until_listening(target: Target, within_s: float = 60.0) -> None:
    """Returns once the target answers 200.

    Raises:
        AnswerError: it does not in time.
    """
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if get(target)[1] == 200:
                return
        time.sleep(0.02)
    first_ok(target)
