"""Platform lines byte for byte, and lines out of arbitrary pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.sandbox import model, reports
from understudy.sandbox.model import Fault
from understudy.sandbox.reports import LineAssembler, Report


def test_start_and_end_lines() -> None:
    assert reports.start_line("abc", "$LATEST") == b"START RequestId: abc Version: $LATEST\n"
    assert reports.end_line("abc") == b"END RequestId: abc\n"


@pytest.mark.parametrize(
    ("init_ms", "fault", "end"),
    [
        (None, None, b"\t\n"),
        (130.491, None, b"\tInit Duration: 130.49 ms\t\n"),
        (None, model.timeout_fault(3), b"\tStatus: timeout\n"),
        (
            293.05,
            Fault(error_type="Runtime.ExitError"),
            b"\tInit Duration: 293.05 ms\tStatus: error\tError Type: Runtime.ExitError\n",
        ),
    ],
    ids=["warm", "cold", "timeout", "crash"],
)
def test_report_line(init_ms: float | None, fault: Fault | None, end: bytes) -> None:
    report = Report(
        request_id="abc",
        duration_ms=15.744,
        billed_ms=16,
        memory_mb=128,
        max_memory_mb=56,
        init_ms=init_ms,
        fault=fault,
    )
    start = b"REPORT RequestId: abc\tDuration: 15.74 ms\tBilled Duration: 16 ms\tMemory Size: 128 MB\t"
    assert reports.report_line(report) == start + b"Max Memory Used: 56 MB" + end


def test_init_report_line() -> None:
    fault = Fault(error_type="Runtime.InvalidEntrypoint")
    assert reports.init_report_line(0.44, "init", fault) == (
        b"INIT_REPORT Init Duration: 0.44 ms\tPhase: init\tStatus: error\t"
        b"Error Type: Runtime.InvalidEntrypoint\n"
    )
    assert reports.init_report_line(10000.25, "invoke", model.timeout_fault(3)) == (
        b"INIT_REPORT Init Duration: 10000.25 ms\tPhase: invoke\tStatus: timeout\n"
    )


def test_carriage_returns_do_not_cut_a_traceback() -> None:
    traceback = b"[ERROR] X\rTraceback (most recent call last):\r  File\n"
    assert LineAssembler().feed(traceback) == [traceback]


def test_line_waits_for_its_end() -> None:
    assembler = LineAssembler()
    assert assembler.feed(b"a") == []
    assert assembler.feed(b"b\nc") == [b"ab\n"]
    assert assembler.flush() == [b"c\n"]
    assert assembler.flush() == []


def test_endless_line_is_cut() -> None:
    lines = LineAssembler().feed(b"x" * 600_000)
    assert [len(line) for line in lines] == [262_145, 262_145]


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_lines_do_not_depend_on_how_the_stream_was_cut(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assembler = LineAssembler()
    lines = [line for piece in pieces for line in assembler.feed(piece)] + assembler.flush()
    assert b"".join(lines) == (whole if whole.endswith(b"\n") or not whole else whole + b"\n")
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines)
