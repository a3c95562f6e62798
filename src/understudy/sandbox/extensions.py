"""The Extensions API of one execution environment: register, event/next, and errors; telemetry is refused.

External extensions are the files of ``/opt/extensions``. Lambda starts them before the image's own program,
which waits until each has registered; init and every invocation are over when each has asked for its next
event (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html). Error types are those of
AWS's emulator (aws-lambda-runtime-interface-emulator, `lambda/rapi`). Refuses to know processes and phases.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from understudy.image.rootfs_view import RootfsView
    from understudy.sandbox.model import InvokeRequest

_FOLDER = "/opt/extensions"
_DISABLED = "/opt/disable-extensions-jwigqn8j"
REGISTERED = b"/understudy/extensions"
"""What the launcher of the image's program asks, to be answered when every extension has registered."""
_PREFIX = b"/2020-01-01/extension/"
_REFUSED = {b"/2022-07-01/telemetry": "Telemetry", b"/2020-08-15/logs": "Logs"}
_SHUTDOWN_S = 2.0
_EVENTS = {"INVOKE", "SHUTDOWN"}
_ACCEPTED = {"status": "OK"}


def external(view: RootfsView) -> tuple[str, ...]:
    """Paths of the extensions that Lambda starts with an image, as AWS's emulator lists them."""
    return () if view.resolve(_DISABLED) is not None else tuple(view.files(_FOLDER))


class Connection(Protocol):
    """One connection to the API."""

    def write(self, data: bytes) -> None:
        """Sends an answer."""
        ...

    def refuse(self, status: int, error_type: str, message: str) -> None:
        """Answers with AWS's error document."""
        ...


