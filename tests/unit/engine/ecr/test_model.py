"""Addresses, ARNs and tag filters of ECR."""

import pytest

from understudy.engine.ecr.model import (
    ExclusionFilter,
    Registry,
    Repository,
    parse_image_uri,
    parse_repository_arn,
    registry_of_host,
    wildcard_matches,
)

DIGEST = "sha256:" + "a" * 64
OTHER = Registry(account_id="111111111111", region="eu-west-1")


@pytest.mark.parametrize(
    ("host", "registry"),
    [
        ("localhost:4566", Registry()),
        ("127.0.0.1:4566", Registry()),
        ("[::1]:4566", Registry()),
        ("000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566", Registry()),
        ("111111111111.dkr.ecr.eu-west-1.amazonaws.com", OTHER),
        ("111111111111.DKR.ecr.eu-west-1.localhost:4566", OTHER),
        ("public.ecr.aws", None),
        ("111.dkr.ecr.eu-west-1.amazonaws.com", None),
        ("111111111111.dkr.ecr.eu-west-1.amazonaws.com.evil.test", None),
    ],
)
def test_host_names_a_registry(host: str, registry: Registry | None) -> None:
    assert registry_of_host(host) == registry


def test_loopback_means_the_default_registry() -> None:
    assert registry_of_host("localhost", default=OTHER) == OTHER


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        ("localhost:4566/app:v1", (Registry(), "app", "v1", None)),
        (f"localhost:4566/team/app@{DIGEST}", (Registry(), "team/app", None, DIGEST)),
        (f"localhost:4566/app:v1@{DIGEST}", (Registry(), "app", "v1", DIGEST)),
        ("111111111111.dkr.ecr.eu-west-1.amazonaws.com/app:v1", (OTHER, "app", "v1", None)),
        ("localhost:4566/app", (Registry(), "app", None, None)),
    ],
)
def test_parses_image_addresses(uri: str, wanted: tuple[object, ...]) -> None:
    parsed = parse_image_uri(uri)
    assert parsed is not None
    assert (parsed.registry, parsed.repository, parsed.tag, parsed.digest) == wanted


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "app:v1",
        "docker.io/app:v1",
        "localhost:4566/",
        "localhost:4566/App:v1",
        "localhost:4566/app:",
        "localhost:4566/app@",
        "localhost:4566/app@sha256:short",
        "localhost:4566/app:-x",
        "localhost:4566/../app:x",
        "http://localhost:4566/app:v1",
    ],
)
def test_refuses_what_is_no_address_of_this_engine(uri: str) -> None:
    assert parse_image_uri(uri) is None


def test_pinned_address_keeps_host_and_repository() -> None:
    parsed = parse_image_uri("localhost:4566/app:v1")
    assert parsed is not None
    assert parsed.pinned(DIGEST) == f"localhost:4566/app@{DIGEST}"


def test_arn_round_trip() -> None:
    assert parse_repository_arn(OTHER.repository_arn("a/b")) == (OTHER, "a/b")
    assert parse_repository_arn("arn:aws:lambda:us-east-1:000000000000:function:x") is None


@pytest.mark.parametrize(
    ("pattern", "tag", "matches"),
    [
        ("prod*", "prod-1", True),
        ("prod*", "preprod", False),
        ("*", "anything", True),
        ("a*b*c", "a1b2c", True),
        ("v1.?", "v1.2", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
    ],
)
def test_only_the_star_is_special(pattern: str, tag: str, *, matches: bool) -> None:
    assert wildcard_matches(pattern, tag) is matches


@pytest.mark.parametrize(
    ("mutability", "tag", "immutable"),
    [
        ("MUTABLE", "v1", False),
        ("IMMUTABLE", "v1", True),
        ("IMMUTABLE_WITH_EXCLUSION", "latest", False),
        ("IMMUTABLE_WITH_EXCLUSION", "v1", True),
        ("MUTABLE_WITH_EXCLUSION", "latest", True),
        ("MUTABLE_WITH_EXCLUSION", "v1", False),
    ],
)
def test_exclusions_turn_mutability_around(mutability: str, tag: str, *, immutable: bool) -> None:
    exclusions = (ExclusionFilter(pattern="lat*"),) if mutability.endswith("EXCLUSION") else ()
    repository = Repository(
        registry=Registry(),
        name="app",
        created_at=0,
        mutability=mutability,  # type: ignore[arg-type] # one of the literal's values
        exclusions=exclusions,
    )
    assert repository.is_immutable(tag) is immutable
