import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.behind import Behind, RefusalError
from tests.unit.engine.functions.sources.mappings import QUEUE, mapping
from understudy.engine.functions.background import Clock
from understudy.engine.functions.calls import AwsCalls
from understudy.engine.functions.deliveries import Deliveries
from understudy.engine.functions.invoke import Invocation, InvokeOutcome
from understudy.engine.functions.sources.queue import QueueReader
from understudy.engine.functions.sources.table import MappingTable
from understudy.engine.functions.sources.tools import PollTimes, Reading, Tools
from understudy.engine.state import State


class World:
    """A queue of numbered messages, a function, and a reader that stops when the queue is empty."""

    def __init__(self, root: Path, count: int, answer: object = None, **settings: Any) -> None:
        self.behind = Behind()
        self.behind.queues["work"] = [
            {"MessageId": f"m{number}", "ReceiptHandle": f"r{number}", "Body": str(number)}
            for number in range(count)
        ]
        self.answer = answer
        self.batches: list[list[str]] = []
        self.now = 0.0
        table = MappingTable(State(root / "engine.sqlite").open())
        table.load()
        calls, clock = AwsCalls(self.behind), Clock(now=self._tick)
        tools = Tools(
            calls=calls,
            invoke=self._invoke,
            deliveries=Deliveries(calls, clock, lambda *_: None),
            table=table,
            clock=clock,
            times=PollTimes(wait_s=0, trouble_s=0.0),
        )
        self.reading = Reading(table.put(mapping(QUEUE, **settings)), tools)

    def _tick(self) -> float:
        self.now += 1.0
        return self.now

    async def _invoke(self, invocation: Invocation) -> InvokeOutcome:
        event = json.loads(invocation.payload)
        self.batches.append([one["messageId"] for one in event["Records"]])
        error = "Unhandled" if self.answer == "fails" else None
        payload = json.dumps(self.answer).encode()
        return InvokeOutcome(status=200, payload=payload, function_error=error, executed_version="1")

    async def run(self) -> list[str]:
        """The batches, and the messages that were deleted."""
        receive = self.behind.__call__

        async def until_empty(scope: Any, given: Any, send: Any) -> None:
            if not self.behind.queues["work"]:
                self.reading.stop()
            await receive(scope, given, send)

        self.reading.tools.calls._app = until_empty
        await QueueReader(self.reading).run()
        return self.behind.deleted


async def test_what_was_done_with_is_deleted(tmp_path: Path) -> None:
    world = World(tmp_path, 3, batch_size=2)
    assert await world.run() == ["r0", "r1", "r2"]
    assert world.batches == [["m0", "m1"], ["m2"]]


async def test_what_failed_is_left_to_the_queue(tmp_path: Path) -> None:
    world = World(tmp_path, 2, "fails")
    assert await world.run() == []
    assert world.batches == [["m0", "m1"]]


async def test_only_what_was_reported_is_left(tmp_path: Path) -> None:
    report = {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert await World(tmp_path, 3, report, report_failures=True).run() == ["r0", "r2"]


async def test_a_window_gathers_more_than_one_call_gives(tmp_path: Path) -> None:
    world = World(tmp_path, 25, batch_size=20, window_s=100)
    assert len(await world.run()) == 25
    assert [len(batch) for batch in world.batches] == [20, 5]


async def test_what_a_filter_holds_back_is_deleted_unseen(tmp_path: Path) -> None:
    world = World(tmp_path, 2, patterns=('{"body": ["0"]}',))
    assert await world.run() == ["r0", "r1"]
    assert world.batches == [["m0"]]


async def test_a_queue_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    world = World(tmp_path, 1)
    world.behind.refusals.append(RefusalError("ServiceUnavailable", 503))
    assert await world.run() == ["r0"]


async def test_what_was_received_is_delivered_when_the_queue_fails_within_the_window(tmp_path: Path) -> None:
    world = World(tmp_path, 25, batch_size=20, window_s=100)
    answer = world.behind._answer

    def fail_once(operation: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == "ReceiveMessage" and len(world.behind.queues["work"]) == 15:
            world.behind._answer = answer  # type: ignore[method-assign]
            raise RefusalError("ServiceUnavailable", 503)
        return answer(operation, given)

    world.behind._answer = fail_once  # type: ignore[method-assign]
    assert len(await world.run()) == 25
    assert [len(batch) for batch in world.batches] == [10, 15]


async def test_nothing_more_is_received_once_it_was_told_to_stop(tmp_path: Path) -> None:
    world = World(tmp_path, 3, batch_size=1, maximum_concurrency=1)
    original = world._invoke

    async def stop_meanwhile(invocation: Invocation) -> InvokeOutcome:
        # The reader waits for a place for the next batch.
        world.reading.stop()
        return await original(invocation)

    object.__setattr__(world.reading.tools, "invoke", stop_meanwhile)
    assert await world.run() == ["r0"]
    assert world.batches == [["m0"]]


async def test_messages_that_cannot_be_deleted_come_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(tmp_path, 1)
    original = world._invoke

    async def then_refuse(invocation: Invocation) -> InvokeOutcome:
        world.behind.refusals.append(RefusalError("ServiceUnavailable", 503))
        return await original(invocation)

    object.__setattr__(world.reading.tools, "invoke", then_refuse)
    assert await world.run() == []
    assert "come again" in caplog.text
