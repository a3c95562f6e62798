import asyncio
import re
from collections.abc import Sequence

from tests.unit.engine.functions.records import version
from understudy.engine.functions import logs
from understudy.engine.functions.logs import LogWriter
from understudy.engine.functions.model import FunctionId

NOW = 1_767_225_600.0


class Sink:
    def __init__(self) -> None:
        self.batches: list[list[tuple[int, str]]] = []
        self.written = asyncio.Event()

    def append(
        self, group: str, stream: str, events: Sequence[tuple[int, str]], *, account_id: str, region: str
    ) -> None:
        assert (account_id, region, group, stream) == ("123456789012", "eu-west-1", "g", "s")
        self.batches.append(list(events))
        self.written.set()


def writer(sink: Sink, *, delay_s: float = 0.0) -> LogWriter:
    function = FunctionId(account_id="123456789012", region="eu-west-1", name="f")
    return LogWriter(sink.append, function, "g", "s", now=lambda: NOW, delay_s=delay_s)


def test_stream_names_are_lambda_s() -> None:
    assert re.fullmatch(r"2026/01/01/\[\$LATEST\][0-9a-f]{32}", logs.stream_name(version(), NOW))
    assert logs.stream_name(version("7"), NOW).startswith("2026/01/01/[7]")


async def test_lines_of_one_moment_are_one_batch() -> None:
    sink = Sink()
    made = writer(sink)
    made.write(b"one\n")
    made.write(b"")
    made.write("zwei ü\n".encode())
    assert sink.batches == []
    await sink.written.wait()
    assert sink.batches == [[(1_767_225_600_000, "one\n"), (1_767_225_600_000, "zwei ü\n")]]


async def test_only_the_first_lines_do_not_wait() -> None:
    sink = Sink()
    made = writer(sink, delay_s=600.0)
    made.write(b"one\n")
    made.write(b"two\n")
    await asyncio.sleep(0)
    made.write(b"three\n")
    await asyncio.sleep(0)
    assert [[text for _, text in batch] for batch in sink.batches] == [["one\n", "two\n"]]
    made.flush()


async def test_a_flush_writes_at_once_and_only_once() -> None:
    sink = Sink()
    made = writer(sink)
    made.write(b"\xff\n")
    made.flush()
    made.flush()
    assert [[text for _, text in batch] for batch in sink.batches] == [["\ufffd\n"]]


async def test_a_flood_does_not_wait() -> None:
    sink = Sink()
    made = writer(sink)
    for _ in range(1000):
        made.write(b"x\n")
    assert [len(batch) for batch in sink.batches] == [1000]
