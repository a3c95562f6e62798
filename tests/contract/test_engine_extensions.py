"""External extensions in real sandboxes: one that watches, one that is the runtime, one that cannot start.

Lambda Web Adapter itself cannot be had from PyPI or npm; `_ADAPTER` follows its protocol: it registers for no
event, waits until the web server that is the image's own program answers, and asks for invocations in the
place of a runtime client.
"""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests import tools
from tests.contract.engine_lambda_server import LambdaServer, serving
from tests.contract.test_engine_streaming import Told
from tests.ports import free_port
from understudy.sandbox import executors

_SPEAK = """
import json, os, socket, sys, threading, time

HOST, _, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
NAME = os.path.basename(sys.argv[0])


class Speaker:
    def __init__(self, host=HOST, port=PORT):
        self.connection = socket.create_connection((host, int(port)))
        self.reader = self.connection.makefile("rb")

    def call(self, method, path, body=b"", headers=()):
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
        self.connection.sendall("\\r\\n".join(lines).encode() + b"\\r\\n\\r\\n" + body)
        self.reader.readline()
        found = {}
        while (line := self.reader.readline().strip()):
            name, _, value = line.decode().partition(":")
            found[name.lower()] = value.strip()
        return found

    def body(self, headers):
        return self.reader.read(int(headers.get("content-length", 0)))


def register(events):
    speaker = Speaker()
    headers = speaker.call(
        "POST", "/2020-01-01/extension/register", json.dumps({"events": events}).encode(),
        [f"Lambda-Extension-Name: {NAME}"],
    )
    speaker.body(headers)
    return speaker, f"Lambda-Extension-Identifier: {headers['lambda-extension-identifier']}"


def next_event(speaker, identifier):
    headers = speaker.call("GET", "/2020-01-01/extension/event/next", b"", [identifier])
    return json.loads(speaker.body(headers))
"""

_WATCHER = (
    _SPEAK
    + """
print("extension starts", "_HANDLER" in os.environ, flush=True)
speaker, identifier = register(["INVOKE", "SHUTDOWN"])
telemetry = Speaker()
print("telemetry", telemetry.body(telemetry.call("PUT", "/2022-07-01/telemetry", b"{}")).decode(), flush=True)
while True:
    event = next_event(speaker, identifier)
    print("extension saw", event["eventType"], event.get("shutdownReason"), flush=True)
    if event["eventType"] == "SHUTDOWN":
        break
"""
)

_ADAPTER = (
    _SPEAK
    + """
WEB = int(os.environ["WEB_PORT"])
speaker, identifier = register([])
threading.Thread(target=next_event, args=(speaker, identifier), daemon=True).start()
while True:
    try:
        Speaker("127.0.0.1", WEB)
        break
    except OSError:
        time.sleep(0.01)
runtime = Speaker()
API = "/2018-06-01/runtime/invocation"
while True:
    headers = runtime.call("GET", API + "/next")
    event, request_id = json.loads(runtime.body(headers)), headers["lambda-runtime-aws-request-id"]
    query = event["rawQueryString"]
    web = Speaker("127.0.0.1", WEB)
    answer = web.call("GET", event["rawPath"] + ("?" + query if query else ""))
    head = {"statusCode": 200, "headers": {"content-type": answer["content-type"]}}
    if os.environ["AWS_LWA_INVOKE_MODE"] == "buffered":
        whole = json.dumps({**head, "body": web.reader.read().decode()}).encode()
        runtime.body(runtime.call("POST", f"{API}/{request_id}/response", whole))
        continue
    lines = [f"POST {API}/{request_id}/response HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"]
    lines += ["Lambda-Runtime-Function-Response-Mode: streaming"]
    lines += ["Content-Type: application/vnd.awslambda.http-integration-response"]
    stream = Speaker()
    stream.connection.sendall("\\r\\n".join(lines).encode() + b"\\r\\n\\r\\n")
    piece = json.dumps(head).encode() + bytes(8)
    while piece:
        stream.connection.sendall(b"%x\\r\\n%b\\r\\n" % (len(piece), piece))
        piece = web.reader.read1(65536)
    stream.connection.sendall(b"0\\r\\n\\r\\n")
    stream.reader.readline()
"""
)

