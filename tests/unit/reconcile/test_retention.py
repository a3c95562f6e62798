import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired
from understudy.engine.ecr import lifecycle
from understudy.engine.ecr.model import ImageRecord
from understudy.manifests.model import ImageBinding, Stack
from understudy.reconcile import retention
from understudy.reconcile.retention import StoredImage, Use

NOW = 1_000_000_000.0
DAY = 86400.0
KEEP_TWO = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2},
                "action": {"type": "expire"},
            }
        ]
    }
)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def image(number: int, *tags: str) -> StoredImage:
    return StoredImage(digest=digest(number), tags=tags, pushed_at=NOW - number * DAY)


def test_the_oldest_images_beyond_the_count_expire() -> None:
    images = [image(1), image(2), image(3), image(4)]
    assert retention.expiring(KEEP_TWO, images, now=NOW) == (digest(4), digest(3))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"rules": 1}', '{"rules": [{}]}', '{"rules": [{"rulePriority": 1}]}']
)
def test_a_text_that_is_no_policy_expires_nothing(text: str) -> None:
    assert retention.expiring(text, [image(1), image(2), image(3)], now=NOW) == ()


TAGS = st.lists(st.sampled_from(["v1", "v2", "prod-1", "prod-2", "latest"]), max_size=2, unique=True)
SELECTIONS = st.one_of(
    st.just({"tagStatus": "untagged"}),
    st.just({"tagStatus": "any"}),
    st.sampled_from(["v", "prod-", "latest"]).map(lambda p: {"tagStatus": "tagged", "tagPrefixList": [p]}),
    st.sampled_from(["v*", "*1", "latest"]).map(lambda p: {"tagStatus": "tagged", "tagPatternList": [p]}),
)
COUNTS = st.one_of(
    st.integers(1, 4).map(lambda n: {"countType": "imageCountMoreThan", "countNumber": n}),
    st.tuples(st.sampled_from(["sinceImagePushed", "sinceImagePulled"]), st.integers(1, 6)).map(
        lambda pair: {"countType": pair[0], "countUnit": "days", "countNumber": pair[1]}
    ),
)


@given(
    rules=st.lists(st.tuples(SELECTIONS, COUNTS), min_size=1, max_size=3),
    facts=st.lists(st.tuples(TAGS, st.integers(0, 9), st.none() | st.integers(0, 9)), max_size=7),
)
def test_it_expires_what_the_engine_expires(
    rules: list[tuple[dict[str, Any], dict[str, Any]]],
    facts: list[tuple[list[str], int, int | None]],
) -> None:
    policy = {
        "rules": [
            {"rulePriority": number, "selection": {**which, **count}, "action": {"type": "expire"}}
            for number, (which, count) in enumerate(rules, 1)
        ]
    }
    try:
        parsed = lifecycle.parse(json.dumps(policy))
    except lifecycle.ApiError:
        return
    ours, theirs = [], []
    for number, (tags, age, pulled) in enumerate(facts):
        # A fraction of a day keeps moments apart.
        pushed_at = NOW - (age + number / 10) * DAY
        pulled_at = NOW - pulled * DAY if pulled is not None else None
        ours.append(
            StoredImage(digest=digest(number), tags=tuple(tags), pushed_at=pushed_at, pulled_at=pulled_at)
        )
        theirs.append(
            ImageRecord(
                digest=digest(number),
                media_type="x",
                tags=tuple(tags),
                pushed_at=pushed_at,
                pulled_at=pulled_at,
                size_bytes=1,
            )
        )
    expected = tuple(one.image.digest for one in lifecycle.evaluate(parsed, theirs, now=NOW))
    assert retention.expiring(json.dumps(policy), ours, now=NOW) == expected


