"""Load with wrk (https://github.com/wg/wrk): one process, C, so that the client is not what is measured."""

import re
import shutil
import subprocess
from dataclasses import dataclass

from understudy.errors import EnvironmentProblemError, UnderstudyError

_TO_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where requests go."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What wrk reported."""

    p50_ms: float
    p99_ms: float
    per_second: float
    requests: int


class LoadError(UnderstudyError):
    """Requests failed, so that the figures mean nothing."""


def require() -> str:
    """Returns the path of wrk.

    Raises:
        EnvironmentProblemError: it is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise EnvironmentProblemError(
            "wrk-missing", "the benchmark drives its contenders with wrk", hint="apt-get install wrk"
        )
    return found


def run(target: Target, *, clients: int, seconds: int) -> Load:
    """Returns the latency and the rate of `clients` keep-alive clients.

    Raises:
        LoadError: an answer was no 2xx, or a connection failed.
    """
    command = [require(), "-t1", f"-c{clients}", f"-d{seconds}s", f"--timeout={_TIMEOUT_S}s", "--latency"]
    done = subprocess.run(
        [*command, target.url],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 2 * _TIMEOUT_S,
    )
    return parse(done.stdout)


def parse(text: str) -> Load:
    """Returns what wrk's report with --latency says.

    Raises:
        LoadError: it tells of failed requests, or it is none of wrk's.
    """
    for pattern in (r"Non-2xx or 3xx responses: \d+", r"Socket errors: .*"):
        failed = re.search(pattern, text)
        if failed:
            raise _bad(failed[0])
    rate = re.search(r"^Requests/sec:\s+([\d.]+)", text, re.MULTILINE)
    requests = re.search(r"^\s*(\d+) requests in", text, re.MULTILINE)
    if rate is None or requests is None or not int(requests[1]):
        raise _bad("no request was answered")
    return Load(
        p50_ms=_percentile(text, 50),
        p99_ms=_percentile(text, 99),
        per_second=float(rate[1]),
        requests=int(requests[1]),
    )


def _percentile(text: str, percent: int) -> float:
    found = re.search(rf"^\s*{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
    if found is None:
        raise _bad(f"the report has no {percent} % line")
    return float(found[1]) * _TO_MS[found[2]]


def _bad(message: str) -> LoadError:
    return LoadError("bench-load", f"wrk: {message}", hint="read the logs below .understudy/bench")
