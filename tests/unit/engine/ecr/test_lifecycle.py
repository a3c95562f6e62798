"""Lifecycle policies against the examples of the ECR user guide and its grammar."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.engine.ecr import lifecycle
from understudy.engine.ecr.model import ImageRecord
from understudy.engine.protocol import ApiError

DAY = 86400.0
NOW = 100 * DAY


def image(name: str, days: float, *tags: str, **extra: Any) -> ImageRecord:
    return ImageRecord(
        digest=name, media_type="", size_bytes=1, pushed_at=NOW - days * DAY, tags=tags, **extra
    )


def rule(priority: int, selection: dict[str, Any], **extra: Any) -> dict[str, Any]:
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}, **extra}


def count(status: str, number: int, **lists: Any) -> dict[str, Any]:
    return {"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": number, **lists}


def age(status: str, days: int, kind: str = "sinceImagePushed", **lists: Any) -> dict[str, Any]:
    return {"tagStatus": status, "countType": kind, "countUnit": "days", "countNumber": days, **lists}


def text(*rules: Any) -> str:
    return json.dumps({"rules": list(rules)})


def expired(policy: str, *images: ImageRecord) -> list[str]:
    return [each.image.digest for each in lifecycle.evaluate(lifecycle.parse(policy), images, now=NOW)]


PROD = {"tagPrefixList": ["prod"]}
BETA = {"tagPrefixList": ["beta"]}
TWO_TAGS = (image("A", 10, "beta-1", "prod-1"), image("B", 9, "beta-2", "prod-2"), image("C", 8, "beta-3"))
ALPHA_BETA = (
    image("A", 12, "alpha-1"),
    image("B", 11, "beta-1"),
    image("C", 10, "alpha-2", "beta-2"),
    image("D", 4, "alpha-3"),
    image("E", 4, "beta-3"),
    image("F", 3, "alpha-4", "beta-4"),
)


@pytest.mark.parametrize(
    ("policy", "images", "wanted"),
    [
        pytest.param(
            text(rule(1, count("tagged", 1, **PROD)), rule(2, count("tagged", 1, **BETA))),
            TWO_TAGS,
            ["A"],
            id="guide-multiple-rules-A: an image of rule 1 is not rule 2's",
        ),
        pytest.param(
            text(rule(1, count("tagged", 1, **BETA)), rule(2, count("tagged", 1, **PROD))),
            TWO_TAGS,
            ["A", "B"],
            id="guide-multiple-rules-B",
        ),
        pytest.param(
            text(rule(1, count("tagged", 1, tagPrefixList=["alpha", "beta"]))),
            ALPHA_BETA,
            ["C"],
            id="guide-multiple-tags: every prefix must find a tag",
        ),
        pytest.param(
            text(rule(1, age("tagged", 5, tagPrefixList=["alpha", "beta"]))),
            ALPHA_BETA,
            ["C"],
            id="guide-multiple-tags-by-age",
        ),
        pytest.param(
            text(rule(1, count("any", 5))),
            tuple(image(str(n), 10 - n, f"v{n}") for n in range(6)),
            ["0"],
            id="keep-5-keeps-5",
        ),
        pytest.param(text(rule(1, count("any", 5))), TWO_TAGS, [], id="fewer-than-kept"),
        pytest.param(
            text(rule(1, count("untagged", 1))),
            (image("A", 3), image("B", 2), image("C", 1), image("T", 9, "t")),
            ["A", "B"],
            id="untagged-leaves-tagged",
        ),
        pytest.param(
            text(rule(1, age("any", 14))),
            (image("old", 14.01, "x"), image("edge", 14), image("new", 1)),
            ["old"],
            id="older-than-14-days",
        ),
        pytest.param(
            text(rule(1, age("any", 14, "sinceImagePulled"))),
            (
                image("used", 50, pulled_at=NOW - DAY),
                image("unused", 50, pulled_at=NOW - 20 * DAY),
                image("never", 15),
            ),
            ["unused", "never"],
            id="since-pulled-falls-back-to-pushed",
        ),
        pytest.param(
            text(rule(1, count("tagged", 1, tagPatternList=["release-*-rc"]))),
            (image("A", 3, "release-1-rc"), image("B", 2, "release-2"), image("C", 1, "release-3-rc")),
            ["A"],
            id="pattern",
        ),
        pytest.param(
            text(rule(7, count("any", 1)), rule(3, count("tagged", 9, tagPrefixList=["keep"]))),
            (image("A", 3, "keep-1"), image("B", 2, "x"), image("C", 1, "y")),
            ["B"],
            id="any-rule-counts-but-spares-earlier-rules-images",
        ),
        pytest.param(
            text(rule(1, count("any", 1))),
            (image("child", 3), image("index", 2, "v1", children=("child",)), image("C", 1, "y")),
            ["index"],
            id="image-of-an-index-waits-for-the-index",
        ),
    ],
)
def test_expires(policy: str, images: tuple[ImageRecord, ...], wanted: list[str]) -> None:
    assert expired(policy, *images) == wanted


def test_names_the_rule_that_expires() -> None:
    policy = lifecycle.parse(text(rule(4, count("any", 1), description="one")))
    [found] = lifecycle.evaluate(policy, (image("A", 2), image("B", 1)), now=NOW)
    assert (found.rule.priority, found.rule.description) == (4, "one")


@given(st.lists(st.integers(0, 1000), max_size=30), st.integers(1, 10))
def test_keep_last_always_keeps_the_newest(ages: list[int], kept: int) -> None:
    images = [image(str(index), days) for index, days in enumerate(ages)]
    gone = set(expired(text(rule(1, count("any", kept))), *images))
    left = [each for each in images if each.digest not in gone]
    assert len(left) == min(kept, len(images))
    assert all(old.pushed_at <= new.pushed_at for old in images if old.digest in gone for new in left)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        pytest.param("{", "Could not map policyString into LifecyclePolicy.", id="no-json"),
        pytest.param("[]", "Could not map policyString into LifecyclePolicy.", id="no-object"),
        pytest.param("{}", 'missing required properties (["rules"])', id="no-rules"),
        pytest.param('{"rules": {}}', "instance type (object) does not match", id="rules-no-list"),
        pytest.param('{"rules": []}', "array is too short", id="empty"),
        pytest.param('{"rules": [3]}', "instance type (integer) does not match", id="rule-no-object"),
        pytest.param(text({"selection": {}, "action": {}}), '["rulePriority"]', id="no-priority"),
        pytest.param(
            text(rule(1, count("any", 1), tags=[])), 'not allowed by the schema: (["tags"])', id="unknown"
        ),
        pytest.param(text(rule(0, count("any", 1))), "(minimum: 1, found: 0)", id="priority-0"),
        pytest.param(text(rule(1, count("any", 0))), "(minimum: 1, found: 0)", id="count-0"),
        pytest.param(text(rule(1, count("any", "5"))), "instance type (string)", id="count-text"),  # type: ignore[arg-type]
        pytest.param(
            text(rule(1, count("some", 1))),
            'instance value ("some") not found in enum (possible values: ["any","tagged","untagged"])',
            id="status",
        ),
        pytest.param(
            text(rule(1, count("any", 1, countUnit="days"))), "matched 0 out of 2", id="count-with-unit"
        ),
        pytest.param(
            text(rule(1, {"tagStatus": "any", "countType": "sinceImagePushed", "countNumber": 1})),
            "matched 0 out of 2",
            id="age-without-unit",
        ),
        pytest.param(
            text(rule(1, age("any", 1, "sinceImageTransitioned"))), "matched 0 out of 2", id="archive-refused"
        ),
        pytest.param(text(rule(1, age("any", 1, countUnit="weeks"))), '("weeks") not found', id="weeks"),
        pytest.param(
            text(rule(1, count("tagged", 1))),
            "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.",
            id="tagged-without-list",
        ),
        pytest.param(
            text(rule(1, count("tagged", 1, tagPrefixList=["a"], tagPatternList=["b"]))),
            "both",
            id="both-lists",
        ),
        pytest.param(
            text(rule(1, count("untagged", 1, **PROD))), "tagStatus=UNTAGGED", id="untagged-with-list"
        ),
        pytest.param(text(rule(1, count("tagged", 1, tagPrefixList=[""]))), "too short", id="empty-prefix"),
        pytest.param(
            text(rule(1, count("tagged", 1, tagPrefixList="x"))), '(allowed: ["array"])', id="list-type"
        ),
        pytest.param(
            text(rule(1, count("tagged", 1, tagPatternList=["a*b*c*d*e*"]))),
            "more than 4 wildcards",
            id="wildcards",
        ),
        pytest.param(
            text(rule(1, count("untagged", 1)), rule(1, count("any", 1))),
            "unique rulePriority",
            id="priority-twice",
        ),
        pytest.param(
            text(rule(1, count("untagged", 1)), rule(2, age("untagged", 1))),
            "Only one rule can select Untagged images per storage class",
            id="untagged-twice",
        ),
        pytest.param(
            text(rule(1, count("any", 1)), rule(2, count("untagged", 1))),
            "Rule for tagStatus=ANY must have the lowest priority per storage class",
            id="any-not-last",
        ),
        pytest.param(
            text(rule(1, count("tagged", 1, **PROD)), rule(2, age("tagged", 1, **PROD))),
            "unique across",
            id="prefix-twice",
        ),
        pytest.param(
            text({**rule(1, count("any", 1)), "action": {"type": "transition"}}),
            '("transition") not found in enum (possible values: ["expire"])',
            id="transition",
        ),
    ],
)
def test_refuses_with_the_reason(policy: str, reason: str) -> None:
    with pytest.raises(ApiError) as caught:
        lifecycle.parse(policy)
    assert caught.value.code == "InvalidParameterException"
    start = "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
    assert caught.value.message.startswith(start + "'Lifecycle policy validation failure: ")
    assert reason in caught.value.message
