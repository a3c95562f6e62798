"""Reports as SARIF 2.1.0, for code scanning: each cause on the line of the Dockerfile or source that made it.

Pure. One run holds all images, because GitHub refuses several runs of one tool in an upload. What has no line
of its own is placed in the image, under the base ``IMAGE``.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; GitHub, "SARIF support for code scanning"
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import understudy
from understudy.verify.causes import Cause
from understudy.verify.model import Place, Rule, Severity
from understudy.verify.render import words
from understudy.verify.render.words import Locate, Verified

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_INFORMATION = "https://github.com/understudy/understudy"
_LEVELS = {
    Severity.FAILS: "error",
    Severity.MAY_FAIL: "warning",
    Severity.SLOW: "note",
    Severity.INFO: "note",
}
_IMAGE = "IMAGE"
_PLACES = 10


def render(verified: Sequence[Verified]) -> str:
    """The reports as one SARIF log."""
    rules: dict[str, Rule] = {}
    for one in verified:
        rules.update(one.report.rules)
    numbers = {rule: number for number, rule in enumerate(rules)}
    passed = all(one.report.passed for one in verified)
    run = {
        "tool": {
            "driver": {
                "name": "understudy verify",
                "version": understudy.__version__,
                "semanticVersion": understudy.__version__,
                "informationUri": _INFORMATION,
                "rules": [_rule(rule) for rule in rules.values()],
            }
        },
        "automationDetails": {"id": "understudy-verify/"},
        "originalUriBaseIds": {_IMAGE: {"description": {"text": "The root of the image's file system"}}},
        "invocations": [{"executionSuccessful": True, "exitCode": 0 if passed else 1}],
        "results": [result for one in verified for result in _results(one, numbers)],
        "properties": {
            "images": [
                {
                    "reference": one.report.reference,
                    "digest": one.report.digest,
                    "passed": one.report.passed,
                    "verdict": words.verdict(one.report),
                    "ruleSet": one.report.rule_set,
                }
                for one in verified
            ]
        },
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why}\n\nFix: {rule.fix}", "markdown": f"{rule.why}\n\nFix: `{rule.fix}`"},
        "helpUri": rule.link,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": ["lambda", *rule.catalogue]},
    }


def _results(one: Verified, numbers: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    report = one.report
    for cause in report.causes:
        finding = cause.finding
        level = _LEVELS[cause.severity]
        overruled = words.is_overruled(report, cause)
        result: dict[str, Any] = {
            "ruleId": finding.rule,
            "ruleIndex": numbers[finding.rule],
            "level": "warning" if overruled else level,
            "message": {"text": _message(cause)},
            "locations": [_location(place, one.locate) for place in finding.places[:_PLACES]],
            "partialFingerprints": {"understudy/v1": _fingerprint(report.reference, cause)},
        }
        if cause.reason:
            result["suppressions"] = [{"kind": "external", "justification": cause.reason}]
        yield result


def _message(cause: Cause) -> str:
    finding = cause.finding
    parts = [finding.message]
    if finding.aws_text:
        parts.append(f"AWS shows: {finding.aws_text.splitlines()[0]}")
    parts.append(f"Fix: {finding.fix}")
    # "[text](number)" would be read as a link to a location (section 3.11.6).
    return "\n".join(parts).replace("](", "] (")


def _location(place: Place, locate: Locate) -> dict[str, Any]:
    source = locate(place)
    if source is None:
        artifact = {"uri": quote(place.path.lstrip("/") or "."), "uriBaseId": _IMAGE}
        line = place.line
    else:
        artifact, line = {"uri": quote(source.path)}, source.line
    physical: dict[str, Any] = {"artifactLocation": artifact, "region": {"startLine": max(1, line)}}
    return {
        "physicalLocation": physical,
        "logicalLocations": [{"fullyQualifiedName": place.path, "kind": "resource"}],
        "message": {"text": words.origin(place, None) or place.path},
    }


def _fingerprint(reference: str, cause: Cause) -> str:
    """The same fault in a later build of the same image has the same fingerprint."""
    text = "\0".join((reference, cause.finding.rule, cause.finding.places[0].path))
    return hashlib.sha256(text.encode()).hexdigest()
