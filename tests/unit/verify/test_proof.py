import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.findings import BOOT, finding, report
from tests.unit.image.samples import file, image_of, store_at
from understudy.image.store import Store, attachments
from understudy.verify import dsse, proof, statements
from understudy.verify.model import Severity
from understudy.verify.proof import Proof
from understudy.verify.report import Report
from understudy.verify.signing import Key

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path / "store")


@pytest.fixture
def key(tmp_path: Path) -> Key:
    return Key.load(tmp_path / proof.KEY_NAME)


@pytest.fixture
def passed(store: Store) -> Report:
    return report(digest=image_of(store, [file("a")]).digest)


def found(store: Store, key: Key, passed: Report) -> Proof | None:
    return proof.find(store, key, proof.claim_of(passed))


def test_statement_tells_who_judged_what_and_under_which_constraints() -> None:
    said = proof.statement(
        report(
            [finding("slow", severity=Severity.SLOW), finding("known", severity=Severity.SLOW)],
            allowed={"known": "measured", "never": "unused"},
        ),
        NOON,
    )
    assert (said["_type"], said["predicateType"]) == (
        "https://in-toto.io/Statement/v1",
        "https://understudy.dev/proof/verify/v1",
    )
    assert said["subject"] == [{"name": "dashboard", "digest": {"sha256": "3f" * 32}}]
    predicate = said["predicate"]
    assert predicate["base"] == {"kind": "stand-in", "name": "public.ecr.aws/lambda/python:3.13"}
    assert predicate["boot"]["constraints"] == ["user: 993:990", "root: read-only overlay"]
    assert predicate["figures"]["initMs"] == 312.4
    assert predicate["allowed"] == [{"rule": "known", "reason": "measured"}]
    assert predicate["createdOn"] == "2026-11-23T12:00:00+00:00"


def test_statement_holds_no_environment_variable() -> None:
    said = proof.statement(report(launch={"function_env": {"TOKEN": "hunter2"}}), NOON)
    assert "hunter2" not in json.dumps(said)
    assert "TOKEN" not in json.dumps(said)


def test_a_failed_run_proves_nothing() -> None:
    with pytest.raises(ValueError, match="proves nothing"):
        proof.statement(report([finding()], boot=replace(BOOT, passed=False)), NOON)


def test_a_written_proof_is_found_again(store: Store, key: Key, passed: Report) -> None:
    written = proof.write(store, key, passed, NOON)
    assert found(store, key, passed) == written
    (entry,) = attachments.attached(store, passed.digest)
    assert entry.artifact_type == "application/vnd.understudy.proof.verify.v1+json"


def test_nothing_is_found_without_a_proof(store: Store, key: Key, passed: Report) -> None:
    assert found(store, key, passed) is None


@pytest.mark.parametrize(
    "change",
    [{"rule_set": "2026.12+ffffffffffff"}, {"launch": replace(report().launch, memory_mb=128)}],
    ids=["other-rules", "other-configuration"],
)
def test_a_proof_of_something_else_does_not_count(
    store: Store, key: Key, passed: Report, change: dict[str, object]
) -> None:
    proof.write(store, key, passed, NOON)
    assert found(store, key, replace(passed, **change)) is None  # type: ignore[arg-type]


def test_another_projects_proof_does_not_count(
    store: Store, key: Key, passed: Report, tmp_path: Path
) -> None:
    proof.write(store, Key.load(tmp_path / "other.pem"), passed, NOON)
    assert found(store, key, passed) is None


def test_a_proof_counts_only_where_what_it_allows_is_allowed(store: Store, key: Key, passed: Report) -> None:
    allowing = replace(
        passed,
        rules=report([finding()]).rules,
        findings=(finding(),),
        allowed={"abi-mismatch": "never imported"},
    )
    proof.write(store, key, allowing, NOON)
    assert found(store, key, passed) is None
    wanted = replace(proof.claim_of(passed), allowed=frozenset({"abi-mismatch", "other"}))
    assert proof.find(store, key, wanted) is not None


def test_a_proof_without_a_boot_counts_only_where_none_is_wanted(
    store: Store, key: Key, passed: Report
) -> None:
    proof.write(store, key, replace(passed, boot=None, boot_skipped="image is arm64"), NOON)
    assert found(store, key, passed) is None
    assert proof.find(store, key, replace(proof.claim_of(passed), booted=False)) is not None


def test_a_newer_proof_takes_the_place_of_the_older_of_one_configuration(
    store: Store, key: Key, passed: Report
) -> None:
    proof.write(store, key, replace(passed, rule_set="2026.10+000000000000"), NOON)
    other = replace(passed, launch=replace(passed.launch, memory_mb=256))
    proof.write(store, key, other, NOON)
    proof.write(store, key, passed, NOON)
    assert len(attachments.attached(store, passed.digest)) == 2
    assert found(store, key, passed)
    assert found(store, key, other)


def test_the_list_of_attachments_is_not_believed(store: Store, key: Key, passed: Report) -> None:
    """An envelope of another image under the right annotations, as whoever can write could list it."""
    foreign = replace(passed, digest=image_of(store, [file("b")]).digest)
    written = proof.write(store, key, foreign, NOON)
    real = attachments.artifact(store, written.digest)
    attachments.attach(
        store,
        passed.digest,
        proof.ARTIFACT_TYPE,
        [(dsse.ENVELOPE_TYPE, store.read(real.manifest.layers[0].digest))],
        annotations=real.annotations,
    )
    assert found(store, key, passed) is None


@pytest.mark.parametrize(
    ("payload_type", "payload"),
    [
        ("application/json", b"{}"),
        (statements.PAYLOAD_TYPE, b"no json"),
        (statements.PAYLOAD_TYPE, b'{"_type":"other"}'),
        (
            statements.PAYLOAD_TYPE,
            b'{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicate":{},'
            b'"predicateType":"https://understudy.dev/proof/verify/v1"}',
        ),
    ],
    ids=["type", "text", "statement", "subject"],
)
def test_a_signed_payload_of_another_kind_does_not_count(
    store: Store, key: Key, passed: Report, payload_type: str, payload: bytes
) -> None:
    written = proof.write(store, key, passed, NOON)
    annotations = attachments.artifact(store, written.digest).annotations
    attachments.attach(
        store,
        passed.digest,
        proof.ARTIFACT_TYPE,
        [(dsse.ENVELOPE_TYPE, key.sign(payload_type, payload).render())],
        annotations=annotations,
        replaces=lambda _: True,
    )
    assert found(store, key, passed) is None


def test_a_proof_whose_bytes_are_gone_does_not_count(store: Store, key: Key, passed: Report) -> None:
    written = proof.write(store, key, passed, NOON)
    store.path(attachments.artifact(store, written.digest).manifest.layers[0].digest).unlink()
    assert found(store, key, passed) is None
