"""Runs an ASGI application on AWS Lambda and streams what it answers: `python -m sse.runtime sse.app:app`.

AWS's runtime client for Python returns whole answers only, so the image starts this loop in its place, a
custom runtime; its protocol is
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming.
Events are HTTP requests in payload format 2.0. One that came through a function URL is answered by a stream,
which wants the URL's invoke mode RESPONSE_STREAM; any other, of an HTTP API or of a direct invocation, by a
whole answer, which is all that these take.
"""

import asyncio
import base64
import http.client
import importlib
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

_API = "/2018-06-01/runtime"
_EMULATOR = "/usr/local/bin/aws-lambda-rie"
_TEXT = ("text/", "application/json", "application/problem+json")


class RuntimeApi:
    """The Runtime API of this execution environment."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._connection = http.client.HTTPConnection(address)

    def next(self) -> tuple[str, dict[str, Any]]:
        """Waits for the next invocation: its request id and its event."""
        self._connection.request("GET", f"{_API}/invocation/next")
        answer = self._connection.getresponse()
        event = json.loads(answer.read())
        os.environ["_X_AMZN_TRACE_ID"] = answer.getheader("Lambda-Runtime-Trace-Id") or ""
        return answer.getheader("Lambda-Runtime-Aws-Request-Id") or "", event

    def close(self) -> None:
        """Hangs up."""
        self._connection.close()

    def post(self, path: str, document: Mapping[str, Any], error_type: str = "") -> None:
        """Posts a whole document."""
        headers = {"Content-Type": "application/json"}
        if error_type:
            headers["Lambda-Runtime-Function-Error-Type"] = error_type
        self._connection.request("POST", f"{_API}/{path}", json.dumps(document), headers)
        self._connection.getresponse().read()


class Reply(Protocol):
    """The answer to one invocation, as the application gives it."""

    @property
    def started(self) -> bool:
        """Whether something was sent that cannot be taken back."""
        ...

    async def send(self, message: Message) -> None:
        """Takes one ASGI message."""
        ...

    def end(self, error: BaseException | None = None) -> None:
        """Ends the answer; with `error`, as one that broke off."""
        ...


class Whole:
    """An answer that is returned when it is complete: payload format 2.0."""

    started = False

    def __init__(self, api: RuntimeApi, request_id: str) -> None:
        self._api = api
        self._path = f"invocation/{request_id}/response"
        self._head: Message = {}
        self._body = b""

    async def send(self, message: Message) -> None:
        """Takes one ASGI message."""
        if message["type"] == "http.response.start":
            self._head = message
        else:
            self._body += message.get("body", b"")

    def end(self, error: BaseException | None = None) -> None:
        """Posts the answer."""
        if error is not None:
            raise error
        answer = _prelude(self._head)
        content_type = answer["headers"].get("content-type", "")
        is_text = content_type.startswith(_TEXT)
        body = self._body.decode() if is_text else base64.b64encode(self._body).decode()
        self._api.post(self._path, {**answer, "body": body, "isBase64Encoded": not is_text})


class Streamed:
    """An answer that is posted as it is written: a prelude, eight NUL bytes, then the body in chunks."""

    def __init__(self, api: RuntimeApi, request_id: str) -> None:
        self._path = f"{_API}/invocation/{request_id}/response"
        # Of its own: the connection of a stream is closed behind it.
        self._connection = http.client.HTTPConnection(api.address)
        self.started = False

    async def send(self, message: Message) -> None:
        """Takes one ASGI message; blocks while Lambda, or the client behind it, takes no more."""
        if message["type"] == "http.response.start":
            self._start(message)
        elif message.get("body"):
            self._chunk(message["body"])

    def end(self, error: BaseException | None = None) -> None:
        """Ends the stream; an error is told in its trailers, because the status is long sent."""
        trailers = ""
        if error is not None:
            document = base64.b64encode(json.dumps(_error(error)).encode()).decode()
            trailers = f"Lambda-Runtime-Function-Error-Type: {type(error).__name__}\r\n"
            trailers += f"Lambda-Runtime-Function-Error-Body: {document}\r\n"
        self._connection.send(f"0\r\n{trailers}\r\n".encode())
        self._connection.getresponse().read()
        self._connection.close()

    def _start(self, message: Message) -> None:
        self.started = True
        self._connection.putrequest("POST", self._path)
        for name, value in (
            ("Content-Type", "application/vnd.awslambda.http-integration-response"),
            ("Lambda-Runtime-Function-Response-Mode", "streaming"),
            ("Transfer-Encoding", "chunked"),
            ("Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"),
        ):
            self._connection.putheader(name, value)
        self._connection.endheaders()
        self._chunk(json.dumps(_prelude(message)).encode() + b"\0" * 8)

    def _chunk(self, data: bytes) -> None:
        self._connection.send(b"%x\r\n%b\r\n" % (len(data), data))


def _prelude(start: Message) -> dict[str, Any]:
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in start["headers"]]
    return {
        "statusCode": start["status"],
        "headers": {name: value for name, value in pairs if name != "set-cookie"},
        "cookies": [value for name, value in pairs if name == "set-cookie"],
    }


def _error(error: BaseException) -> dict[str, Any]:
    lines = traceback.format_exception(error)
    return {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": lines}


def scope_of(event: Mapping[str, Any]) -> Message:
    """The ASGI scope of an HTTP event in payload format 2.0.

    Raises:
        ValueError: the event is something else.
    """
    context = event.get("requestContext") or {}
    if "http" not in context:
        raise ValueError("the event is no HTTP request in payload format 2.0")
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in (event.get("headers") or {}).items()
    ]
    if event.get("cookies"):
        headers.append((b"cookie", "; ".join(event["cookies"]).encode("latin-1")))
    found = context["http"]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": found["method"],
        "scheme": dict(headers).get(b"x-forwarded-proto", b"https").decode("latin-1"),
        "path": event["rawPath"],
        "raw_path": event["rawPath"].encode(),
        "query_string": event.get("rawQueryString", "").encode("latin-1"),
        "root_path": "",
        "headers": headers,
        "client": (found.get("sourceIp", ""), 0),
        "server": (context.get("domainName", "lambda"), 443),
    }


async def answer(app: Application, event: Mapping[str, Any], reply: Reply) -> None:
    """Has the application answer one event; its error is raised unless the client has seen a part already."""
    body = event.get("body") or ""
    messages = [
        {
            "type": "http.request",
            "body": base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
            "more_body": False,
        }
    ]

    async def receive() -> Message:
        """The whole request at once, as Lambda has it."""
        if messages:
            return messages.pop()
        # Lambda does not tell when a client hangs up.
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    try:
        await app(scope_of(event), receive, reply.send)
    except Exception as exc:
        if not reply.started:
            raise
        traceback.print_exc()
        reply.end(exc)
    else:
        reply.end()


async def serve(app: Application, api: RuntimeApi) -> None:
    """Answers one invocation after the other, for as long as the environment lives."""
    while True:
        request_id, event = api.next()
        try:
            domain = (event.get("requestContext") or {}).get("domainName") or ""
            kind = Streamed if ".lambda-url." in domain else Whole
            await answer(app, event, kind(api, request_id))
        except Exception as exc:  # noqa: BLE001 - the loop goes on; Lambda is told
            traceback.print_exc()
            api.post(f"invocation/{request_id}/error", _error(exc), type(exc).__name__)


def main(argv: list[str]) -> None:
    """Imports the application that the command names and serves it; what hinders that, Lambda is told.

    Without Lambda around it, AWS's emulator runs it, as AWS's own entry script has it.
    """
    address = os.environ.get("AWS_LAMBDA_RUNTIME_API")
    if address is None:
        os.execv(_EMULATOR, [_EMULATOR, sys.executable, "-m", "sse.runtime", *argv[1:]])  # noqa: S606 - as above
    api = RuntimeApi(address)
    try:
        module, _, name = argv[1].partition(":")
        app: Application = getattr(importlib.import_module(module), name)
    except Exception as exc:
        api.post("init/error", _error(exc), f"Runtime.{type(exc).__name__}")
        api.close()
        raise
    asyncio.run(serve(app, api))


if __name__ == "__main__":
    main(sys.argv)
