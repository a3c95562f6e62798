import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer

from tests.fakes.executor import Gate, echo
from tests.fakes.lambda_world import ARN, World
from understudy.engine.protocol import ApiError, Call
from understudy.errors import UnderstudyError
from understudy.sandbox.model import InvokeRequest, SandboxSpec


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World(tmp_path).start()
    await made.active()
    yield made
    await made.close()


async def refused(world: World, **params: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await world.call("Invoke", FunctionName="dash", **params)
    return caught.value


async def test_a_request_and_its_answer(world: World) -> None:
    answer = await world.call("Invoke", FunctionName="dash", Payload=b'{"a":1}', LogType="Tail")
    seen = json.loads(answer["Payload"])
    assert seen["event"] == {"a": 1}
    assert seen["arn"] == ARN
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert tail.startswith("START RequestId: id-Invoke Version: $LATEST\n")
    assert "LogResult" not in await world.call("Invoke", FunctionName="dash")


async def test_no_payload_is_an_empty_object(world: World) -> None:
    answer = await world.call("Invoke", FunctionName="dash")
    assert json.loads(answer["Payload"])["event"] == {}


async def test_a_function_error_is_told_beside_the_payload(world: World) -> None:
    async def fail(*_: object) -> bytes:
        raise KeyError("DB_URL")

    world.fleet.handler = fail
    answer = await world.call("Invoke", FunctionName="dash")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"])["errorType"] == "KeyError"


async def test_the_client_context_arrives_decoded(world: World) -> None:
    async def tell(_: SandboxSpec, request: InvokeRequest) -> bytes:
        return json.dumps(request.client_context).encode()

    world.fleet.handler = tell
    context = base64.b64encode(b'{"custom":1}').decode()
    answer = await world.call("Invoke", FunctionName="dash", ClientContext=context)
    assert json.loads(answer["Payload"]) == '{"custom":1}'
    assert (await refused(world, ClientContext="%")).code == "InvalidRequestContentException"


async def test_payload_limits_are_lambda_s(world: World) -> None:
    fits = b'"' + b"x" * (6_291_456 - 2) + b'"'
    assert (await world.call("Invoke", FunctionName="dash", Payload=fits))["StatusCode"] == 200
    caught = await refused(world, Payload=fits + b" ")
    assert (caught.code, caught.status) == ("RequestTooLargeException", 413)
    assert caught.message == (
        "6291457 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)"
    )
    caught = await refused(world, Payload=b" " * 1_048_577, InvocationType="Event")
    assert "for the Event invocation type (limit 1048576 bytes)" in caught.message


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Payload": b"{nope"}, "InvalidRequestContentException"),
        ({"Payload": b"\xff"}, "InvalidRequestContentException"),
        ({"Payload": '{"a": 1}'.encode("utf-16")}, "InvalidRequestContentException"),
        ({"Payload": b"[" * 100_000}, "InvalidRequestContentException"),
        ({"InvocationType": "Later"}, "ValidationException"),
        ({"Qualifier": "nope"}, "ResourceNotFoundException"),
    ],
)
async def test_refuses(world: World, params: dict[str, Any], code: str) -> None:
    assert (await refused(world, **params)).code == code


async def test_an_unknown_function_is_named_with_latest(world: World) -> None:
    with pytest.raises(ApiError) as caught:
        await world.call("Invoke", FunctionName="gone")
    assert caught.value.message == f"Function not found: {ARN[:-4]}gone:$LATEST"


async def test_a_dry_run_runs_nothing(world: World) -> None:
    assert await world.call("Invoke", FunctionName="dash", InvocationType="DryRun") == {"StatusCode": 204}
    assert world.fleet.made == []


