from understudy.coldstart import recordings
from understudy.coldstart.instrument import MARK
from understudy.coldstart.watched import Span

LOG = f"""
START of the application
{MARK}[('python', 100.01), ('span', 'import', 'app', -1, 100.02, 100.05, '/var/task/app.py', 3, 'compiled:0.002 linked:0.001 compiled:0.003 ')]
{MARK}[('next', 100.06)]
a line between
{MARK}[('used', 'app'), ('used', 'json'), ('next', 100.09)]
"""  # noqa: E501 - lines of a log


def test_times_are_since_exec_in_milliseconds() -> None:
    found = recordings.parse(LOG, started_s=100.0)

    assert found is not None
    assert round(found.python_ms, 3) == 10.0
    assert [round(value, 3) for value in found.next_ms] == [60.0, 90.0]
    assert found.used == {"app", "json"}
    (span,) = found.spans
    assert span == Span(
        kind="import",
        name="app",
        parent=-1,
        begin_ms=span.begin_ms,
        end_ms=span.end_ms,
        path="/var/task/app.py",
        line=3,
        compiled_ms=5.0,
        linked_ms=1.0,
    )
    assert round(span.ms, 3) == 30.0


def test_a_python_that_told_nothing_has_no_recording() -> None:
    assert recordings.parse("plain output\n", started_s=0.0) is None
    assert recordings.parse(f"{MARK}[('python', 1.0)]\n", started_s=0.0) is None