# The image's own program; it knows nothing of Lambda.
_WEB = """
import os, socket, threading
from urllib.parse import parse_qs

server = socket.create_server(("127.0.0.1", int(os.environ["WEB_PORT"])))


def serve(connection):
    with connection:
        target = connection.makefile("rb").readline().split()
        if not target:
            return
        path, _, query = target[1].decode().partition("?")
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\n\\r\\n")
        connection.sendall(b"first of " + path.encode())
        if query:
            with socket.create_connection(("127.0.0.1", int(parse_qs(query)["port"][0]))) as told:
                connection.sendall(b", then " + told.recv(100))


while True:
    threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()
"""


@pytest.fixture(params=executors.NAMES)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LambdaServer]:
    if request.param == executors.DOCKER:
        tools.require_docker()
    async with serving(tmp_path, executor_name=request.param) as running:
        yield running
    if request.param == executors.DOCKER:
        tools.remove_sandbox_images()


async def _invoke(server: LambdaServer, event: dict[str, Any]) -> tuple[dict[str, Any], str]:
    def call(sdk: Any) -> tuple[dict[str, Any], str]:
        answer = sdk.invoke(FunctionName="dash", Payload=json.dumps(event), LogType="Tail")
        tail = base64.b64decode(answer["LogResult"]).decode()
        return json.loads(answer["Payload"].read()), tail

    found: tuple[dict[str, Any], str] = await server.call(call)
    return found


def _lines(server: LambdaServer) -> str:
    events = server.client("logs").filter_log_events(logGroupName="/aws/lambda/dash")["events"]
    return "".join(event["message"] for event in events)


async def test_an_extension_sees_invocations_and_the_end(server: LambdaServer) -> None:
    await server.push("1", "w", scripts={"/opt/extensions/watcher": _WATCHER})
    await server.active()
    first, tail = await _invoke(server, {})
    again, _ = await _invoke(server, {})
    assert (first["calls"], again["calls"], again["pid"]) == (1, 2, first["pid"])
    assert "Init Duration" in tail
    await server.service.close()
    log = await server.call(lambda _: _lines(server))
    assert log.index("extension starts False") < log.index("START RequestId")
    assert '"Telemetry.NotSupported"' in log
    assert log.count("extension saw INVOKE None") == 2
    assert log.count("extension saw SHUTDOWN spindown") == 1


async def test_a_web_server_runs_behind_an_adapter_buffered_and_streamed(server: LambdaServer) -> None:
    scripts = {"/opt/extensions/lambda-adapter": _ADAPTER, "/var/task/web.py": _WEB}
    await server.push("1", "lwa", scripts=scripts, program="/var/task/web.py")
    variables = {"WEB_PORT": str(free_port()), "AWS_LWA_INVOKE_MODE": "buffered"}
    await server.active(Environment={"Variables": variables})
    answer, tail = await _invoke(server, {"rawPath": "/a", "rawQueryString": ""})
    assert (answer["statusCode"], answer["body"]) == (200, "first of /a")
    assert "Init Duration" in tail

    told = Told()
    variables = {"WEB_PORT": str(free_port()), "AWS_LWA_INVOKE_MODE": "response_stream"}

    def stream(sdk: Any) -> bytes:
        sdk.update_function_configuration(FunctionName="dash", Environment={"Variables": variables})
        sdk.get_waiter("function_updated_v2").wait(FunctionName="dash", WaiterConfig={"Delay": 1})
        event = {"rawPath": "/b", "rawQueryString": f"port={told.port}"}
        found = sdk.invoke_with_response_stream(FunctionName="dash", Payload=json.dumps(event))
        body = b""
        for item in found["EventStream"]:
            body += item.get("PayloadChunk", {}).get("Payload", b"")
            if body.endswith(b"first of /b"):
                told.say(b"the client has it")
        return body

    body = await server.call(stream)
    assert body.partition(bytes(8))[2] == b"first of /b, then the client has it"


async def test_an_extension_that_cannot_be_started_fails_the_init_phase(server: LambdaServer) -> None:
    await server.push("1", "x", scripts={"/opt/extensions/broken": ""}, script_mode=0o644)
    await server.active()
    error, tail = await _invoke(server, {})
    assert error["errorType"] == "Extension.LaunchError"
    assert "fork/exec /opt/extensions/broken: permission denied" in error["errorMessage"]
    assert "INIT_REPORT" in tail
