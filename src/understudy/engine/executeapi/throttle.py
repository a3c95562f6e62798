"""Token buckets: how many requests a stage or a route takes.

API Gateway's are the same algorithm ("Throttle requests", developer guide): a bucket of `burst` tokens that
fills with `rate` tokens per second; a request takes one.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

ACCOUNT_RATE = 10_000.0
ACCOUNT_BURST = 5_000
"""The account's quotas, which stand in for the one of a pair that is not set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Requests per second, and how many may come at once."""

    rate: float
    burst: int


def limits(rate: float | None, burst: int | None) -> Limits | None:
    """Returns the limits of a setting, or None when it sets neither."""
    if rate is None and burst is None:
        return None
    return Limits(
        rate=ACCOUNT_RATE if rate is None else rate, burst=ACCOUNT_BURST if burst is None else burst
    )


class Throttle:
    """The buckets by whatever they are kept for; a bucket starts full."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def admits(self, key: Hashable, limits: Limits | None) -> bool:
        """Takes a token of the bucket `key`; False when there is none."""
        if limits is None:
            return True
        now = self._clock()
        tokens, since = self._buckets.get(key, (float(limits.burst), now))
        tokens = min(float(limits.burst), tokens + (now - since) * limits.rate)
        admitted = tokens >= 1
        self._buckets[key] = (tokens - 1 if admitted else tokens, now)
        return admitted
