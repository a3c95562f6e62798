import json

import pytest

from tests.unit.engine.functions.sources.mappings import mapping
from understudy.engine.functions import errors
from understudy.engine.functions.invoke import Invocation, InvokeOutcome
from understudy.engine.functions.sources import batches


class Answering:
    def __init__(self, payload: bytes = b"null", error: str | None = None) -> None:
        self.outcome = InvokeOutcome(
            status=200, payload=payload, function_error=error, executed_version="$LATEST"
        )
        self.given: list[Invocation] = []

    async def __call__(self, invocation: Invocation) -> InvokeOutcome:
        self.given.append(invocation)
        return self.outcome


async def _throttled(_: Invocation) -> InvokeOutcome:
    raise errors.throttled("ConcurrentInvocationLimitExceeded")


async def test_records_arrive_as_one_event() -> None:
    invoke = Answering()
    result = await batches.run(invoke, mapping(), [{"a": 1}, {"a": 2}], ["1", "2"])
    assert json.loads(invoke.given[0].payload) == {"Records": [{"a": 1}, {"a": 2}]}
    assert invoke.given[0].request_id == result.request_id
    assert (result.failed, result.summary) == (frozenset(), "OK")


async def test_a_function_error_fails_every_record() -> None:
    invoke = Answering(b"{}", "Unhandled")
    result = await batches.run(invoke, mapping(report_failures=True), [{}, {}], ["1", "2"])
    assert result.failed == {"1", "2"}
    assert result.summary == "PROBLEM: Function call failed"


async def test_a_throttled_batch_did_not_run() -> None:
    result = await batches.run(_throttled, mapping(), [{}], ["1"])
    assert (result.answer, result.failed) == (None, {"1"})
    assert result.summary.startswith("PROBLEM: TooManyRequestsException")


async def test_a_report_counts_only_where_the_mapping_asks_for_it() -> None:
    answer = b'{"batchItemFailures": [{"itemIdentifier": "2"}]}'
    asked = await batches.run(Answering(answer), mapping(report_failures=True), [{}, {}], ["1", "2"])
    unasked = await batches.run(Answering(answer), mapping(), [{}, {}], ["1", "2"])
    assert (asked.failed, unasked.failed) == ({"2"}, frozenset())


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"{}", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}']
)
def test_nothing_reported_is_success(payload: bytes) -> None:
    assert batches.reported(payload, ["1"]) == frozenset()


@pytest.mark.parametrize(
    "payload",
    [
        b'"done"',
        b"{",
        b'{"batchItemFailures": "1"}',
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": null}]}',
        b'{"batchItemFailures": [{"wrong": "1"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "unknown"}]}',
        b'{"batchItemFailures": ["1"]}',
        b"[" * 100_000,
    ],
)
def test_a_report_without_sense_fails_every_record(payload: bytes) -> None:
    assert batches.reported(payload, ["1", "2"]) == {"1", "2"}
