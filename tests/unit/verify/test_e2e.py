import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.image.samples import file, image_of, store_at
from understudy.image.store import Store, attachments
from understudy.verify import e2e, proof
from understudy.verify.e2e import SuiteRun
from understudy.verify.signing import Key

NOON = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path / "store")


@pytest.fixture
def key(tmp_path: Path) -> Key:
    return Key.load(tmp_path / proof.KEY_NAME)


@pytest.fixture
def run(store: Store) -> SuiteRun:
    return SuiteRun(
        name="shop",
        digest=image_of(store, [file("a")]).digest,
        function="shop:live",
        version="3",
        target="local",
        target_type="local",
        suite="sha256:aa",
        passed=20,
        failed=0,
        skipped=1,
    )


def test_statement_tells_what_passed_where(run: SuiteRun) -> None:
    said = e2e.statement(run, NOON)
    assert said["predicateType"] == "https://understudy.dev/proof/e2e/v1"
    predicate = said["predicate"]
    assert predicate["target"] == {"name": "local", "type": "local"}
    assert predicate["results"] == {"passed": 20, "failed": 0, "skipped": 1}
    assert (predicate["suite"], predicate["version"]) == ("sha256:aa", "3")


@pytest.mark.parametrize("changes", [{"failed": 1}, {"passed": 0}])
def test_a_suite_that_did_not_pass_proves_nothing(run: SuiteRun, changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="proves nothing"):
        e2e.statement(replace(run, **changes), NOON)


def test_a_record_is_found_by_its_image(store: Store, key: Key, run: SuiteRun) -> None:
    made = e2e.write(store, key, run, NOON)
    (found,) = e2e.records(store, key, run.digest)
    assert (found.digest, found.image, found.target, found.suite) == (made, run.digest, "local", "sha256:aa")
    assert (found.passed, found.created) == (20, "2026-11-29T12:00:00+00:00")


def test_a_later_run_replaces_that_of_its_target_alone(store: Store, key: Key, run: SuiteRun) -> None:
    e2e.write(store, key, run, NOON)
    e2e.write(store, key, replace(run, target="stack", target_type="localstack"), NOON)
    later = e2e.write(store, key, replace(run, suite="sha256:bb"), NOON)
    found = {one.target: one for one in e2e.records(store, key, run.digest)}
    assert set(found) == {"local", "stack"}
    assert found["local"].digest == later


def test_the_record_of_another_key_or_image_is_none(
    store: Store, key: Key, run: SuiteRun, tmp_path: Path
) -> None:
    e2e.write(store, Key.load(tmp_path / "other.pem"), run, NOON)
    assert e2e.records(store, key, run.digest) == ()
    assert e2e.records(store, key, f"sha256:{'0' * 64}") == ()


def test_a_proof_of_verify_is_no_record_of_the_suite(store: Store, key: Key, run: SuiteRun) -> None:
    e2e.write(store, key, run, NOON)
    assert attachments.attached(store, run.digest, proof.ARTIFACT_TYPE) == ()
