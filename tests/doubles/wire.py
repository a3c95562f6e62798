"""HTTP/1.1 as AWS's clients speak it, message by message, and which AWS operation a message is.

Bodies are whole: control-plane messages are small. Operations are found as AWS finds them: by the service in
the signature, then by target header, `Action` or path, the last by botocore's own models.
"""

import asyncio
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from botocore.loaders import Loader
from botocore.model import ServiceModel

from understudy.engine import dispatch
from understudy.engine.protocol import codec
from understudy.engine.protocol.routes import Match, Route, RouteTable

_HOP = frozenset({"connection", "content-length", "expect", "keep-alive", "transfer-encoding"})
_MODELS = {"monitoring": "cloudwatch"}  # signing names that are no model's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request or an answer; names of headers are lower case, hop-by-hop headers are gone.

    The length is that of the body; only an answer to HEAD, which has none, keeps the one it came with.

    Attributes:
        start: the first line.
        headers: in their order.
        body: decoded from chunks, if it came so.
    """

    start: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """A header's first value."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def method(self) -> str:
        """Method of a request."""
        return self.start.split(" ")[0]

    @property
    def target(self) -> str:
        """Path and query of a request, still percent-encoded."""
        return self.start.split(" ")[1]

    @property
    def status(self) -> int:
        """Status of an answer."""
        return int(self.start.split(" ")[1])

    def encoded(self) -> bytes:
        """The message on the wire, its connection kept."""
        return self.head().encode("latin-1") + self.body

    def head(self) -> str:
        """Everything but the body."""
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        bodiless = self.start.startswith("HTTP/") and self.status in (204, 304)
        if not bodiless and self.header("content-length") is None:
            lines.append(f"content-length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""])


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, and which operation of AWS it is.

    Attributes:
        number: 1 for the first request that its double saw.
        service: botocore's name of the service; empty for what is no call of AWS (registry, HTTP API).
        operation: AWS's name, as `CreateFunction`; empty where there is none.
        labels: values of the path's labels in rest protocols.
        request: the request itself.
    """

    number: int
    service: str = ""
    operation: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    request: Message

    @property
    def writes(self) -> bool:
        """Whether the operation may change something."""
        return bool(self.operation) and not self.operation.startswith(
            ("Get", "List", "Describe", "Head", "Batch", "Filter")
        )

    @property
    def params(self) -> dict[str, Any]:
        """What the request says, in the words of the wire: labels, query or form, members of a JSON body."""
        found: dict[str, Any] = dict(self.labels)
        texts = [self.request.target.partition("?")[2]]
        if self._protocol == "query":
            texts.append(self.request.body.decode())
        for text in texts:
            found.update({key: values[-1] for key, values in parse_qs(text, keep_blank_values=True).items()})
        if self.request.body and self._protocol in ("json", "rest-json"):
            found.update(json.loads(self.request.body))
        return found

    @property
    def _protocol(self) -> str:
        return _model(self.service).metadata["protocol"] if self.service else ""


def identify(request: Message, number: int) -> Call:
    """The call that a request is."""
    call = Call(number=number, request=request)
    headers = {name.encode(): value.encode("latin-1") for name, value in request.headers}
    path, _, query = request.target.partition("?")
    service = _service(dispatch.signature(headers, query.encode()), path)
    if not service:
        return call
    target = request.header("x-amz-target")
    if target:
        return replace(call, service=service, operation=target.rpartition(".")[2])
    if _model(service).metadata["protocol"] == "query":
        action = parse_qs(request.body.decode()).get("Action", [""])
        return replace(call, service=service, operation=action[0])
    found = _route(service, request.method, path, query)
    if found is None:
        return replace(call, service=service)
    return replace(call, service=service, operation=found.operation, labels=found.labels)


def _service(signed: dispatch.Signature | None, path: str) -> str:
    name = _MODELS.get(signed.service, signed.service) if signed else ""
    if name == "apigateway" and path.startswith("/v2/"):
        return "apigatewayv2"
    return name if name in _known() else ""


def refusal(call: Call, code: str, message: str, status: int = 400) -> Message:
    """An error as the service of a call writes it."""
    protocol = _model(call.service).metadata["protocol"] if call.service else "rest-json"
    headers = [("x-amzn-requestid", f"double-{call.number}")]
    if protocol in ("query", "rest-xml"):
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        text = f"<ErrorResponse>{inner}<RequestId>double</RequestId></ErrorResponse>"
        headers.append(("content-type", "text/xml"))
        body = (text if protocol == "query" else inner).encode()
    else:
        headers += [("content-type", "application/json"), ("x-amzn-errortype", code)]
        body = json.dumps({"__type": code, "message": message, "Message": message}).encode()
    phrase = HTTPStatus(status).phrase
    return Message(start=f"HTTP/1.1 {status} {phrase}", headers=tuple(headers), body=body)


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(Loader().list_available_services("service-2"))


@functools.cache
def _model(service: str) -> ServiceModel:
    return codec.load_model(service)


@functools.cache
def _routes(service: str) -> RouteTable:
    model = _model(service)
    operations = (model.operation_model(name) for name in model.operation_names)
    return RouteTable(
        Route(operation=found.name, method=found.http["method"], uri=found.http["requestUri"])
        for found in operations
        if "Copy" not in found.name  # S3's copies differ by a header alone
    )


def _route(service: str, method: str, path: str, query: str) -> Match | None:
    return _routes(service).match(method, path, parse_qs(query, keep_blank_values=True))


async def read(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None = None, *, to_head: bool = False
) -> Message | None:
    """The next message; None when the other side has closed instead.

    Args:
        reader: where it comes from.
        writer: where a client that asks whether to go on is told so.
        to_head: the message answers HEAD, so no body follows.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = [line.partition(":") for line in lines]
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if writer is not None and headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    kept = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
    dropped = _HOP - {"content-length"} if to_head else _HOP
    message = Message(start=start, headers=tuple(pair for pair in kept if pair[0] not in dropped))
    if to_head or (start.startswith("HTTP/") and message.status in (204, 304)):
        return message
    return replace(message, body=await _body(reader, headers, answers=start.startswith("HTTP/")))


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str], *, answers: bool) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        parts = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readline()
        while (await reader.readline()).strip():
            pass  # trailers
        return b"".join(parts)
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read() if answers else b""
