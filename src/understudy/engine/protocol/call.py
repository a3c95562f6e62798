"""The seam between wire and operation: a `Call` goes in, a plain dictionary or an `ApiError` comes out.

An operation is a plain coroutine function over botocore-shaped input and output. How bytes become a `Call`
and how the answer becomes bytes again is the business of `codec`; this module holds the words that
both sides share and does no work of its own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

Value = Any
"""A value that a botocore shape describes, or its JSON form: which one is known to the shape alone."""

DEFAULT_ACCOUNT_ID = "000000000000"
DEFAULT_REGION = "us-east-1"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
"""ASGI's three arguments and what the last two carry: https://asgi.readthedocs.io/en/latest/specs/www.html"""

BODILESS = frozenset({204, 304})
"""What follows one is read as the connection's next answer; no length is told (RFC 9110, 6.4.1 and 8.6)."""

_NO_FIELDS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to an AWS operation, parsed and validated by the operation's input shape.

    Attributes:
        service: botocore's name of the service, such as ``lambda``.
        params: what a botocore client would have been called with. Blobs are bytes, timestamps are aware
            datetimes, a streaming member is bytes.
        host: the Host header as sent, with its port.
        headers: request headers, names in lower case.
    """

    service: str
    operation: str
    params: dict[str, Any]
    region: str = DEFAULT_REGION
    account_id: str = DEFAULT_ACCOUNT_ID
    request_id: str = ""
    host: str = "localhost:4566"
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """A refusal that the service's model names; serialised in the service's own wire form.

    Attributes:
        code: the error's name on AWS, such as ``ResourceNotFoundException``.
        message: AWS's text.
        status: HTTP status; the model's own status wins when the model declares one.
        fields: further members of the error's shape, such as ``Type`` or ``retryAfterSeconds``.
    """

    def __init__(
        self, code: str, message: str, *, status: int = 400, fields: Mapping[str, Any] = _NO_FIELDS
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


Operation = Callable[[Call], Awaitable[dict[str, Any]]]


class Service(Protocol):
    """A service that the engine owns: a botocore service name and its operations by name."""

    @property
    def name(self) -> str:
        """The botocore service name, such as ``lambda``."""
        ...

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations this service answers; a missing one answers with a named 501."""
        ...


class Router(Protocol):
    """Answers requests that are no AWS operation: the registry protocol, the data path of HTTP APIs."""

    def matches(self, scope: Scope) -> bool:
        """Returns whether this router answers the request; called for every one, so it must be cheap."""
        ...

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers the request."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """What the codec needs of a request; the body is complete.

    Attributes:
        path: the path as sent, still percent-encoded.
        query: the query string as sent, without the question mark.
        headers: names in lower case.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """An answer ready for the wire; `body` is whole or comes in chunks."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes | AsyncIterator[bytes] = b""
