"""Calls of the AWS services behind the engine: queues to read, streams to read, destinations to write to.

A call is one ASGI request to the delegate, made in this process: no socket of ours, no SDK, and the delegate
is waited for while it starts, as for any other request. Only protocols that are plain text are spoken: JSON
with a target header, one form for SNS, one PUT for S3.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

from understudy.engine.delegate.proxy import UpstreamGoneError
from understudy.engine.protocol import Message, Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Signing name, prefix of X-Amz-Target and JSON version: `metadata` of botocore's service models.
_JSON = {
    "sqs": ("sqs", "AmazonSQS", "1.0"),
    "dynamodbstreams": ("dynamodb", "DynamoDBStreams_20120810", "1.0"),
    "events": ("events", "AWSEvents", "1.1"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a call goes: nothing here checks a signature, but it names account and region."""

    account_id: str
    region: str


class CallError(Exception):
    """A service refused a call, or did not answer it.

    Attributes:
        code: the error's name on AWS; ``ServiceUnavailable`` when there was no AWS answer.
        status: HTTP status.
    """

    def __init__(self, code: str, message: str, *, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class AwsCalls:
    """The calls that Lambda makes on behalf of functions; the constructor only stores."""

    def __init__(self, app: App, *, host: str = "localhost:4566") -> None:
        self._app = app
        self._host = host

    async def json(
        self, place: Place, service: str, operation: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The answer of an operation of a JSON service, as it stands on the wire.

        Args:
            place: account and region.
            service: ``sqs``, ``dynamodbstreams`` or ``events``.
            operation: the operation's name.
            body: its input; binary values in base64.

        Raises:
            CallError: it was refused or not answered.
        """
        signed, prefix, version = _JSON[service]
        headers = {
            "content-type": f"application/x-amz-json-{version}",
            "x-amz-target": f"{prefix}.{operation}",
        }
        request = _Request("POST", "/", headers, json.dumps(body).encode())
        status, answer = await self._send(place, signed, request)
        try:
            document: dict[str, Any] = json.loads(answer or b"{}")
        except ValueError as exc:
            raise CallError(
                "ServiceUnavailable", answer[:200].decode(errors="replace"), status=status
            ) from exc
        if status >= 300:
            code = str(document.get("__type") or document.get("code") or "ServiceUnavailable")
            text = str(document.get("message") or document.get("Message") or "")
            raise CallError(code.rpartition("#")[2].split(":")[0], text, status=status)
        return document

    async def publish(self, place: Place, topic_arn: str, text: str, attributes: Mapping[str, Any]) -> None:
        """Publishes `text` to an SNS topic.

        Args:
            place: account and region.
            topic_arn: the topic.
            text: the message.
            attributes: name to ``{"DataType": ..., "StringValue": ...}``.

        Raises:
            CallError: it was refused or not answered.
        """
        form = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic_arn, "Message": text}
        for number, (name, value) in enumerate(attributes.items(), 1):
            entry = f"MessageAttributes.entry.{number}"
            form[f"{entry}.Name"] = name
            form |= {f"{entry}.Value.{member}": str(each) for member, each in value.items()}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        request = _Request("POST", "/", headers, urlencode(form).encode())
        _refuse_xml(*await self._send(place, "sns", request))

    async def put_object(self, place: Place, bucket: str, key: str, data: bytes) -> None:
        """Writes an S3 object.

        Raises:
            CallError: it was refused or not answered.
        """
        headers = {"content-type": "application/json", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
        path = f"/{bucket}/{quote(key)}"
        _refuse_xml(*await self._send(place, "s3", _Request("PUT", path, headers, data)))

    async def _send(self, place: Place, signed: str, request: "_Request") -> tuple[int, bytes]:
        credential = f"{place.account_id}/20260101/{place.region}/{signed}/aws4_request"
        headers = {
            "host": self._host,
            "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
            "content-length": str(len(request.body)),
            **request.headers,
        }
        scope: Scope = {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.path,
            "raw_path": request.path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        exchange = _Exchange(request.body)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except (OSError, UpstreamGoneError) as exc:
            raise CallError("ServiceUnavailable", str(exc), status=503) from exc
        return exchange.status, bytes(exchange.answer)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class _Exchange:
    """The two callables of one ASGI request whose body is known and whose answer is wanted whole."""

    def __init__(self, body: bytes) -> None:
        self.status = 0
        self.answer = bytearray()
        self._body: bytes | None = body

    async def receive(self) -> Message:
        body, self._body = self._body, None
        if body is None:
            # This client does not hang up; to cancel the call ends the wait.
            await asyncio.get_running_loop().create_future()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.answer += message.get("body", b"")


async def nothing_behind(_: Scope, __: Receive, send: Send) -> None:
    """Stands where no other service is: every call is refused."""
    await send({"type": "http.response.start", "status": 501, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def _refuse_xml(status: int, answer: bytes) -> None:
    if status < 300:
        return
    try:
        root = ET.fromstring(answer)  # noqa: S314 - the delegate's answer, on this machine
    except ET.ParseError:
        raise CallError("ServiceUnavailable", answer[:200].decode(errors="replace"), status=status) from None
    found = {element.tag.rpartition("}")[2]: element.text or "" for element in root.iter()}
    raise CallError(found.get("Code", "ServiceUnavailable"), found.get("Message", ""), status=status)
