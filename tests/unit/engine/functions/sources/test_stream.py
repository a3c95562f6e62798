import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.fakes.behind import Behind, RefusalError
from tests.unit.engine.functions.sources.mappings import mapping, record
from understudy.engine.functions import errors
from understudy.engine.functions.background import Clock
from understudy.engine.functions.calls import AwsCalls
from understudy.engine.functions.deliveries import Deliveries
from understudy.engine.functions.invoke import Invocation, InvokeOutcome
from understudy.engine.functions.sources.stream import StreamReader
from understudy.engine.functions.sources.table import MappingTable
from understudy.engine.functions.sources.tools import PollTimes, Reading, Tools
from understudy.engine.state import State

DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
_AT_ONCE = PollTimes(idle_s=0.0, shards_s=0.0, renewed_s=0.0, retry_s=0.0, longest_s=0.0, trouble_s=0.0)


class World:
    """A stream of records, a function, and a reader that stops when the last record is done with."""

    def __init__(self, root: Path, code: Callable[[list[str]], object], **settings: Any) -> None:
        self.behind = Behind([record(number) for number in range(1, 5)])
        self.code = code
        self.batches: list[list[str]] = []
        self.state = State(root / "engine.sqlite").open()
        self.table = MappingTable(self.state)
        self.table.load()
        self.mapping = self.table.put(mapping(**{"on_failure": DEAD, **settings}))
        calls, clock = AwsCalls(self.behind), Clock(now=lambda: 1_700_000_100.0)
        tools = Tools(
            calls=calls,
            invoke=self._invoke,
            deliveries=Deliveries(calls, clock, lambda *_: None),
            table=self.table,
            clock=clock,
            times=_AT_ONCE,
        )
        self.reading = Reading(self.mapping, tools)
        self.reader = StreamReader(self.reading)

    async def _invoke(self, invocation: Invocation) -> InvokeOutcome:
        event = json.loads(invocation.payload)
        batch = [one["dynamodb"]["SequenceNumber"] for one in event["Records"]]
        self.batches.append(batch)
        answer, error = self.code(batch), None
        if answer == "fails":
            answer, error = {"errorMessage": "poison"}, "Unhandled"
        return InvokeOutcome(
            status=200, payload=json.dumps(answer).encode(), function_error=error, executed_version="1"
        )

    async def run(self) -> list[list[str]]:
        advance = self.table.advance

        def last(uuid: str, shard: str, sequence: str) -> None:
            advance(uuid, shard, sequence)
            if sequence == self.behind.stream[-1]["dynamodb"]["SequenceNumber"]:
                self.reading.stop()

        self.table.advance = last  # type: ignore[method-assign]
        await self.reader.run()
        self.state.close()
        return self.batches

    def given_up(self) -> list[tuple[str, str, str]]:
        """Condition, first and last sequence number of every record of a failure."""
        sent = [body["MessageBody"] for what, body in self.behind.requests if what.endswith("SendMessage")]
        found = [json.loads(text) for text in sent]
        return [
            (
                one["requestContext"]["condition"],
                one["DDBStreamBatchInfo"]["startSequenceNumber"],
                one["DDBStreamBatchInfo"]["endSequenceNumber"],
            )
            for one in found
        ]


def _fails_on(*bad: str) -> Callable[[list[str]], object]:
    return lambda batch: "fails" if set(bad) & set(batch) else None


def _reports(*bad: str) -> Callable[[list[str]], object]:
    return lambda batch: {"batchItemFailures": [{"itemIdentifier": one} for one in batch if one in bad]}


async def test_batches_have_the_size_that_was_asked_for(tmp_path: Path) -> None:
    world = World(tmp_path, _fails_on(), batch_size=3)
    assert await world.run() == [["1", "2", "3"], ["4"]]


async def test_a_batch_is_retried_whole_and_given_up_on_whole(tmp_path: Path) -> None:
    world = World(tmp_path, _fails_on("3"), maximum_retries=2)
    assert await world.run() == [["1", "2", "3", "4"]] * 3
    assert world.given_up() == [("RetryAttemptsExhausted", "1", "4")]
    assert world.behind.requests[-1][1]["QueueUrl"].endswith("/dead")


