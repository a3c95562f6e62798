import json
from dataclasses import replace
from typing import Any

import jsonschema

from tests.fakes.findings import BOOT, finding, place, report
from tests.unit.verify.render.sarif_schema import SARIF
from understudy.verify.model import Place, Severity
from understudy.verify.render import sarif
from understudy.verify.render.words import Source, Verified
from understudy.verify.report import Report

FAILED = replace(BOOT, passed=False)


def log_of(*reports: Report, source: Source | None = None) -> Any:
    raw = sarif.render([Verified(report=one, locate=lambda _: source) for one in reports])
    found = json.loads(raw)
    jsonschema.Draft7Validator(SARIF, format_checker=jsonschema.FormatChecker()).validate(found)
    return found["runs"][0]


def test_an_empty_report_is_a_valid_log_without_results() -> None:
    run = log_of(report())
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 0}]
    assert run["properties"]["images"][0]["verdict"] == "starts on Lambda"


def test_a_cause_is_on_the_line_that_people_edit() -> None:
    run = log_of(report([finding()], boot=FAILED), source=Source(path="service/Docker file", line=31))
    (result,) = run["results"]
    physical = result["locations"][0]["physicalLocation"]
    assert physical == {
        "artifactLocation": {"uri": "service/Docker%20file"},
        "region": {"startLine": 31},
    }
    assert (result["ruleId"], result["level"]) == ("abi-mismatch", "error")
    assert "Fix: pip install" in result["message"]["text"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "abi-mismatch"
    assert run["invocations"][0]["exitCode"] == 1


def test_what_has_no_such_line_is_in_the_image() -> None:
    (result,) = log_of(report([finding()], boot=FAILED))["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uriBaseId"] == "IMAGE"
    assert location["uri"].startswith("var/lang/")
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].startswith("/var/lang/")


def test_several_images_are_one_run_and_share_rules() -> None:
    one, two = report([finding()]), report([finding(), finding("other", aws_text="")], reference="worker")
    run = log_of(one, two)
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["abi-mismatch", "other"]
    assert len(run["results"]) == 3
    assert len({json.dumps(each["partialFingerprints"]) for each in run["results"]}) == 3


def test_the_fingerprint_survives_a_rebuild() -> None:
    first = log_of(report([finding()]))["results"][0]
    second = log_of(report([finding(message="other words")], digest=f"sha256:{'0' * 64}"))["results"][0]
    assert first["partialFingerprints"] == second["partialFingerprints"]


def test_allowed_causes_are_suppressed_with_the_reason() -> None:
    (result,) = log_of(report([finding()], allowed={"abi-mismatch": "never imported"}))["results"]
    assert result["suppressions"] == [{"kind": "external", "justification": "never imported"}]


def test_levels_follow_severity_and_the_boots_word() -> None:
    found = [
        finding(name, severity=severity, aws_text="", places=(place(f"/{name}"),))
        for name, severity in (("a", Severity.MAY_FAIL), ("b", Severity.SLOW), ("c", Severity.INFO))
    ]
    assert [each["level"] for each in log_of(report([*found, finding()]))["results"]] == [
        "warning",  # overruled: the boot did what the rule says cannot be done
        "warning",
        "note",
        "note",
    ]


def test_text_that_looks_like_a_link_is_none() -> None:
    odd = finding(message="list[int](3) is odd", places=(Place(path="CMD"),))
    (result,) = log_of(report([odd]))["results"]
    assert "](" not in result["message"]["text"]
