import re
from collections import Counter

import pytest

from tests.fakes import image_files
from tests.fakes.findings import finding
from understudy.verify import catalogue
from understudy.verify.catalogue import Family
from understudy.verify.model import Rule, Severity

ALL = [rule for rules in (*(one.rules for one in catalogue.FAMILIES), catalogue.BOOT_RULES) for rule in rules]


def test_rule_ids_are_unique() -> None:
    assert [name for name, count in Counter(rule.id for rule in ALL).items() if count > 1] == []
    assert list(catalogue.RULES) == [rule.id for rule in ALL]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_every_rule_can_be_written_and_read(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id)
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.why
    assert rule.fix
    assert rule.link.startswith("https://")
    assert rule.catalogue
    assert all(re.fullmatch(r"A\d{1,2}", row) for row in rule.catalogue)


def test_every_family_finds_only_its_own_rules() -> None:
    looked = image_files.subject({"/var/task/handler.py": "def handler(event, context): return {}\n"})
    for family in catalogue.FAMILIES:
        own = {rule.id for rule in family.rules}
        assert {one.rule for one in family.check(looked)} <= own, family.name


def test_a_plain_handler_on_awss_base_is_good() -> None:
    looked = image_files.subject({"/var/task/handler.py": "def handler(event, context): return {}\n"})
    assert [one for one in catalogue.check_all(looked) if one.severity is not Severity.INFO] == []


def test_families_are_asked_in_their_order() -> None:
    one, two = finding("one"), finding("two")
    families = [
        Family(name="first", rules=(), check=lambda _: [one]),
        Family(name="second", rules=(), check=lambda _: [two]),
    ]
    assert catalogue.check_all(image_files.subject(), families) == (one, two)


def test_an_image_with_a_layer_that_cannot_be_read_is_not_judged_by_its_files() -> None:
    layers = [image_files.layer(actual_diff_id="sha256:" + "0" * 64, problem="it is zstd")]
    looked = image_files.subject({}, layers=layers)
    found = [one.rule for one in catalogue.check_all(looked) if one.severity is not Severity.INFO]
    assert found == ["layer-unreadable"]
