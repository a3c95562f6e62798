"""LocalStack's endpoints below ``/_localstack/``: health, info and init answer, the others refuse by name.

Shapes and states are those of ``localstack/services/internal.py`` in localstack-core 4.14.0, so that
scripts and wait loops written for it go on working; `edition` and `version` say that this is another
program.
"""

import json
import platform
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from understudy import __version__
from understudy.engine.delegate.supervisor import DelegateStatus
from understudy.engine.hooks import Hooks, Stage
from understudy.engine.localstack.services import DELEGATED, OWNED

ROOT = "/_localstack/"
EDITION = "understudy"
# The first path segment of what LocalStack 4.14.0 and its paid editions serve besides.
_NOT_HERE = frozenset(
    (
        *("aws", "chaos", "cloudformation", "config", "cost", "diagnose", "eventstudio", "extensions"),
        *("iam", "licenseinfo", "plugins", "pods", "replicator", "state", "swagger", "usage", "web"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an endpoint answers: a JSON document, or text."""

    status: int = 200
    document: object = None
    text: str | None = None


class LocalStackEndpoints:
    """Answers by method, path and body.

    Args:
        enabled: LocalStack's names of the services that may answer; None for all.
        delegate: returns how the delegate is.
        hooks: the init hooks.
    """

    def __init__(
        self, *, enabled: Collection[str] | None, delegate: Callable[[], DelegateStatus], hooks: Hooks
    ) -> None:
        self._enabled = enabled
        self._delegate = delegate
        self._hooks = hooks
        self._began = time.monotonic()
        self._session = str(uuid.uuid4())
        self._state: dict[str, object] = {}

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Returns the answer to a request below `ROOT`; 404 where LocalStack knows nothing either."""
        name, _, rest = path.removeprefix(ROOT).rstrip("/").partition("/")
        if name == "health" and not rest:
            return self._health(method, body)
        if name in _NOT_HERE:
            return Answer(status=501, document={"message": f"{ROOT}{name} is not implemented by understudy"})
        if method not in ("GET", "HEAD"):
            return Answer(status=405, document={"message": f"{method} is not allowed for {path}"})
        if name == "info" and not rest:
            return Answer(document=self._info())
        if name == "init":
            return self._init(rest)
        return Answer(status=404, document={"message": "Not Found"})

    def _init(self, stage: str) -> Answer:
        if not stage:
            return Answer(document=self._hooks.document())
        if stage.upper() not in Stage.__members__:
            return Answer(status=404, text=f"no such stage {stage}")
        return Answer(document=self._hooks.document(Stage[stage.upper()]))

    def _health(self, method: str, body: bytes) -> Answer:
        if method == "HEAD":
            return Answer(text="ok")
        if method == "GET":
            named = {"edition": EDITION, "version": __version__}
            return Answer(document={**_merged({"services": self._services()}, self._state), **named})
        try:
            given = json.loads(body)
        except ValueError:
            given = None
        if not isinstance(given, dict) or not given:
            return Answer(status=400, text="invalid request")
        if method == "PUT":
            self._put(given)
            return Answer(document={"status": "OK"})
        action = given.get("action", "")
        return Answer(
            status=501,
            document={"message": f"{ROOT}health: action {action!r} is not implemented by understudy"},
        )

    def _put(self, given: dict[str, object]) -> None:
        """Takes what scripts add to the health document; ``features:initScripts`` is a key in a key."""
        for name, value in given.items():
            outer, _, inner = name.partition(":")
            self._state = _merged(self._state, {outer: {inner: value} if inner else value})

    def _services(self) -> dict[str, str]:
        delegate = self._delegate()
        up = {"running": "running", "starting": "starting"}.get(delegate.state, "error")
        # A delegate of somebody else speaks for its services itself.
        delegated = dict.fromkeys(delegate.services or DELEGATED, up)
        if up == "running":
            delegated |= delegate.services
        states = delegated | dict.fromkeys(OWNED, "running")
        return {
            name: state if self._enabled is None or name in self._enabled else "disabled"
            for name, state in sorted(states.items())
        }

    def _info(self) -> dict[str, object]:
        return {
            "version": __version__,
            "edition": EDITION,
            "is_license_activated": False,
            "session_id": self._session,
            "machine_id": EDITION,
            "system": platform.system().lower(),
            "is_docker": Path("/.dockerenv").exists(),
            "server_time_utc": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()),
            "uptime": int(time.monotonic() - self._began),
        }


def _merged(first: dict[str, object], second: dict[str, object]) -> dict[str, object]:
    """Returns both, the second's values winning, objects in objects merged too."""
    merged = dict(first)
    for name, value in second.items():
        known = merged.get(name)
        merged[name] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged
