import json
from dataclasses import replace

from tests.fakes.findings import BOOT, DIGEST, finding, report
from understudy.verify.render import document
from understudy.verify.render.words import Source, Verified


def test_json_holds_verdict_causes_figures_and_sources() -> None:
    found = report([finding()], boot=replace(BOOT, passed=False))
    whole = json.loads(
        document.render([Verified(report=found, locate=lambda _: Source(path="Dockerfile", line=3))])
    )
    assert whole["passed"] is False
    (image,) = whole["images"]
    assert (image["digest"], image["verdict"]) == (DIGEST, "fails on Lambda: abi-mismatch")
    (cause,) = image["causes"]
    assert (cause["rule"], cause["severity"], cause["source"]) == (
        "abi-mismatch",
        "fails-on-lambda",
        "static",
    )
    assert cause["places"][0]["source"] == "Dockerfile:3"
    assert image["figures"]["initMs"] == 312.4
    assert image["boot"]["constraints"] == ["user: 993:990", "root: read-only overlay"]


def test_without_a_boot_its_figures_are_null_and_the_reason_is_there() -> None:
    image = document.document(report(boot=None, boot_skipped="image is arm64"))
    assert image["boot"] is None
    assert image["figures"]["initMs"] is None
    assert image["bootSkipped"] == "image is arm64"


def test_allowed_rules_and_disagreements_are_recorded() -> None:
    image = document.document(report([finding()], allowed={"other": "known"}))
    assert image["allowed"] == [{"rule": "other", "reason": "known"}]
    assert image["disagreements"][0]["believe"] == "boot"
    assert image["causes"][0]["overruled"] is True
