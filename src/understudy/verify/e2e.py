"""The record that the end-to-end suite passed with an image: the second half of its proof.

Says which suite, against which target, with which results; signed and attached as verify's record is.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import understudy
from understudy.errors import UnderstudyError
from understudy.image.fields import Fields
from understudy.image.store import Store, attachments
from understudy.verify import statements
from understudy.verify.statements import Signer

PREDICATE_TYPE = "https://understudy.dev/proof/e2e/v1"
ARTIFACT_TYPE = "application/vnd.understudy.proof.e2e.v1+json"

_TARGET = "dev.understudy.proof.target"
_SUITE = "dev.understudy.proof.suite"
_WHAT = "E2E record"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """One run of the whole suite against one target.

    Attributes:
        name: of the image.
        digest: that ran, read back from the target before and after.
        function: that ran it.
        version: of the function.
        target: its name in the project file.
        target_type: local, localstack or aws.
        suite: SHA-256 over the suite's files.
        passed: tests that passed.
        failed: tests that failed.
        skipped: tests that were skipped.
    """

    name: str
    digest: str
    function: str
    version: str
    target: str
    target_type: str
    suite: str
    passed: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class E2eProof:
    """A record in a store.

    Attributes:
        digest: of the artifact that is attached to the image.
        image: digest of the image.
        target: where the suite ran.
        target_type: local, localstack or aws.
        suite: SHA-256 over the suite's files.
        created: when, as RFC 3339.
        passed: tests that passed.
    """

    digest: str
    image: str
    target: str
    target_type: str
    suite: str
    created: str
    passed: int


def statement(run: SuiteRun, created: dt.datetime) -> Mapping[str, Any]:
    """The in-toto statement about a run that passed.

    Raises:
        ValueError: a test failed, or none ran.
    """
    if run.failed or not run.passed:
        raise ValueError("a suite that failed, or ran no test, proves nothing")
    predicate = {
        "tester": {"name": "understudy", "version": understudy.__version__},
        "createdOn": created.astimezone(dt.UTC).isoformat(timespec="seconds"),
        "target": {"name": run.target, "type": run.target_type},
        "suite": run.suite,
        "function": run.function,
        "version": run.version,
        "results": {"passed": run.passed, "failed": run.failed, "skipped": run.skipped},
    }
    return statements.statement(run.name, run.digest, PREDICATE_TYPE, predicate)


def write(store: Store, signer: Signer, run: SuiteRun, created: dt.datetime) -> str:
    """Returns the digest of the record, attached to the image in place of that target's older one.

    Raises:
        BlobMissingError: the store does not hold the image.
        ValueError: a test failed, or none ran.
    """
    return statements.attach(
        store,
        signer,
        statement(run, created),
        ARTIFACT_TYPE,
        annotations={_TARGET: run.target, _SUITE: run.suite},
        replaces=lambda entry: entry.descriptor.annotations.get(_TARGET) == run.target,
    )


def records(store: Store, signer: Signer, image: str) -> tuple[E2eProof, ...]:
    """Returns the records of an image that this signer made; others are as good as none."""
    found = []
    for entry in attachments.attached(store, image, ARTIFACT_TYPE):
        try:
            record = _read(store, signer, entry.digest)
        except UnderstudyError:
            continue
        if record.image == image:
            found.append(record)
    return tuple(found)


def _read(store: Store, signer: Signer, digest: str) -> E2eProof:
    image, predicate = statements.read(store, signer, digest, PREDICATE_TYPE, _WHAT)
    target = Fields(predicate.mapping("target"), _WHAT)
    return E2eProof(
        digest=digest,
        image=image,
        target=target.text("name", required=True),
        target_type=target.text("type", required=True),
        suite=predicate.text("suite", required=True),
        created=predicate.text("createdOn"),
        passed=Fields(predicate.mapping("results"), _WHAT).number("passed"),
    )
