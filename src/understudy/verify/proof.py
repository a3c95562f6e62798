"""The record that an image passed: an in-toto statement, signed by the project, attached to the image.

A proof holds for one digest, one effective configuration and one rule set (docs/decisions/0040).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import understudy
from understudy.errors import UnderstudyError
from understudy.image.fields import Fields
from understudy.image.store import Store, attachments
from understudy.verify import report as reports
from understudy.verify import statements
from understudy.verify.render import document, words
from understudy.verify.report import Report
from understudy.verify.statements import Signer

PREDICATE_TYPE = "https://understudy.dev/proof/verify/v1"
ARTIFACT_TYPE = "application/vnd.understudy.proof.verify.v1+json"
KEY_NAME = "proof-key.pem"

_LAUNCH = "dev.understudy.proof.launch"
_RULE_SET = "dev.understudy.proof.rule-set"
_WHAT = "proof"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a proof has to be about.

    Attributes:
        digest: of the image.
        launch: fingerprint of the effective configuration.
        rule_set: version of the rules.
        booted: whether it was booted, not only looked at.
        allowed: rules that may be allowed in it.
    """

    digest: str
    launch: str
    rule_set: str
    booted: bool = True
    allowed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof in a store.

    Attributes:
        digest: of the artifact that is attached to the image.
        claim: what it is about.
        created: when, as RFC 3339.
        verdict: in one line.
    """

    digest: str
    claim: Claim
    created: str
    verdict: str


def claim_of(report: Report) -> Claim:
    """What a proof of this report is about; of the allowed rules those that found something."""
    found = {one.rule for one in report.findings}
    return Claim(
        digest=report.digest,
        launch=reports.launch_digest(report.launch),
        rule_set=report.rule_set,
        booted=report.boot is not None,
        allowed=frozenset(found & set(report.allowed)),
    )


def statement(report: Report, created: dt.datetime) -> Mapping[str, Any]:
    """The in-toto statement about a report that passed.

    Raises:
        ValueError: it did not pass, or its boot was not conclusive.
    """
    if not report.passed or not report.conclusive:
        raise ValueError("a verification that failed, or whose boot was cut short, proves nothing")
    about = claim_of(report)
    launch = report.launch
    predicate = {
        "verifier": {"name": "understudy", "version": understudy.__version__},
        "createdOn": created.astimezone(dt.UTC).isoformat(timespec="seconds"),
        "verdict": words.verdict(report),
        "ruleSet": about.rule_set,
        "base": {"kind": report.base.kind, "name": report.base.name},
        "architecture": report.architecture,
        "launch": {
            "digest": about.launch,
            "function": launch.function_name,
            "memoryMb": launch.memory_mb,
            "timeoutS": launch.timeout_s,
            "ephemeralMb": launch.ephemeral_mb,
        },
        "boot": document.boot_document(report),
        "bootSkipped": report.boot_skipped,
        "figures": document.figures(report),
        "allowed": [{"rule": rule, "reason": report.allowed[rule]} for rule in sorted(about.allowed)],
        "findings": [
            {"rule": one.rule, "severity": one.severity.value, "source": one.source}
            for one in report.findings
        ],
    }
    return statements.statement(report.reference, report.digest, PREDICATE_TYPE, predicate)


def write(store: Store, signer: Signer, report: Report, created: dt.datetime) -> Proof:
    """Returns the proof of a report that passed, now attached to its image in place of an older one.

    Raises:
        BlobMissingError: the store does not hold the image.
        ValueError: the report did not pass, or its boot was not conclusive.
    """
    about = claim_of(report)
    told = statement(report, created)
    made = statements.attach(
        store,
        signer,
        told,
        ARTIFACT_TYPE,
        annotations={_LAUNCH: about.launch, _RULE_SET: about.rule_set},
        replaces=lambda entry: entry.descriptor.annotations.get(_LAUNCH) == about.launch,
    )
    predicate = told["predicate"]
    return Proof(digest=made, claim=about, created=predicate["createdOn"], verdict=predicate["verdict"])


def find(store: Store, signer: Signer, wanted: Claim) -> Proof | None:
    """Returns the proof of a claim, `None` when there is none that this signer made."""
    for entry in attachments.attached(store, wanted.digest, ARTIFACT_TYPE):
        annotations = entry.descriptor.annotations
        if (annotations.get(_LAUNCH), annotations.get(_RULE_SET)) != (wanted.launch, wanted.rule_set):
            continue
        try:
            proof = _read(store, signer, entry.digest)
        except UnderstudyError:
            # Damaged, collected, or somebody else's: as good as none.
            continue
        if _covers(proof.claim, wanted):
            return proof
    return None


def _covers(found: Claim, wanted: Claim) -> bool:
    is_same = (found.digest, found.launch, found.rule_set) == (wanted.digest, wanted.launch, wanted.rule_set)
    return is_same and found.booted >= wanted.booted and found.allowed <= wanted.allowed


def _read(store: Store, signer: Signer, digest: str) -> Proof:
    image, predicate = statements.read(store, signer, digest, PREDICATE_TYPE, _WHAT)
    allowed = (Fields(one, _WHAT).text("rule", required=True) for one in predicate.mappings("allowed"))
    return Proof(
        digest=digest,
        claim=Claim(
            digest=image,
            launch=Fields(predicate.mapping("launch"), _WHAT).text("digest", required=True),
            rule_set=predicate.text("ruleSet", required=True),
            booted=bool(predicate.mapping("boot", optional=True)),
            allowed=frozenset(allowed),
        ),
        created=predicate.text("createdOn"),
        verdict=predicate.text("verdict"),
    )