@dataclass(slots=True, eq=False)
class _Extension:
    """A registered extension.

    Attributes:
        connection: on which it asked last for its next event.
        waits: whether it still waits for the answer.
        ended: whether it is gone, or ready to go.
    """

    name: str
    events: frozenset[str]
    connection: Connection | None = None
    waits: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Extensions:
    """What has registered, and what each of it is doing.

    Args:
        names: of the external extensions, which all have to register.
        function: what registration tells of the function.

    Attributes:
        on_idle: called when every extension waits for its next event.
        on_failure: called with error type and text when one reports an error, or hangs up while it waits.
    """

    def __init__(self, names: Iterable[str], function: Mapping[str, str]) -> None:
        self.on_idle: Callable[[], None] = _nothing
        self.on_failure: Callable[[str, str], None] = _ignore
        self._names = frozenset(names)
        self._function = dict(function)
        self._known: dict[str, _Extension] = {}
        self._held: list[Connection] = []
        self._closing = False

    @property
    def idle(self) -> bool:
        """Whether all that have to be there are, and wait."""
        return not self._missing and all(each.waits for each in self._known.values())

    @property
    def _missing(self) -> frozenset[str]:
        return self._names - {each.name for each in self._known.values()}

    def reset(self) -> None:
        """Forgets what was registered: the processes are gone."""
        self._known.clear()
        self._held.clear()

    def detach(self, connection: Connection) -> None:
        """Hears that a connection is closed; who was waiting on it is gone."""
        for each in self._known.values():
            if each.connection is connection:
                each.ended.set()
                if each.waits and not self._closing:
                    self.on_failure("Extension.Crash", f"extension {each.name} exited")
                return

    def answers(self, url: bytes) -> bool:
        """Whether a request is for this API."""
        return url.startswith((_PREFIX, REGISTERED)) or url in _REFUSED

    def handle(self, connection: Connection, url: bytes, headers: Mapping[bytes, bytes], body: bytes) -> None:
        """Answers one request."""
        if url == REGISTERED:
            self._held.append(connection)
            self._release()
        elif url in _REFUSED:
            name = _REFUSED[url]
            document = {
                "errorMessage": f"{name} API is not supported",
                "errorType": f"{name}.NotSupported",
            }
            connection.write(_reply(202, document))
        elif url == _PREFIX + b"register":
            self._register(connection, headers, body)
        else:
            self._of_one(connection, url[len(_PREFIX) :], headers)

    def invoke(self, request: InvokeRequest, deadline_ms: int) -> None:
        """Tells the extensions that want to know of an invocation."""
        event = {
            "eventType": "INVOKE",
            "deadlineMs": deadline_ms,
            "requestId": request.request_id,
            "invokedFunctionArn": request.invoked_function_arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": request.trace_id},
        }
        self._tell("INVOKE", event)

    async def shut_down(self) -> None:
        """Tells the extensions that want to know that this is the end, and gives them two seconds."""
        self._closing = True
        deadline_ms = int((time.time() + _SHUTDOWN_S) * 1000)
        event = {"eventType": "SHUTDOWN", "shutdownReason": "spindown", "deadlineMs": deadline_ms}
        told = self._tell("SHUTDOWN", event)
        if told:
            waits = [asyncio.ensure_future(each.ended.wait()) for each in told]
            _, late = await asyncio.wait(waits, timeout=_SHUTDOWN_S)
            for each in late:
                each.cancel()

    def _tell(self, kind: str, event: Mapping[str, Any]) -> list[_Extension]:
        told = [each for each in self._known.values() if kind in each.events and each.waits]
        for each in told:
            each.waits = False
            if each.connection is not None:
                header = f"Lambda-Extension-Event-Identifier: {uuid.uuid4()}\r\n"
                each.connection.write(_reply(200, event, header))
        return told

    def _register(self, connection: Connection, headers: Mapping[bytes, bytes], body: bytes) -> None:
        name = headers.get(b"lambda-extension-name", b"").decode("latin-1")
        if not name:
            connection.refuse(400, "Extension.InvalidExtensionName", "Lambda-Extension-Name is missing")
            return
        if any(each.name == name for each in self._known.values()):
            connection.refuse(403, "Extension.AlreadyRegistered", f"Extension {name} already registered")
            return
        try:
            wanted = frozenset(json.loads(body or b"{}").get("events") or ())
        except (ValueError, AttributeError, TypeError):
            connection.refuse(400, "InvalidRequestFormat", "The body is no JSON object with events")
            return
        if wanted - _EVENTS or ("SHUTDOWN" in wanted and name not in self._names):
            connection.refuse(403, "Extension.InvalidEventType", f"Invalid events: {sorted(wanted)}")
            return
        identifier = str(uuid.uuid4())
        self._known[identifier] = _Extension(name=name, events=wanted)
        connection.write(_reply(200, self._function, f"Lambda-Extension-Identifier: {identifier}\r\n"))
        self._release()

    def _release(self) -> None:
        if not self._missing:
            held, self._held = self._held, []
            for each in held:
                each.write(_reply(200, _ACCEPTED))

    def _of_one(self, connection: Connection, verb: bytes, headers: Mapping[bytes, bytes]) -> None:
        identifier = headers.get(b"lambda-extension-identifier", b"").decode("latin-1")
        found = self._known.get(identifier)
        if found is None:
            kind = "Unknown" if identifier else "Missing"
            connection.refuse(
                403, f"Extension.{kind}ExtensionIdentifier", f"{kind} Lambda-Extension-Identifier"
            )
        elif verb == b"event/next":
            found.connection, found.waits = connection, True
            if self._closing:
                found.ended.set()
            elif self.idle:
                self.on_idle()
        elif verb in {b"init/error", b"exit/error"}:
            connection.write(_reply(202, _ACCEPTED))
            kind = "Extension.InitError" if verb == b"init/error" else "Extension.ExitError"
            said = headers.get(b"lambda-extension-function-error-type", b"").decode("latin-1")
            self.on_failure(kind, said or f"extension {found.name} reported an error")
        else:
            connection.refuse(404, "PageNotFound", "404 page not found")


def _reply(status: int, document: Mapping[str, Any], headers: str = "") -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status} {'OK' if status == 200 else 'Accepted'}\r\nContent-Type: application/json\r\n"
    return f"{head}{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _nothing() -> None:
    return


def _ignore(_: str, __: str) -> None:
    return
