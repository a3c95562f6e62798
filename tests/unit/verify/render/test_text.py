from dataclasses import replace

from tests.fakes.findings import BOOT, finding, place, report
from understudy.verify.model import Severity
from understudy.verify.render import text
from understudy.verify.render.words import Source

FAILED = replace(BOOT, passed=False, init_ms=None)


def test_a_cause_tells_what_aws_shows_why_where_and_the_fix() -> None:
    found = report([finding(), finding("boot-import", source="boot")], boot=FAILED)
    said = text.plain(found, lambda _: Source(path="service/Dockerfile", line=31))
    assert said.splitlines()[3:] == [
        "✗ abi-mismatch  Title of abi-mismatch  (fails on Lambda)",
        "          _pydantic_core is built for CPython 3.12, the image runs CPython 3.13",
        "  AWS     Runtime.ImportModuleError: Unable to import module 'handler': "
        "No module named 'pydantic_core._pydantic_core'",
        "  why     Why abi-mismatch happens.",
        "  where   /var/lang/lib/python3.13/site-packages/pydantic_core/"
        "_pydantic_core.cpython-312-x86_64-linux-gnu.so",
        "          layer 2 sha256:abababababab, RUN pip install -r requirements.txt, service/Dockerfile:31",
        "  fix     pip install --python-version 3.13 pydantic-core",
        "  more    https://example.org/abi-mismatch",
        "  also    the boot: _pydantic_core is built for CPython 3.12, the image runs CPython 3.13",
        "",
        "  boot    it never asked for an event",
        "          threads: 1",
        "  sandbox Lambda's user, root",
        "✗ fails on Lambda: abi-mismatch  (rules 2026.11+0123456789ab, static 0.8 s, boot 1.1 s)",
    ]


def test_the_verdict_is_the_last_line() -> None:
    assert text.plain(report()).splitlines()[-1].startswith("✓ starts on Lambda")
    last = text.plain(report(boot=None, boot_skipped="image is arm64")).splitlines()
    assert last[-2] == "  boot    static only: image is arm64"
    assert "boot 1.1 s" not in last[-1]


def test_information_and_what_is_allowed_take_two_lines() -> None:
    said = text.plain(
        report(
            [finding(), finding("note", severity=Severity.INFO, aws_text="", places=(place("/a"),))],
            allowed={"abi-mismatch": "never imported"},
        )
    )
    assert "- abi-mismatch  Title of abi-mismatch  (allowed: never imported)" in said
    assert "· note  Title of note  (information)" in said
    assert "why" not in said


def test_a_disagreement_says_which_to_believe() -> None:
    said = text.plain(report([finding()]))
    assert "(overruled by the boot)" in said
    assert "! abi-mismatch says that it cannot start, and it started in the sandbox: believe the boot" in said


def test_an_error_shows_only_what_keeps_it_from_starting() -> None:
    found = report(
        [finding(), finding("slow", severity=Severity.SLOW, aws_text="", places=(place("/a"),))], boot=FAILED
    )
    said = text.causes(found)
    assert said.startswith("✗ abi-mismatch")
    assert "slow" not in said


def test_a_long_instruction_is_cut_and_the_line_to_edit_stays() -> None:
    long = place(instruction="RUN " + "x" * 300)
    said = text.plain(
        report([finding(places=(long,))], boot=FAILED), lambda _: Source(path="Dockerfile", line=3)
    )
    (line,) = [one for one in said.splitlines() if "xxx" in one]
    assert line.endswith("…, Dockerfile:3")
    assert len(line) < 130
    (alone,) = [
        one for one in text.plain(report([finding(places=(long,))], boot=FAILED)).splitlines() if "xxx" in one
    ]
    assert alone.endswith("…")


def test_an_import_chain_has_a_line_for_each_step_and_its_middle_is_left_out() -> None:
    chain = " -> ".join(
        ["not found; imported by /handler.py:1", *(f"/m{number}.py:1" for number in range(9))]
    )
    said = text.plain(
        report([finding("boot-import", source="boot", message=chain)], boot=FAILED)
    ).splitlines()
    start = said.index("          not found; imported by /handler.py:1")
    assert said[start + 1 : start + 7] == [
        "            -> /m0.py:1",
        "            -> /m1.py:1",
        "            -> 4 more",
        "            -> /m6.py:1",
        "            -> /m7.py:1",
        "            -> /m8.py:1",
    ]
