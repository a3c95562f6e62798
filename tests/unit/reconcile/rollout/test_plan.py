import pytest

from understudy.errors import UnderstudyError
from understudy.reconcile.function_logs import LogLine
from understudy.reconcile.rollout import plan
from understudy.reconcile.rollout.model import Canary, Seen

IMPORT_ERROR = "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'"


def line(message: str, version: str = "7") -> LogLine:
    return LogLine(at_ms=1, stream=f"2026/01/31/[{version}]abc", event_id=message, message=message)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10%/5m", Canary(share=0.1, seconds=300)),
        ("2.5%/90s", Canary(share=0.025, seconds=90)),
        (" 50%/1h ", Canary(share=0.5, seconds=3600)),
    ],
)
def test_a_canary_is_a_share_and_a_time(text: str, found: Canary) -> None:
    assert plan.parse_canary(text) == found


@pytest.mark.parametrize("text", ["10/5m", "0%/5m", "100%/5m", "10%/0s", "10%/5", "x", ""])
def test_what_is_no_canary_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        plan.parse_canary(text)
    assert (caught.value.code, caught.value.hint) == (
        "canary-unreadable",
        "write for example --canary 10%/5m",
    )


def test_a_log_is_read_by_version() -> None:
    lines = [
        line("REPORT RequestId: a\tDuration: 3.00 ms\tInit Duration: 1250.50 ms\n"),
        line("REPORT RequestId: b\tDuration: 3.00 ms\tStatus: error\tError Type: X"),
        line("[ERROR] ValueError: no\nTraceback ..."),
        line("[INFO] all is well with Status"),
        line("REPORT RequestId: c\tStatus: timeout", "6"),
    ]

    found = plan.seen(lines, "7")

    assert (found.invocations, len(found.errors), found.fatal) == (2, 2, ())
    assert (found.cold_start_s, found.request_ids) == (1.2505, {"a", "b"})
    assert plan.seen(lines, "6").invocations == 1
    assert [plan.counts(one) for one in lines] == [True, True, True, False, True]


def test_a_json_log_says_the_same() -> None:
    report = (
        '{"time":"t","type":"platform.report","record":{"requestId":"a","metrics":{"initDurationMs":250.0},'
        '"status":"error"}}'
    )
    found = plan.seen([line(report), line('{"level": "ERROR", "message": "no"}')], "7")
    assert (found.invocations, len(found.errors), found.cold_start_s) == (1, 2, 0.25)
    assert found.request_ids == {"a"}


@pytest.mark.parametrize(
    "text",
    [
        IMPORT_ERROR,
        "Runtime.HandlerNotFound: app.handler",
        "RequestId: 1 Error: Runtime exited with error: exit status 1\nRuntime.ExitError",
    ],
)
def test_a_version_that_cannot_start_is_fatal(text: str) -> None:
    assert plan.seen([line(text)], "7").fatal == (text,)


@pytest.mark.parametrize(
    ("new", "old", "aborts"),
    [
        (Seen(invocations=10), Seen(), False),
        (Seen(invocations=10, errors=("e",)), Seen(invocations=100), True),
        (Seen(invocations=10, errors=("e",)), Seen(invocations=10, errors=("e",)), False),
        (Seen(invocations=10, errors=("e", "e")), Seen(invocations=10, errors=("e",)), True),
        (Seen(errors=("e",)), Seen(invocations=10, errors=("e",) * 10), False),
        (Seen(fatal=(IMPORT_ERROR,)), Seen(invocations=1, errors=("e",)), True),
    ],
    ids=["quiet", "new-errors", "as-before", "more-than-before", "never-worse", "cannot-start"],
)
def test_a_canary_ends_when_it_fails_more_than_what_is_beside_it(new: Seen, old: Seen, aborts: bool) -> None:
    assert bool(plan.cause_to_abort(new, old)) is aborts


def test_history_is_newest_first_and_heals_itself() -> None:
    assert plan.moved((), "", "1") == ("1",)
    assert plan.moved(("2", "1"), "2", "3") == ("3", "2", "1")
    # The tag was not written after the move to 3.
    assert plan.moved(("2", "1"), "3", "4") == ("4", "3", "2", "1")
    # Going back and going back again, as kubectl counts.
    assert plan.moved(("3", "2", "1"), "3", "2") == ("2", "3", "1")
    assert plan.previous(("2", "3", "1"), "2") == "3"
    assert plan.previous(("2",), "2") is None
    assert len(plan.moved([str(n) for n in range(30)], "40", "41")) == plan.KEPT


def test_history_survives_its_tag() -> None:
    assert plan.parse_history(plan.history_text(("12", "9"))) == ("12", "9")
    assert plan.parse_history("12 x 9") == ("12", "9")
    assert plan.parse_history("") == ()


def test_each_alias_has_a_tag_of_its_own() -> None:
    assert plan.tag_of("live") == "understudy.dev/live"
    assert plan.tag_of("beta") == "understudy.dev/live.beta"


def test_a_reason_fits_into_a_tag() -> None:
    assert plan.tag_text("no registry\nhere; (stand-in) ünder") == "no registry here   stand-in  ünder"
    assert len(plan.tag_text("x" * 500)) == 256


def test_a_description_holds_what_is_known() -> None:
    assert plan.description("git abc", "", "verify sha256:1") == "git abc; verify sha256:1"