async def test_reserved_concurrency_throttles_the_third(world: World) -> None:
    gate = Gate()
    world.fleet.handler = gate
    await world.call("PutFunctionConcurrency", FunctionName="dash", ReservedConcurrentExecutions=2)
    tasks = [asyncio.create_task(world.call("Invoke", FunctionName="dash")) for _ in range(2)]
    await gate.wait_for(2)
    caught = await refused(world)
    assert (caught.code, caught.status) == ("TooManyRequestsException", 429)
    assert caught.fields["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    gate.open.set()
    await asyncio.gather(*tasks)
    assert (await world.call("Invoke", FunctionName="dash"))["StatusCode"] == 200


async def test_eight_at_once_use_eight_environments(world: World) -> None:
    gate = Gate()
    world.fleet.handler = gate
    tasks = [asyncio.create_task(world.call("Invoke", FunctionName="dash")) for _ in range(8)]
    await gate.wait_for(8)
    assert world.service.environments == 8
    gate.open.set()
    await asyncio.gather(*tasks)
    assert len(world.fleet.made) == 8


async def test_an_engine_that_stops_ends_the_environment_of_what_it_cancels(world: World) -> None:
    world.fleet.handler = Gate()
    task = asyncio.create_task(world.service.invoke(ARN, b"{}"))
    await world.fleet.handler.wait_for(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(world.fleet.ended.wait(), 60)
    world.fleet.handler = echo
    assert json.loads((await world.service.invoke(ARN, b"{}")).payload)["event"] == {}
    assert len(world.fleet.made) == 2


async def test_a_machine_that_cannot_isolate_says_what_to_do(world: World) -> None:
    async def fail(_: SandboxSpec) -> None:
        raise UnderstudyError("no-namespaces", "the kernel forbids namespaces", hint="run sysctl")

    world.fleet.starting = fail
    caught = await refused(world)
    assert (caught.code, caught.status) == ("ServiceException", 500)
    assert caught.message == "the kernel forbids namespaces (run sysctl)"


async def test_weights_split_the_traffic(world: World) -> None:
    await world.call("PublishVersion", FunctionName="dash")
    await world.call("UpdateFunctionConfiguration", FunctionName="dash", Description="two")
    await world.service.settle()
    await world.call("PublishVersion", FunctionName="dash")
    await world.call(
        "CreateAlias",
        FunctionName="dash",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    outcomes = [await world.service.invoke(f"{ARN}:live", b"{}") for _ in range(200)]
    counted = Counter(outcome.executed_version for outcome in outcomes)
    assert set(counted) == {"1", "2"}
    # 200 fair coins fall outside 50..150 once in 10^12 runs.
    assert 50 < counted["2"] < 150


async def test_changes_are_seen_by_the_next_request(world: World) -> None:
    assert (await world.service.invoke(ARN, b"{}")).executed_version == "$LATEST"
    await world.call(
        "UpdateFunctionConfiguration", FunctionName="dash", Environment={"Variables": {"NEW": "yes"}}
    )
    await world.service.settle()
    seen = json.loads((await world.service.invoke(ARN, b"{}")).payload)
    assert seen["environment"]["NEW"] == "yes"
    assert len(world.fleet.alive) == 1
    await world.call("DeleteFunction", FunctionName="dash")
    with pytest.raises(ApiError, match="Function not found"):
        await world.service.invoke(ARN, b"{}")
    await world.service.settle()
    assert world.fleet.alive == []


async def test_during_an_update_the_old_code_serves(world: World) -> None:
    await world.call("Invoke", FunctionName="dash")
    await world.call("UpdateFunctionConfiguration", FunctionName="dash", Timeout=9)
    assert (await world.call("Invoke", FunctionName="dash"))["StatusCode"] == 200
    assert world.fleet.made[0].invocations == 2


async def test_a_trace_header_is_passed_on_or_made_up(world: World) -> None:
    async def tell(_: SandboxSpec, request: InvokeRequest) -> bytes:
        return json.dumps(request.trace_id).encode()

    world.fleet.handler = tell
    made = json.loads((await world.call("Invoke", FunctionName="dash"))["Payload"])
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", made)
    call = Call(
        service="lambda",
        operation="Invoke",
        params={"FunctionName": "dash"},
        headers={"x-amzn-trace-id": "Root=1-a-b"},
    )
    assert json.loads((await world.service.operations["Invoke"](call))["Payload"]) == "Root=1-a-b"


async def events_of(answer: dict[str, Any]) -> list[tuple[str, bytes]]:
    buffer = EventStreamBuffer()
    async for part in answer["EventStream"]:
        buffer.add_data(part)
    return [(event.headers[":event-type"], event.payload) for event in buffer]


async def test_a_streamed_answer_comes_event_by_event(world: World) -> None:
    class Transport:
        def pause_reading(self) -> None: ...

        def resume_reading(self) -> None: ...

    async def streams(_: SandboxSpec, request: InvokeRequest) -> bytes:
        assert request.stream is not None
        request.stream.begin("text/plain", Transport())
        request.stream.feed(b"one")
        request.stream.feed(b"two")
        return b""

    world.fleet.handler = streams
    answer = await world.call("InvokeWithResponseStream", FunctionName="dash", LogType="Tail")
    *chunks, (kind, complete) = await events_of(answer)
    assert chunks == [("PayloadChunk", b"one"), ("PayloadChunk", b"two")]
    assert kind == "InvokeComplete"
    assert base64.b64decode(json.loads(complete)["LogResult"]).startswith(b"START ")


async def test_an_answer_in_one_piece_is_one_chunk_and_an_error_none(world: World) -> None:
    answer = await world.call("InvokeWithResponseStream", FunctionName="dash", Payload=b'"a"')
    (kind, payload), complete = await events_of(answer)
    assert (kind, json.loads(payload)["event"]) == ("PayloadChunk", "a")
    assert complete == ("InvokeComplete", b"{}")

    async def fail(*_: object) -> bytes:
        raise KeyError("DB_URL")

    world.fleet.handler = fail
    answer = await world.call("InvokeWithResponseStream", FunctionName="dash")
    ((kind, payload),) = await events_of(answer)
    assert kind == "InvokeComplete"
    assert json.loads(payload)["ErrorCode"] == "KeyError"


async def test_a_stream_that_cannot_start_is_refused_like_invoke(world: World) -> None:
    with pytest.raises(ApiError, match="ResourceNotFoundException"):
        await world.call("InvokeWithResponseStream", FunctionName="other")
    with pytest.raises(ApiError, match="enum value set"):
        await world.call("InvokeWithResponseStream", FunctionName="dash", InvocationType="Event")
    answer = await world.call("InvokeWithResponseStream", FunctionName="dash", InvocationType="DryRun")
    assert answer == {"StatusCode": 204}
    await world.call("PutFunctionConcurrency", FunctionName="dash", ReservedConcurrentExecutions=0)
    with pytest.raises(ApiError, match="TooManyRequestsException"):
        await world.call("InvokeWithResponseStream", FunctionName="dash")