async def test_splitting_finds_the_bad_record_and_costs_no_retry(tmp_path: Path) -> None:
    world = World(tmp_path, _fails_on("3"), maximum_retries=0, bisect=True)
    assert await world.run() == [["1", "2", "3", "4"], ["1", "2"], ["3", "4"], ["3"], ["4"]]
    assert world.given_up() == [("RetryAttemptsExhausted", "3", "3")]


async def test_a_report_goes_on_at_the_first_failure(tmp_path: Path) -> None:
    world = World(tmp_path, _reports("3"), maximum_retries=1, report_failures=True)
    assert await world.run() == [["1", "2", "3", "4"], ["3", "4"]]
    assert world.given_up() == [("RetryAttemptsExhausted", "3", "4")]


async def test_a_report_and_splitting_lose_the_bad_record_alone(tmp_path: Path) -> None:
    world = World(tmp_path, _reports("3"), maximum_retries=1, report_failures=True, bisect=True)
    assert await world.run() == [["1", "2", "3", "4"], ["3", "4"], ["3"], ["3"], ["4"]]
    assert world.given_up() == [("RetryAttemptsExhausted", "3", "3")]


async def test_records_that_grew_too_old_are_given_up_on_unseen(tmp_path: Path) -> None:
    world = World(tmp_path, _fails_on(), maximum_age_s=97)
    assert await world.run() == [["3", "4"]]
    assert world.given_up() == [("RecordAgeExceeded", "1", "2")]


async def test_a_throttled_batch_costs_no_retry(tmp_path: Path) -> None:
    tries = iter((True, True, False))

    def code(batch: list[str]) -> object:
        if next(tries):
            raise errors.throttled("ConcurrentInvocationLimitExceeded")
        return None

    world = World(tmp_path, code, maximum_retries=0)
    assert len(await world.run()) == 3
    assert world.given_up() == []


async def test_filtered_records_are_passed_by(tmp_path: Path) -> None:
    pattern = '{"dynamodb": {"Keys": {"id": {"S": ["item-2"]}}}}'
    world = World(tmp_path, _fails_on(), patterns=(pattern,))
    assert await world.run() == [["2"]]


async def test_reading_goes_on_behind_the_last_place(tmp_path: Path) -> None:
    world = World(tmp_path, _fails_on())
    world.table.advance(world.mapping.uuid, "shard-1", "2")
    assert await world.run() == [["3", "4"]]


async def test_a_place_that_is_gone_means_the_oldest_record(tmp_path: Path) -> None:
    world = World(tmp_path, _fails_on())
    world.table.advance(world.mapping.uuid, "shard-1", "0")
    assert await world.run() == [["1", "2", "3", "4"]]


async def test_a_stream_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    world = World(tmp_path, _fails_on())
    world.behind.refusals += [RefusalError("ServiceUnavailable", 503)] * 3
    assert await world.run() == [["1", "2", "3", "4"]]


async def test_what_was_read_is_delivered_when_the_stream_fails_within_the_window(tmp_path: Path) -> None:
    world = World(tmp_path, _fails_on(), batch_size=5, window_s=100)
    answer = world.behind._answer

    def fail_once(operation: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == "GetRecords" and given["ShardIterator"] == "4" and len(world.behind.stream) == 4:
            world.behind.stream += [record(number) for number in range(5, 10)]
            raise RefusalError("ServiceUnavailable", 503)
        return answer(operation, given)

    world.behind._answer = fail_once  # type: ignore[method-assign]
    assert await world.run() == [["1", "2", "3", "4"], ["5", "6", "7", "8", "9"]]


async def test_the_latest_passes_what_is_there(tmp_path: Path) -> None:
    world = World(tmp_path, _fails_on())
    await world.reader.begin()
    world.behind.stream.append(record(5))
    assert await world.run() == [["5"]]
