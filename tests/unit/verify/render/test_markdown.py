from dataclasses import replace

from tests.fakes.findings import BOOT, finding, report
from understudy.verify.model import Severity
from understudy.verify.render import markdown
from understudy.verify.render.words import Source, Verified
from understudy.verify.report import Report

FAILED = replace(BOOT, passed=False)


def said(found: Report) -> str:
    return markdown.render([Verified(report=found, locate=lambda _: Source(path="Dockerfile", line=3))])


def test_headline_is_the_verdict() -> None:
    assert said(report()).startswith("### ✅ `dashboard`: starts on Lambda")
    assert said(report([finding()], boot=FAILED)).startswith("### ❌ `dashboard`: fails on Lambda")


def test_a_cause_has_its_fix_in_a_fence_and_its_place() -> None:
    found = said(report([finding(), finding("boot-import", source="boot")], boot=FAILED))
    assert "```\npip install --python-version 3.13 pydantic-core\n```" in found
    assert "Dockerfile:3" in found
    assert "- also `boot-import`" in found


def test_text_of_an_image_is_never_markup() -> None:
    odd = finding(message="<img src=x> `code` | cell", fix="```\nrm\n```")
    found = said(report([odd], boot=FAILED))
    assert "`` <img src=x> `code` | cell ``" in found
    assert "````\n```\nrm\n```\n````" in found


def test_information_and_allowed_causes_are_short() -> None:
    found = said(
        report([finding("note", severity=Severity.INFO), finding()], allowed={"abi-mismatch": "known"})
    )
    assert "allowed: known" in found
    assert "**Fix**" not in found


def test_a_disagreement_is_in_the_table() -> None:
    assert "believe the boot" in said(report([finding()]))
