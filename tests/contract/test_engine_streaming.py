"""Streamed answers through real sandboxes: a real SDK reads the first chunk before the last is sent.

Order is proved by an act: the function goes on only when the client, having read a chunk, has said so.
"""

import asyncio
import functools
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.engine_lambda_server import LambdaServer, serving

_STREAMS = """
import os, socket, time

sent = 0


def handler(event, headers):
    print("handling", flush=True)
    if "rawPath" in event:
        return page(event)
    return streamed(event) if event.get("stream", True) else {"sent": sent}


def page(event):
    yield "application/vnd.awslambda.http-integration-response"
    yield b'{"statusCode": 200, "headers": {"content-type": "text/event-stream"}}' + bytes(8)
    yield b"data: 1\\n\\n"
    with socket.create_connection(("127.0.0.1", int(event["queryStringParameters"]["port"]))) as told:
        yield b"data: " + told.recv(100) + b"\\n\\n"


def streamed(event):
    global sent
    yield "text/plain"
    yield b"first"
    if "port" in event:
        with socket.create_connection(("127.0.0.1", event["port"])) as told:
            yield b"second: " + told.recv(100)
    if "fail" in event:
        raise ValueError(event["fail"])
    if "exit" in event:
        os._exit(event["exit"])
    if "sleep" in event:
        time.sleep(event["sleep"])
    for _ in range(event.get("megabytes", 0)):
        yield b"x" * 1048576
    sent += 1
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LambdaServer]:
    async with serving(tmp_path) as running:
        await running.push("1", "streams", handler=_STREAMS)
        await running.active(Timeout=8)  # what crashed starts again within it
        yield running


class Told:
    """Where the function waits for word from the client."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def say(self, word: bytes) -> None:
        connection, _ = self._listener.accept()
        with connection, self._listener:
            connection.sendall(word)


def _streamed(client: Any, event: dict[str, Any], told: Told | None = None) -> tuple[bytes, dict[str, Any]]:
    answer = client.invoke_with_response_stream(
        FunctionName="dash", Payload=json.dumps(event), LogType="Tail"
    )
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    body, complete = b"", {}
    for item in answer["EventStream"]:
        if "PayloadChunk" in item:
            body += item["PayloadChunk"]["Payload"]
        else:
            complete = item["InvokeComplete"]
        if body == b"first" and told is not None:
            told.say(b"the client has the first")
            told = None
    return body, complete


async def test_the_sdk_has_the_first_chunk_before_the_last_is_sent(server: LambdaServer) -> None:
    told = Told()
    body, complete = await server.call(lambda sdk: _streamed(sdk, {"port": told.port}, told))
    assert body == b"firstsecond: the client has the first"
    assert set(complete) == {"LogResult"}
    whole = await server.call(lambda sdk: _streamed(sdk, {"stream": False}))
    assert json.loads(whole[0]) == {"sent": 1}
    collected = await server.call(lambda sdk: sdk.invoke(FunctionName="dash")["Payload"].read())
    assert collected == b"first"


_BREAKS = [
    ({"fail": "no more"}, "ValueError", "no more"),
    ({"exit": 3}, "Runtime.TruncatedResponse", "hung up"),
    ({"sleep": 60}, "Sandbox.Timedout", "Task timed out after 8.00 seconds"),
]


async def test_what_was_sent_stands_when_the_stream_breaks_off(server: LambdaServer) -> None:
    for event, code, details in _BREAKS:
        body, complete = await server.call(lambda sdk, event=event: _streamed(sdk, event))
        assert body == b"first", event
        assert complete["ErrorCode"] == code
        assert details in complete["ErrorDetails"]
        again, _ = await server.call(lambda sdk: _streamed(sdk, {}))
        assert again == b"first"


async def test_a_client_that_hangs_up_does_not_stop_the_function(server: LambdaServer) -> None:
    told = Told()

    def hang_up(client: Any) -> None:
        event = {"port": told.port, "megabytes": 3}
        answer = client.invoke_with_response_stream(FunctionName="dash", Payload=json.dumps(event))
        next(iter(answer["EventStream"]))
        answer["EventStream"].close()

    await server.call(hang_up)
    await asyncio.to_thread(told.say, b"the client is gone")
    await server.service.settle()
    after = await server.call(lambda sdk: _streamed(sdk, {"stream": False}))
    assert json.loads(after[0]) == {"sent": 1}


def _open_url(client: Any) -> str:
    made = client.create_function_url_config(
        FunctionName="dash", AuthType="NONE", InvokeMode="RESPONSE_STREAM", Cors={"AllowOrigins": ["*"]}
    )
    permit = functools.partial(client.add_permission, FunctionName="dash", Principal="*")
    permit(StatementId="url", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
    permit(StatementId="via", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)
    assert client.get_function_url_config(FunctionName="dash")["FunctionUrl"] == made["FunctionUrl"]
    changed = client.update_function_url_config(FunctionName="dash", Cors={})
    assert "Cors" not in changed
    assert len(client.list_function_url_configs(FunctionName="dash")["FunctionUrlConfigs"]) == 1
    return str(made["FunctionUrl"])


async def test_a_page_gets_the_first_event_of_a_streaming_url_before_the_last_is_sent(
    server: LambdaServer,
) -> None:
    url = httpx.URL(await server.call(_open_url))
    told = Told()
    headers = {"host": url.netloc.decode()}
    async with (
        httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client,
        client.stream("GET", f"/events?port={told.port}") as response,
    ):
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream")
        lines = response.aiter_lines()
        assert await anext(lines) == "data: 1"
        await asyncio.to_thread(told.say, b"the page has the first")
        assert [line async for line in lines if line] == ["data: the page has the first"]
    await server.call(lambda sdk: sdk.delete_function_url_config(FunctionName="dash"))
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
        assert (await client.get("/")).status_code == 404
