from pathlib import Path

import pytest

from tests.unit.image.samples import file, image_of, store_at
from understudy.errors import UnderstudyError
from understudy.verify import catalogue, run, version
from understudy.verify.model import Severity
from understudy.verify.run import Places, Request, UnknownRuleError
from understudy.verify.subject import LaunchOverrides


@pytest.fixture
def places(tmp_path: Path) -> Places:
    store = store_at(tmp_path / "store")
    image_of(store, [file("var/task/handler.py", b"def handler(e, c): pass\n")], tag="shop:latest")
    return Places(store=store, cache=tmp_path / "cache", state=tmp_path)


def test_a_static_run_reports_what_the_rules_find(places: Places) -> None:
    told: list[str] = []
    launch = LaunchOverrides(function_name="f", memory_mb=256)

    found = run.verify(Request(reference="shop", static=True, launch=launch), places, told.append)

    assert (found.reference, found.digest) == ("shop", places.store.resolve("shop:latest"))
    assert (found.boot, found.boot_skipped) == (None, "--static was given")
    assert not found.passed
    assert {one.rule for one in found.findings} == set(found.rules)
    assert list(found.rules) == [rule for rule in catalogue.RULES if rule in found.rules]
    assert (found.rule_set, found.launch.memory_mb) == (version.rule_set(), 256)
    assert told == ["looking at its files"]


def test_a_name_replaces_the_reference_in_reports(places: Places) -> None:
    found = run.verify(Request(reference="shop:latest", name="shop", static=True), places)
    assert found.reference == "shop"


def test_what_is_allowed_is_recorded_and_no_longer_fails(places: Places) -> None:
    first = run.verify(Request(reference="shop", static=True), places)
    allowed = {one.rule: "a test" for one in first.findings if one.severity is Severity.FAILS}

    found = run.verify(Request(reference="shop", static=True, allowed=allowed), places)

    assert allowed
    assert found.passed
    assert found.allowed == allowed


def test_an_unknown_rule_is_refused_before_anything_is_read(places: Places) -> None:
    known = next(iter(catalogue.RULES))
    with pytest.raises(UnknownRuleError, match="is none of the") as raised:
        run.verify(Request(reference="gone", allowed={known + "x": "typo"}), places)
    assert known in raised.value.hint
    with pytest.raises(UnknownRuleError) as raised:
        run.check_rules(["zzzzzzzz"])
    assert "docs/faults.md" in raised.value.hint


def test_an_unknown_image_is_an_error(places: Places) -> None:
    with pytest.raises(UnderstudyError):
        run.verify(Request(reference="./gone.tar", static=True), places)
