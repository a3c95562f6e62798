"""The instruments in a real interpreter: this one, started anew with them as its sitecustomize."""

import inspect
import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from understudy.coldstart import instrument, recordings
from understudy.coldstart.watched import Recording

SESSION = """\
class Session:
    def create_client(self, service_name):
        return 1
"""
CLIENT = """\
class LambdaRuntimeClient:
    def wait_next_invocation(self):
        return {}
"""
BOOTSTRAP = """\
def handle_event_request(client, handler, event):
    return handler(event, None)
"""
ROUTING = """\
import asyncio

async def solve_dependencies():
    await asyncio.sleep(0)

async def run_endpoint_function():
    await solve_dependencies()
    return 1

serialize_response = solve_dependencies
"""
ROUTER = """\
import asyncio

class Route:
    async def handle(self, endpoint):
        return await endpoint()

class Router:
    async def app(self, endpoint):
        await asyncio.sleep(0)
        return await Route().handle(endpoint)
"""
APP = """\
import slow
import boto
CLIENT = boto.Session().create_client("s3")
"""
MAIN = """\
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient
import app, threading
client = LambdaRuntimeClient()
client.wait_next_invocation()
client.wait_next_invocation()
client.wait_next_invocation()
import json.tool
import asyncio, socket
import awslambdaric.bootstrap as bootstrap, fastapi.routing as routing, starlette.routing as starlette
answer = lambda event, context: asyncio.run(starlette.Router().app(routing.run_endpoint_function))
bootstrap.handle_event_request(client, answer, {})
try:
    socket.create_connection(("127.0.0.1", 9), timeout=1)
except OSError:
    pass
app.slow.work()
other = threading.Thread(target=__import__, args=("colorsys",))
other.start()
other.join()
other = threading.Thread(target=asyncio.run, args=(routing.serialize_response(),))
other.start()
other.join()
client.wait_next_invocation()
"""


@pytest.fixture
def found(tmp_path: Path) -> Recording:
    files = {
        "sitecustomize.py": f"{inspect.getsource(instrument)}\n\ninstall()\n",
        "awslambdaric/__init__.py": "",
        "awslambdaric/lambda_runtime_client.py": CLIENT,
        "awslambdaric/bootstrap.py": BOOTSTRAP,
        "fastapi/__init__.py": "",
        "fastapi/routing.py": ROUTING,
        "starlette/__init__.py": "",
        "starlette/routing.py": ROUTER,
        "botocore/__init__.py": "",
        "botocore/session.py": SESSION,
        "boto.py": "from botocore.session import Session\n",
        "slow.py": "import time\ntime.sleep(0.05)\ndef work():\n    return 1\n",
        "app.py": APP,
        "main.py": MAIN,
    }
    for name, text in files.items():
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, tmp_path / "main.py"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = recordings.parse(done.stderr, started_s=started)
    assert told is not None
    return told


def test_an_import_is_timed_inside_the_one_that_asked_for_it(found: Recording) -> None:
    names = [span.name for span in found.spans]
    app, slow = found.spans[names.index("app")], found.spans[names.index("slow")]

    assert slow.parent == names.index("app")
    assert slow.ms >= 50
    assert app.ms >= slow.ms
    assert (slow.path.endswith("/app.py"), slow.line) == (True, 1)
    assert slow.compiled_ms > 0
    assert 0 < found.python_ms < app.begin_ms < found.next_ms[0]


def test_clients_are_named_with_the_statement_that_makes_them(found: Recording) -> None:
    (client,) = (span for span in found.spans if span.kind == "client")

    assert client.name == "s3"
    assert (client.path.endswith("/app.py"), client.line) == (True, 3)


def test_each_wait_is_told_with_what_came_before_it(found: Recording) -> None:
    assert len(found.next_ms) == 4
    late = [span.name for span in found.spans if span.begin_ms > found.next_ms[2]]
    assert "json.tool" in late


def test_the_third_request_s_modules_are_noted_and_other_threads_are_not(found: Recording) -> None:
    assert "slow" in found.used
    assert "boto" not in found.used
    assert "colorsys" not in [span.name for span in found.spans]


def test_a_request_is_cut_into_the_steps_of_its_frameworks(found: Recording) -> None:
    steps = {span.name: number for number, span in enumerate(found.spans) if span.kind == "step"}

    assert list(steps) == ["handler", "routing", "route", "endpoint", "dependencies"]
    parents = {name: found.spans[number].parent for name, number in steps.items()}
    for name, inside in itertools.pairwise(steps):
        assert parents[inside] == steps[name]


def test_a_connection_is_told_with_the_statement_that_makes_it(found: Recording) -> None:
    told = [span for span in found.spans if span.kind == "network" and span.name.startswith("connect")]

    assert [span.name for span in told] == ["connect 127.0.0.1:9"]
    assert told[0].path.endswith("/main.py")
