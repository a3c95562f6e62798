"""AWS as strict as it is documented, in front of our engine and its delegate.

What the engine and the delegate refuse already is not repeated here. Every rule keeps state in memory, so a
double belongs to one endpoint with nothing in it. Run as
``python -m tests.doubles.strict UPSTREAM_URL`` to keep one on loopback; it prints its URL.
"""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.doubles import strict_inputs, strict_policies, strict_reads, strict_registry, strict_states
from tests.doubles.server import Double
from tests.doubles.strict_rules import Rules
from tests.doubles.wire import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """How long AWS takes over things; shorter than there, but never nothing.

    Attributes:
        role_s: until Lambda can assume a new role.
        role_uses: attempts with a new role that are refused however late they come.
        function_s: a new function or version is Pending.
        update_s: a change of a function is InProgress.
        table_s: a table is CREATING or UPDATING.
        backups_s: point-in-time recovery cannot be set after a table became ACTIVE.
        stale_reads: reads after a write that do not see it yet.
        token_requests: registry requests that one authorization token is good for.
    """

    role_s: float = 1.5
    role_uses: int = 0
    function_s: float = 0.8
    update_s: float = 0.5
    table_s: float = 0.5
    backups_s: float = 0.3
    stale_reads: int = 1
    token_requests: int = 1_000_000


def rules(now: Callable[[], float], delays: Delays) -> Rules:
    """All rules."""
    return Rules(
        [
            strict_inputs.Models(),
            strict_inputs.Tags(),
            strict_policies.PolicyDocuments(),
            strict_states.Roles(now, delays.role_s, delays.role_uses),
            strict_states.Functions(now, delays.function_s, delays.update_s),
            strict_states.Tables(now, delays.table_s, delays.backups_s),
            strict_reads.StaleReads(delays.stale_reads),
            strict_registry.RegistryTokens(delays.token_requests),
        ]
    )


def double(upstream: str, now: Callable[[], float], delays: Delays | None = None) -> Double:
    """A strict double of `upstream`, not started yet.

    It listens on another loopback address at the endpoint's own port: the registry and API addresses that
    the endpoint hands out then lead through the double as well.
    """
    port = urlsplit(upstream).port or 80
    return Double(upstream, rules(now, delays or Delays()), host="127.0.0.2", port=port)


def writes(calls: Sequence[Call]) -> list[str]:
    """The calls that may change something, the registry's included, by name."""
    found = []
    for call in calls:
        path = call.request.target.partition("?")[0]
        if call.writes:
            found.append(call.operation)
        elif not call.service and path.startswith("/v2/") and call.request.method not in ("GET", "HEAD"):
            found.append(f"{call.request.method} {path}")
    return found


if __name__ == "__main__":
    with double(sys.argv[1], time.monotonic) as running:
        sys.stdout.write(f"{running.url}\n")
        sys.stdout.flush()
        threading.Event().wait()
