"""Which events are sent, in which order, driven by a fake runtime over the real Runtime API."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.runtime import FakeExecutor, ProcessEndedError, Program, RuntimeClient
from understudy.image.rootfs import Rootfs
from understudy.sandbox import ExitStatus, SandboxSpec
from understudy.verify.boot.model import Event
from understudy.verify.boot.session import Session

SPEC = SandboxSpec(
    rootfs=Rootfs(layers=()),
    entrypoint=("/bootstrap",),
    command=("app.handler",),
    working_dir="/",
    environment={},
    timeout_s=5,
)
Answer = Callable[[dict[str, Any]], Any]


class HandlerError(Exception):
    """Raised by a handler that fails."""


def program(answer: Answer) -> Program:
    """A runtime whose handler is `answer`; a `HandlerError` becomes a function error."""

    async def run(client: RuntimeClient) -> None:
        while True:
            invocation = await client.next()
            try:
                body = json.dumps(answer(json.loads(invocation.payload))).encode()
            except HandlerError as error:
                text = {"errorType": "RuntimeError", "errorMessage": str(error)}
                await client.fail(invocation.request_id, json.dumps(text).encode())
                continue
            await client.respond(invocation.request_id, body)

    return run


def site(**routes: int) -> Answer:
    """A web application with these routes, named without their slash, and its OpenAPI document."""

    def answer(event: dict[str, Any]) -> Any:
        if "rawPath" not in event:
            raise HandlerError("The adapter was unable to infer a handler to use for the event")
        path = event["rawPath"].lstrip("/")
        if path == "openapi.json":
            document: dict[str, Any] = {"paths": {f"/{name}": {"get": {}} for name in routes}}
            return {"statusCode": 200, "body": json.dumps(document)}
        return {"statusCode": routes.get(path, 404)}

    return answer


async def sent(answer: Answer, kind: Any = "unknown") -> list[tuple[str, str]]:
    async with Session(SPEC, executor=FakeExecutor(program(answer))) as session:
        await session.ready()
        await session.ask_routes(await session.send_synthetic(kind, "/openapi.json"))
        return [(each.event.name, each.verdict) for each in session.outcomes]


async def test_web_application_is_asked_health_twice_then_its_routes() -> None:
    assert await sent(site(health=200, a=200, b=500, c=200, d=200), "web") == [
        ("GET /health", "answered"),
        ("GET /health", "answered"),
        ("GET /openapi.json", "answered"),
        ("GET /a", "answered"),
        ("GET /b", "app-error"),
        ("GET /c", "answered"),
    ]


async def test_application_without_health_is_asked_its_first_route_twice() -> None:
    assert await sent(site(a=200)) == [
        ("GET /health", "answered"),
        ("GET /openapi.json", "answered"),
        ("GET /a", "answered"),
        ("GET /a", "answered"),
    ]


async def test_application_without_openapi_is_asked_its_root() -> None:
    found = await sent(lambda _: {"statusCode": 404})
    assert found == [("GET /health", "answered"), ("GET /", "answered"), ("GET /", "answered")]


async def test_plain_handler_is_sent_the_plain_event_twice() -> None:
    assert await sent(lambda _: "x", "plain") == [("{}", "answered")] * 2


async def test_unknown_handler_that_takes_anything_is_plain() -> None:
    assert await sent(lambda _: "x") == [("GET /health", "answered")] * 2


async def test_handler_that_takes_the_other_kind_is_sent_that() -> None:
    def only_plain(event: dict[str, Any]) -> Any:
        if event:
            raise HandlerError("KeyError")
        return "x"

    assert await sent(only_plain) == [("GET /health", "refused"), ("{}", "answered"), ("{}", "answered")]
    web = await sent(site(health=200), "plain")
    assert web[:3] == [("{}", "refused"), ("GET /health", "answered"), ("GET /health", "answered")]


async def test_handler_that_takes_neither_is_not_refused() -> None:
    def neither(event: dict[str, Any]) -> Any:
        raise HandlerError("KeyError: 'Records'")

    found = await sent(neither, "plain")
    assert {verdict for _, verdict in found} == {"function-error"}


async def test_own_events_are_sent_once_but_the_first() -> None:
    own = [Event(name=name, kind="own", payload=b"{}") for name in ("a", "b")]
    async with Session(SPEC, executor=FakeExecutor(program(lambda _: 1))) as session:
        await session.ready()
        await session.send_own(own)
        assert [each.event.name for each in session.outcomes] == ["a", "a", "b"]
        assert session.peak_mb > 0
        assert session.names == ()


@pytest.mark.parametrize(
    ("error_type", "again"),
    [("KeyError", True), ("Runtime.ExitError", True), ("Runtime.ImportModuleError", False)],
)
async def test_second_init_is_tried_where_it_may_help(error_type: str, again: bool) -> None:
    async def fails(client: RuntimeClient) -> None:
        if error_type != "Runtime.ExitError":
            await client.fail_init(error_type, "as asked")
        raise ProcessEndedError(ExitStatus(code=1))

    async with Session(SPEC, executor=FakeExecutor(fails), explain=False) as session:
        attempt = await session.ready()
        assert attempt.error_type == error_type
        assert session.retries(attempt) is again


async def test_second_init_is_on_record() -> None:
    async def once(client: RuntimeClient) -> None:
        await client.fail_init("KeyError", "not yet")
        raise ProcessEndedError(ExitStatus(code=1))

    executor = FakeExecutor(once, program(lambda _: 1))
    async with Session(SPEC, executor=executor, explain=False) as session:
        await session.ready()
        await session.send(Event(name="a", kind="own", payload=b"{}"))
        assert [(each.phase, each.error_type) for each in session.attempts] == [
            ("init", "KeyError"),
            ("invoke", ""),
        ]