def test_what_aliases_lead_to_is_told_first_and_the_rest_is_counted() -> None:
    uses = [
        Use(function="app", version=str(number), aliases=("live",) if number == 7 else (), digest=digest(1))
        for number in range(1, 9)
    ]
    text = retention.told("app", [digest(1)], uses)
    assert text.startswith(
        f"the lifecycle policy of Repository app would expire {digest(1)}, "
        "which version 7 of app (alias live) runs; "
    )
    assert "; and 3 more: raise countNumber" in text
    assert retention.told("app", [digest(2)], uses) == ""


REPOSITORY = desired("Repository/app", {"name": "app-images", "lifecyclePolicy": KEEP_TWO})
FUNCTION = desired("Function/app", {"name": "app"}, "Image/app")
VERSION = desired("Version/app", {}, "Function/app", follow=True)
ALIAS = desired("Alias/live", {"name": "live", "functionVersion": "${Version.app.version}"}, "Version/app")


def stack(new: int) -> Stack:
    binding = ImageBinding(name="app", repository="app", digest=digest(new))
    return Stack(resources=(REPOSITORY, FUNCTION, VERSION, ALIAS), images=(binding,))


def details(*numbers: int) -> dict[str, Any]:
    found = [
        {
            "imageDigest": digest(number),
            "imagePushedAt": datetime.fromtimestamp(NOW - number * DAY, UTC),
            "imageTags": [f"v{number}"],
        }
        for number in numbers
    ]
    attached = {
        "imageDigest": digest(99),
        "imagePushedAt": datetime.fromtimestamp(NOW, UTC),
        "subjectManifestDigest": digest(numbers[0]),
    }
    return {"imageDetails": [*found, attached]}


def code(params: Mapping[str, Any]) -> dict[str, Any]:
    """Version N of the function was published with image N."""
    return {"Code": {"ResolvedImageUri": f"host/app@{digest(int(params['Qualifier']))}"}}


ANSWERS: dict[str, Any] = {
    "DescribeRepositories": {"repositories": [{}]},
    "DescribeImages": details(1, 2),
    "GetFunctionConfiguration": {},
    "GetAlias": {
        "FunctionVersion": "1",
        "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}},
    },
    "ListVersionsByFunction": {"Versions": [{"Version": "$LATEST"}, {"Version": "1"}, {"Version": "2"}]},
    "GetFunction": code,
}


def test_the_image_about_to_be_pushed_counts_as_pushed() -> None:
    fake = ScriptedAws(ANSWERS)
    [text] = retention.notices(fake.aws, stack(new=5), now=NOW)
    assert f"would expire {digest(2)}, which version 2 of app (alias live) runs: raise" in text
    assert fake.writes == []


def test_versions_are_not_read_while_nothing_expires() -> None:
    fake = ScriptedAws(ANSWERS)
    assert retention.notices(fake.aws, stack(new=1), now=NOW) == ()
    assert [name for name, _ in fake.calls] == ["DescribeRepositories", "DescribeImages"]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(
            {"DescribeRepositories": Refusal(code="RepositoryNotFoundException")}, id="no repository yet"
        ),
        pytest.param(
            {**ANSWERS, "GetFunctionConfiguration": Refusal(code="ResourceNotFoundException", status=404)},
            id="no function yet",
        ),
    ],
)
def test_a_first_deployment_has_nothing_to_lose(answers: dict[str, Any]) -> None:
    assert retention.notices(ScriptedAws(answers).aws, stack(new=5), now=NOW) == ()


def test_a_repository_without_policy_keeps_everything() -> None:
    plain = Stack(
        resources=(desired("Repository/app", {"name": "app"}), FUNCTION), images=stack(new=5).images
    )
    fake = ScriptedAws(ANSWERS)
    assert retention.notices(fake.aws, plain, now=NOW) == ()
    assert fake.calls == []


def test_infinity_is_the_newest() -> None:
    images = [image(1), image(2), StoredImage(digest=digest(9), pushed_at=math.inf)]
    assert retention.expiring(KEEP_TWO, images, now=NOW) == (digest(2),)
