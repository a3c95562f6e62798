"""The router: what it takes, whom it lets in, and how it pages."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.engine.ecr.fixtures import World, scope_of
from understudy.engine.ecr import Registry, Repository


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("path", "headers", "taken"),
    [
        ("/v2/", {}, True),
        ("/v2/app/tags/list", {}, True),
        ("/v2/app/tags/list", {"authorization": "Basic QVdTOng="}, True),
        ("/v2/apis", {}, False),
        ("/v2/app/tags/list", {"authorization": "AWS4-HMAC-SHA256 Credential=a/b/c/apigateway/d"}, False),
        ("/v2/app/tags/list", {"host": "abc.execute-api.localhost.localstack.cloud:4566"}, False),
        ("/health", {}, False),
    ],
)
def test_takes_only_registry_traffic(
    world: World, path: str, headers: dict[str, str], *, taken: bool
) -> None:
    assert world.router.matches(scope_of("GET", path, headers)) is taken


def test_ignores_other_scopes(world: World) -> None:
    assert not world.router.matches({"type": "websocket", "path": "/v2/", "headers": []})


async def test_ping_names_the_protocol(world: World) -> None:
    answer = await world.http("GET", "/v2/")
    assert (answer.status, answer.headers["docker-distribution-api-version"]) == (200, "registry/2.0")


async def test_login_with_ecrs_token_or_none(world: World) -> None:
    data = (await world.call("GetAuthorizationToken"))["authorizationData"][0]
    assert (
        await world.http("GET", "/v2/", authorization=f"Basic {data['authorizationToken']}")
    ).status == 200
    wrong = base64.b64encode(b"root:x").decode()
    answer = await world.http("GET", "/v2/", authorization=f"Basic {wrong}")
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/nope/tags/list"),
        ("POST", "/v2/nope/blobs/uploads/"),
        ("PUT", "/v2/nope/manifests/v1"),
        ("HEAD", "/v2/nope/blobs/sha256:" + "0" * 64),
    ],
)
async def test_a_repository_must_have_been_created(world: World, method: str, path: str) -> None:
    answer = await world.http(method, path)
    assert answer.status == 404
    if method != "HEAD":
        text = "The repository with name 'nope' does not exist in the registry with id '000000000000'"
        assert (answer.code, answer.message) == ("NAME_UNKNOWN", text)


async def test_unknown_method_names_the_known_ones(world: World) -> None:
    world.repository()
    answer = await world.http("DELETE", "/v2/app/blobs/sha256:" + "0" * 64)
    assert (answer.status, answer.code, answer.headers["allow"]) == (405, "UNSUPPORTED", "GET, HEAD")


async def test_host_chooses_account_and_region(world: World) -> None:
    other = Registry(account_id="111111111111", region="eu-west-1")
    world.repositories.create(Repository(registry=other, name="theirs", created_at=0))
    world.repository("mine")
    host = "111111111111.dkr.ecr.eu-west-1.localhost.localstack.cloud:4566"
    theirs = await world.http("GET", "/v2/_catalog", host=host)
    mine = await world.http("GET", "/v2/_catalog", host="understudy:4566")
    assert json.loads(theirs.body) == {"repositories": ["theirs"]}
    assert json.loads(mine.body) == {"repositories": ["mine"]}


async def test_tags_and_catalog_page(world: World) -> None:
    repository = world.repository()
    for tag in ("c", "a", "b"):
        await world.push(repository, tag)
    first = await world.http("GET", "/v2/app/tags/list?n=2")
    assert json.loads(first.body) == {"name": "app", "tags": ["a", "b"]}
    link = first.headers["link"]
    assert link == '</v2/app/tags/list?n=2&last=b>; rel="next"'
    last = await world.http("GET", link[1 : link.index(">")])
    assert (json.loads(last.body)["tags"], "link" in last.headers) == (["c"], False)
    assert json.loads((await world.http("GET", "/v2/app/tags/list?n=0")).body)["tags"] == []
    wrong = await world.http("GET", "/v2/_catalog?n=x")
    assert (wrong.status, wrong.code) == (400, "PAGINATION_NUMBER_INVALID")


async def test_an_empty_repository_has_an_empty_list(world: World) -> None:
    world.repository()
    assert json.loads((await world.http("GET", "/v2/app/tags/list")).body) == {"name": "app", "tags": []}
