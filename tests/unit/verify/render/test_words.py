from dataclasses import replace

from tests.fakes.findings import BOOT, finding, place, report
from understudy.verify.model import Severity
from understudy.verify.render import words
from understudy.verify.render.words import Source

FAILED = replace(BOOT, passed=False)


def test_verdicts_say_what_is_known() -> None:
    assert words.verdict(report()) == "starts on Lambda"
    assert words.verdict(report(boot=None)) == "nothing keeps it from starting on Lambda"
    assert words.verdict(report(boot=FAILED)) == "fails on Lambda: the boot failed"
    two = [finding(), finding("other", aws_text="", places=(place("/b"),))]
    assert words.verdict(report(two, boot=FAILED)) == "fails on Lambda: abi-mismatch and 1 more"


def test_verdict_counts_what_may_fail_and_what_is_slow() -> None:
    found = [
        finding("may", severity=Severity.MAY_FAIL, aws_text="", places=(place("/a"),)),
        finding("slow", severity=Severity.SLOW, aws_text="", places=(place("/b"),)),
        finding("quiet", severity=Severity.SLOW, aws_text="", places=(place("/c"),)),
    ]
    said = words.verdict(report(found, allowed={"quiet": "known"}))
    assert said == "starts on Lambda, 1 that may fail and 1 that cost time"


def test_boot_line_says_what_was_measured_or_why_not() -> None:
    assert words.boot_line(report()) == "init 312 ms, first request 21 ms, second 1.8 ms, peak 62 of 1769 MB"
    assert words.boot_line(report(boot=None, boot_skipped="image is arm64")) == "static only: image is arm64"
    assert words.boot_line(report(boot=replace(FAILED, init_ms=None))) == "it never asked for an event"


def test_places_tell_layer_instruction_and_the_line_to_edit_and_how_many_more() -> None:
    one = finding(places=tuple(place(f"/f{number}") for number in range(5)))
    found = words.place_lines(one, lambda _: Source(path="Dockerfile", line=7), 2)
    assert found[0] == (
        "/f0",
        "layer 2 sha256:abababababab, RUN pip install -r requirements.txt, Dockerfile:7",
    )
    assert found[-1] == ("and 3 more", "")


def test_a_whole_file_has_no_line() -> None:
    assert str(Source(path="a.py")) == "a.py"
