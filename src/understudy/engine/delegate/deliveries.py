"""Delivers what happens in MiniStack to the engine's functions; loaded by `child`, beside it on the path.

Notifications of buckets, subscriptions to topics and targets of rules that name a function would end in
MiniStack's own Lambda, which has no functions here. Three of its functions are put in the place of others
while their modules load, and invoke asynchronously at the engine, as AWS's services do. The lock file pins
the version that this was written for; tests/contract/test_engine_event_ends.py holds it.
"""

import json
import logging
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any
from urllib.parse import quote

_WITHIN_S = 10

_log = logging.getLogger("understudy")

Deliver = Callable[..., None]


def invoke(arn: str, event: object) -> None:
    """Invokes a function at the engine, asynchronously and in a thread; a refusal is told to the log."""
    threading.Thread(target=_invoke, args=(arn, event), daemon=True).start()


def _invoke(arn: str, event: object) -> None:
    _, _, _, region, account, *_ = arn.split(":")
    request = urllib.request.Request(
        f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/2015-03-31/functions/{quote(arn)}/invocations",
        data=json.dumps(event).encode(),
        headers={
            "X-Amz-Invocation-Type": "Event",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/lambda/aws4_request, "
            "SignedHeaders=host, Signature=0",
        },
    )
    try:
        urllib.request.urlopen(request, timeout=_WITHIN_S).close()  # noqa: S310 - the engine, on this machine
    except (urllib.error.URLError, TimeoutError) as error:
        _log.warning("an event for %s was lost: %s", arn, error)


def of_bucket(arn: str, event: object, _region: str) -> None:
    """In the place of `s3._deliver_event_to_lambda`."""
    invoke(arn, event)


def of_topic(arn: str, envelope: str, _topic: str, subscription: str, *_: Any) -> None:  # noqa: ANN401 - MiniStack's
    """In the place of `sns._deliver_to_lambda`."""
    record = {
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
        "EventSource": "aws:sns",
        "Sns": json.loads(envelope),
    }
    invoke(arn, {"Records": [record]})


def of_rule(arn: str, payload: str) -> None:
    """In the place of `eventbridge._dispatch_to_lambda`."""
    invoke(arn, json.loads(payload))


PLACES: dict[str, tuple[str, Deliver]] = {
    "ministack.services.eventbridge": ("_dispatch_to_lambda", of_rule),
    "ministack.services.s3": ("_deliver_event_to_lambda", of_bucket),
    "ministack.services.sns": ("_deliver_to_lambda", of_topic),
}


class Finder(MetaPathFinder):
    """Finds the modules of `PLACES` as Python does, and changes each when it is loaded: on first use."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own place with a loader around its own."""
        if fullname not in PLACES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Changing(spec.loader)
        return spec


class _Changing(Loader):
    def __init__(self, own: Loader) -> None:
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._own.exec_module(module)
        name, deliver = PLACES[module.__name__]
        if not hasattr(module, name):
            raise ImportError(f"{module.__name__} has no {name}: this MiniStack is another one")
        setattr(module, name, deliver)
