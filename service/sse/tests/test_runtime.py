"""The runtime against a small real Runtime API: whole answers, streams, errors, and that a stream streams."""

import asyncio
import base64
import json
import threading
from collections.abc import Awaitable, Callable
from http.client import RemoteDisconnected
from typing import Any

import pytest

from sse import runtime
from sse.tests.lambda_api import Lambda

EVENT: dict[str, Any] = {
    "version": "2.0",
    "rawPath": "/p",
    "rawQueryString": "a=1",
    "headers": {"X-User-ID": "alice", "x-forwarded-proto": "http"},
    "cookies": ["a=b", "c=d"],
    "requestContext": {"http": {"method": "POST", "sourceIp": "10.0.0.1"}, "domainName": "api.example"},
    "body": base64.b64encode(b"hi").decode(),
    "isBase64Encoded": True,
}
URL = {**EVENT, "requestContext": {**EVENT["requestContext"], "domainName": "x.lambda-url.eu-west-1.on.aws"}}
Send = Callable[[dict[str, Any]], Awaitable[None]]


def served(server: Lambda, app: Any, *events: dict[str, Any]) -> None:
    """Serves the events, until the Runtime API is gone."""
    server.events = [json.dumps(event).encode() for event in events]
    with pytest.raises(RemoteDisconnected):
        asyncio.run(runtime.serve(app, runtime.RuntimeApi(server.address)))


async def _echo(scope: dict[str, Any], receive: Any, send: Send) -> None:
    body = (await receive())["body"]
    headers = [(b"Content-Type", b"text/plain"), (b"set-cookie", b"e=f")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    told = f"{scope['method']} {scope['path']}?{scope['query_string'].decode()} {body.decode()} "
    told += dict(scope["headers"])[b"cookie"].decode()
    await send({"type": "http.response.body", "body": told.encode(), "more_body": False})


def test_an_api_gets_a_whole_answer_and_a_url_a_stream(aws_lambda: Lambda) -> None:
    served(aws_lambda, _echo, EVENT, URL)
    whole, stream = aws_lambda.posted
    assert whole.path == "/2018-06-01/runtime/invocation/r-1/response"
    assert json.loads(whole.body) == {
        "statusCode": 201,
        "headers": {"content-type": "text/plain"},
        "cookies": ["e=f"],
        "body": "POST /p?a=1 hi a=b; c=d",
        "isBase64Encoded": False,
    }
    assert stream.headers["lambda-runtime-function-response-mode"] == "streaming"
    prelude, _, body = stream.body.partition(b"\0" * 8)
    assert json.loads(prelude)["statusCode"] == 201
    assert body == b"POST /p?a=1 hi a=b; c=d"
    assert stream.trailers == {}


def test_bytes_are_encoded_in_a_whole_answer(aws_lambda: Lambda) -> None:
    async def image(_: Any, __: Any, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"image/png")]}
        )
        await send({"type": "http.response.body", "body": b"\xff"})

    served(aws_lambda, image, EVENT)
    answer = json.loads(aws_lambda.posted[0].body)
    assert (answer["body"], answer["isBase64Encoded"]) == ("/w==", True)


def test_the_first_part_is_posted_before_the_second_is_made(aws_lambda: Lambda) -> None:
    seen = threading.Event()

    async def two(_: Any, __: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        assert await asyncio.to_thread(seen.wait, 60)
        await send({"type": "http.response.body", "body": b"second"})

    def watch() -> None:
        aws_lambda.began.acquire()
        for _ in range(2):  # the prelude, the first part
            aws_lambda.posted[0].arrived.acquire()
        seen.set()

    watching = threading.Thread(target=watch)
    watching.start()
    served(aws_lambda, two, URL)
    watching.join()
    assert aws_lambda.posted[0].chunks[1:] == [b"first", b"second"]


@pytest.mark.parametrize("event", [EVENT, URL], ids=["whole", "stream"])
def test_an_application_that_fails_at_once_is_a_function_error(
    aws_lambda: Lambda, event: dict[str, Any]
) -> None:
    async def fails(*_: object) -> None:
        raise KeyError("DB_URL")

    served(aws_lambda, fails, event, event)
    assert len(aws_lambda.posted) == 2
    posted = aws_lambda.posted[0]
    assert posted.path.endswith("/invocation/r-1/error")
    assert posted.headers["lambda-runtime-function-error-type"] == "KeyError"
    assert json.loads(posted.body)["errorMessage"] == "'DB_URL'"


def test_a_stream_that_fails_half_way_says_so_in_its_trailers(aws_lambda: Lambda) -> None:
    async def fails(_: Any, __: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        raise ValueError("no more")

    served(aws_lambda, fails, URL)
    posted = aws_lambda.posted[0]
    assert posted.trailers["lambda-runtime-function-error-type"] == "ValueError"
    error = json.loads(base64.b64decode(posted.trailers["lambda-runtime-function-error-body"]))
    assert error["errorMessage"] == "no more"


def test_what_is_no_http_request_is_a_function_error(aws_lambda: Lambda) -> None:
    served(aws_lambda, _echo, {})
    assert json.loads(aws_lambda.posted[0].body)["errorType"] == "ValueError"


def test_an_application_that_cannot_be_imported_is_an_init_error(
    aws_lambda: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", aws_lambda.address)
    with pytest.raises(ModuleNotFoundError):
        runtime.main(["runtime", "nowhere:app"])
    posted = aws_lambda.posted[0]
    assert posted.path.endswith("/runtime/init/error")
    assert posted.headers["lambda-runtime-function-error-type"] == "Runtime.ModuleNotFoundError"


def test_without_lambda_the_emulator_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_RUNTIME_API", raising=False)
    monkeypatch.setattr(runtime, "_EMULATOR", "/nowhere/rie")
    with pytest.raises(FileNotFoundError):
        runtime.main(["runtime", "sse.app:app"])
