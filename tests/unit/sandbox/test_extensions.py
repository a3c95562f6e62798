"""The Extensions API by its requests: who is idle when, what is told to whom, what is refused."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from understudy.image.rootfs import Rootfs
from understudy.image.rootfs_view import RootfsView
from understudy.sandbox import extensions
from understudy.sandbox.extensions import Extensions
from understudy.sandbox.model import InvokeRequest

REQUEST = InvokeRequest(request_id="r-1", payload=b"{}", invoked_function_arn="arn:f", trace_id="Root=1")


class Wire:
    """A connection that keeps what it was answered."""

    def __init__(self, api: Extensions) -> None:
        self.api = api
        self.answers: list[tuple[int, dict[str, str], dict[str, Any]]] = []

    def write(self, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        self.answers.append((int(status.split()[1]), headers, json.loads(body)))

    def refuse(self, status: int, error_type: str, message: str) -> None:
        self.answers.append((status, {}, {"errorType": error_type, "errorMessage": message}))

    def ask(self, path: str, body: bytes = b"", **headers: str) -> None:
        named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
        self.api.handle(self, path.encode(), named, body)

    def register(self, name: str, *events: str) -> str:
        body = json.dumps({"events": events}).encode()
        self.ask("/2020-01-01/extension/register", body, lambda_extension_name=name)
        return self.answers[-1][1].get("Lambda-Extension-Identifier", "")

    def next(self, identifier: str) -> None:
        self.ask("/2020-01-01/extension/event/next", lambda_extension_identifier=identifier)

    @property
    def last(self) -> tuple[int, str]:
        status, _, document = self.answers[-1]
        return status, document.get("errorType", "")


class Heard:
    def __init__(self, *names: str) -> None:
        self.idle = 0
        self.failures: list[tuple[str, str]] = []
        self.api = Extensions(names, {"functionName": "f", "functionVersion": "1", "handler": "h"})
        self.api.on_idle = self._count
        self.api.on_failure = lambda error_type, text: self.failures.append((error_type, text))

    def _count(self) -> None:
        self.idle += 1


def test_without_extensions_there_is_nothing_to_wait_for() -> None:
    heard = Heard()
    launcher = Wire(heard.api)
    launcher.ask("/understudy/extensions")
    assert heard.api.idle
    assert launcher.last == (200, "")


def test_the_launcher_waits_until_all_have_registered_and_init_until_all_wait() -> None:
    heard = Heard("a", "b")
    launcher, a, b = Wire(heard.api), Wire(heard.api), Wire(heard.api)
    launcher.ask("/understudy/extensions")
    first = a.register("a", "INVOKE")
    assert a.answers[-1][2] == {"functionName": "f", "functionVersion": "1", "handler": "h"}
    assert launcher.answers == []
    second = b.register("b")
    assert launcher.last == (200, "")
    a.next(first)
    assert (heard.api.idle, heard.idle) == (False, 0)
    b.next(second)
    assert (heard.api.idle, heard.idle) == (True, 1)


def test_an_invocation_is_told_to_who_asked_for_it_and_is_over_when_it_is_back() -> None:
    heard = Heard("a", "b")
    a, b = Wire(heard.api), Wire(heard.api)
    first, second = a.register("a", "INVOKE"), b.register("b", "SHUTDOWN")
    a.next(first)
    b.next(second)
    heard.api.invoke(REQUEST, 123)
    assert len(b.answers) == 1
    status, headers, event = a.answers[-1]
    assert (status, "Lambda-Extension-Event-Identifier" in headers) == (200, True)
    assert event == {
        "eventType": "INVOKE",
        "deadlineMs": 123,
        "requestId": "r-1",
        "invokedFunctionArn": "arn:f",
        "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1"},
    }
    assert not heard.api.idle
    a.next(first)
    assert heard.idle == 2


def test_who_hangs_up_while_it_waits_has_crashed() -> None:
    heard = Heard("a")
    wire = Wire(heard.api)
    wire.next(wire.register("a"))
    heard.api.detach(Wire(heard.api))
    assert heard.failures == []
    heard.api.detach(wire)
    assert heard.failures == [("Extension.Crash", "extension a exited")]


@pytest.mark.parametrize(
    ("verb", "error_type"), [("init", "Extension.InitError"), ("exit", "Extension.ExitError")]
)
def test_an_error_that_is_reported_ends_the_environment(verb: str, error_type: str) -> None:
    heard = Heard("a")
    wire = Wire(heard.api)
    identifier = wire.register("a")
    wire.ask(
        f"/2020-01-01/extension/{verb}/error",
        lambda_extension_identifier=identifier,
        lambda_extension_function_error_type="Own.Reason",
    )
    assert wire.last == (202, "")
    assert heard.failures == [(error_type, "Own.Reason")]


async def test_the_end_is_told_and_waits_for_who_wants_to_know() -> None:
    heard = Heard("a", "b")
    a, b = Wire(heard.api), Wire(heard.api)
    first, second = a.register("a", "SHUTDOWN"), b.register("b", "INVOKE")
    a.next(first)
    b.next(second)
    ending = asyncio.create_task(heard.api.shut_down())
    await asyncio.sleep(0)
    assert a.answers[-1][2]["shutdownReason"] == "spindown"
    assert len(b.answers) == 1
    heard.api.detach(a)
    await ending
    assert heard.failures == []


def test_after_a_reset_all_have_to_register_again() -> None:
    heard = Heard("a")
    wire = Wire(heard.api)
    wire.next(wire.register("a"))
    heard.api.reset()
    assert not heard.api.idle
    wire.next(wire.register("a"))
    assert heard.api.idle


def test_refusals() -> None:
    heard = Heard("a")
    wire = Wire(heard.api)
    wire.ask("/2020-01-01/extension/register")
    assert wire.last == (400, "Extension.InvalidExtensionName")
    wire.register("a", "RESTART")
    assert wire.last == (403, "Extension.InvalidEventType")
    wire.register("internal", "SHUTDOWN")
    assert wire.last == (403, "Extension.InvalidEventType")
    wire.ask("/2020-01-01/extension/register", b"[", lambda_extension_name="a")
    assert wire.last == (400, "InvalidRequestFormat")
    identifier = wire.register("a")
    wire.register("a")
    assert wire.last == (403, "Extension.AlreadyRegistered")
    wire.next("")
    assert wire.last == (403, "Extension.MissingExtensionIdentifier")
    wire.next("other")
    assert wire.last == (403, "Extension.UnknownExtensionIdentifier")
    wire.ask("/2020-01-01/extension/other", lambda_extension_identifier=identifier)
    assert wire.last == (404, "PageNotFound")


@pytest.mark.parametrize(
    ("path", "name"), [("/2022-07-01/telemetry", "Telemetry"), ("/2020-08-15/logs", "Logs")]
)
def test_telemetry_is_refused_as_the_emulator_of_aws_refuses_it(path: str, name: str) -> None:
    heard = Heard()
    wire = Wire(heard.api)
    assert heard.api.answers(path.encode())
    wire.ask(path)
    assert wire.answers[-1][2] == {
        "errorMessage": f"{name} API is not supported",
        "errorType": f"{name}.NotSupported",
    }


def test_external_extensions_are_the_files_of_their_folder(tmp_path: Path) -> None:
    folder = tmp_path / "opt" / "extensions"
    (folder / "shared").mkdir(parents=True)
    (folder / "agent").write_text("")
    (folder / "link").symlink_to("/opt/extensions/agent")
    view = RootfsView(Rootfs(layers=(tmp_path,)))
    assert extensions.external(view) == ("/opt/extensions/agent", "/opt/extensions/link")
    (tmp_path / "opt" / "disable-extensions-jwigqn8j").write_text("")
    assert extensions.external(view) == ()
