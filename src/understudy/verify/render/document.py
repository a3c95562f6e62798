"""A report for programs: the same facts as JSON, with names that stay.

Pure.
"""

import json
from collections.abc import Sequence
from typing import Any

from understudy.verify import report as reports
from understudy.verify.causes import Cause
from understudy.verify.model import Finding, Place
from understudy.verify.render import words
from understudy.verify.render.words import Locate, Verified, nowhere
from understudy.verify.report import Report


def render(verified: Sequence[Verified]) -> str:
    """The reports as one JSON document."""
    whole = {
        "passed": all(one.report.passed for one in verified),
        "images": [{**document(one.report, one.locate), "proof": one.proof} for one in verified],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


def document(report: Report, locate: Locate = nowhere) -> dict[str, Any]:
    """One report as JSON fields."""
    launch = report.launch
    return {
        "reference": report.reference,
        "digest": report.digest,
        "passed": report.passed,
        "verdict": words.verdict(report),
        "architecture": report.architecture,
        "base": {"kind": report.base.kind, "name": report.base.name},
        "ruleSet": report.rule_set,
        "launch": {
            "digest": reports.launch_digest(launch),
            "function": launch.function_name,
            "entrypoint": list(launch.entrypoint),
            "command": list(launch.command),
            "workingDir": launch.working_dir,
            "memoryMb": launch.memory_mb,
            "timeoutS": launch.timeout_s,
        },
        "causes": [_cause(report, cause, locate) for cause in report.causes],
        "disagreements": [
            {"rule": one.rule, "text": one.text, "believe": one.believe} for one in report.disagreements
        ],
        "allowed": [{"rule": rule, "reason": reason} for rule, reason in sorted(report.allowed.items())],
        "boot": boot_document(report),
        "bootSkipped": report.boot_skipped,
        "figures": figures(report),
    }


def figures(report: Report) -> dict[str, Any]:
    """What was measured; null where nothing was."""
    boot = report.boot
    return {
        "sizeBytes": report.size_bytes,
        "uncompressedBytes": report.uncompressed_bytes,
        "initMs": boot.init_ms if boot else None,
        "firstRequestMs": boot.first_request_ms if boot else None,
        "secondRequestMs": boot.second_request_ms if boot else None,
        "peakMemoryMb": boot.peak_memory_mb if boot else None,
        "staticS": round(report.seconds.static, 3),
        "bootS": round(report.seconds.boot, 3),
    }


def boot_document(report: Report) -> dict[str, Any] | None:
    """What the boot showed besides figures."""
    boot = report.boot
    if boot is None:
        return None
    return {
        "passed": boot.passed,
        "constraints": list(boot.constraints),
        "observations": [{"label": label, "text": text} for label, text in boot.observations],
    }


def _cause(report: Report, cause: Cause, locate: Locate) -> dict[str, Any]:
    return {
        **_finding(cause.finding, locate),
        "title": cause.rule.title,
        "why": cause.rule.why,
        "link": cause.rule.link,
        "catalogue": list(cause.rule.catalogue),
        "allowed": cause.reason,
        "overruled": words.is_overruled(report, cause),
        "consequences": [_finding(one, locate) for one in cause.consequences],
    }


def _finding(finding: Finding, locate: Locate) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "source": finding.source,
        "message": finding.message,
        "awsText": finding.aws_text,
        "fix": finding.fix,
        "places": [_place(place, locate) for place in finding.places],
    }


def _place(place: Place, locate: Locate) -> dict[str, Any]:
    source = locate(place)
    return {
        "path": place.path,
        "line": place.line,
        "layer": place.layer,
        "layerDigest": place.layer_digest,
        "instruction": place.instruction,
        "source": str(source) if source else "",
    }
