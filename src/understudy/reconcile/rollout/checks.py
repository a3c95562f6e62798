"""Looks at a release once callers reach it: its health, its readiness, its log and its cold start."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from understudy.reconcile.aws import Aws
from understudy.reconcile.rollout import logs, plan
from understudy.reconcile.rollout.model import Seen

HEALTH_LIMIT_S = 2.0

_ATTEMPTS = 5  # an API that was just made, or an alias that was just moved, takes a moment to spread
_PAUSE_S = 1.0
_TIMEOUT_S = 15.0
_OK, _ABSENT, _REFUSED = 200, 404, (401, 403)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an HTTP GET got.

    Attributes:
        status: 0 when nothing answered.
        seconds: until the answer was there.
        text: the beginning of the body, or why nothing answered.
    """

    status: int
    seconds: float
    text: str = ""


class Get(Protocol):
    """Asks a URL; never raises for what the other side does."""

    def __call__(self, url: str, timeout_s: float) -> Answer:
        """Returns the answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        outcome: `skipped` when it does not apply here; the detail says why.
        detail: what was found.
    """

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    detail: str


def web(aws: Aws, url: str, get: Get) -> Iterator[Check]:
    """Yields health and readiness at the base URL of a function."""
    answer = _asked(aws, f"{url}/health", get, _REFUSED)
    yield _health(answer)
    if answer.status == _OK:
        yield _ready(_asked(aws, f"{url}/ready", get, (_ABSENT, *_REFUSED)))


def log(aws: Aws, function: str, version: str, began_ms: int, request_id: str) -> Iterator[Check]:
    """Yields what a version logged since the deploy began.

    Args:
        aws: where.
        function: its name.
        version: the version.
        began_ms: when, epoch milliseconds.
        request_id: of a request to it, whose REPORT is waited for; empty when there was none.
    """
    seen, has_arrived = logs.since(aws, function, version, began_ms, request_id)
    where = f"log of {function}, version {version}"
    if seen.fatal:
        yield Check(name=where, outcome="failed", detail=seen.fatal[0])
    elif not has_arrived:
        detail = f"no REPORT of request {request_id} within {logs.ARRIVES_S:g} s"
        yield Check(name=where, outcome="skipped", detail=detail)
    else:
        yield Check(name=where, outcome="passed", detail="no ImportModuleError, HandlerNotFound or ExitError")
    yield _cold_start(seen)


def _cold_start(seen: Seen) -> Check:
    if not seen.cold_start_s:
        return Check(name="cold start", outcome="skipped", detail="the log shows no init phase")
    is_short = seen.cold_start_s < plan.COLD_START_LIMIT_S
    limit = f"limit {plan.COLD_START_LIMIT_S:g} s"
    return Check(
        name="cold start",
        outcome="passed" if is_short else "failed",
        detail=f"{seen.cold_start_s:.2f} s, {limit}",
    )


def _asked(aws: Aws, url: str, get: Get, final: Collection[int]) -> Answer:
    """The first answer that is fine, else the last: the first request may pay for a cold start."""
    answer = get(url, _TIMEOUT_S)
    for _ in range(_ATTEMPTS - 1):
        if answer.status in final or (answer.status == _OK and answer.seconds < HEALTH_LIMIT_S):
            break
        aws.clock.sleep(_PAUSE_S)
        answer = get(url, _TIMEOUT_S)
    return answer


def _health(answer: Answer) -> Check:
    name, took = "GET /health", f"in {answer.seconds:.2f} s"
    if answer.status in _REFUSED:
        return Check(name=name, outcome="skipped", detail=f"{answer.status}: the API asks for credentials")
    if answer.status != _OK:
        found = f"{answer.status} {took}" if answer.status else "no answer"
        return Check(name=name, outcome="failed", detail=f"{found}, expected 200: {answer.text}")
    if answer.seconds >= HEALTH_LIMIT_S:
        return Check(name=name, outcome="failed", detail=f"200 {took}, limit {HEALTH_LIMIT_S:g} s")
    return Check(name=name, outcome="passed", detail=f"200 {took}")


def _ready(answer: Answer) -> Check:
    name = "GET /ready"
    if answer.status in (_ABSENT, *_REFUSED):
        return Check(name=name, outcome="skipped", detail=f"{answer.status}: the app does not offer it")
    if answer.status != _OK:
        return Check(name=name, outcome="failed", detail=f"{answer.status}, expected 200: {answer.text}")
    return Check(name=name, outcome="passed", detail=f"200 in {answer.seconds:.2f} s")
