import pytest

from understudy.manifests import ownership
from understudy.manifests.model import Json, JsonMap, ResourceKey


def tagged(kind: str, spec: JsonMap, *, retain: bool = False) -> JsonMap:
    return ownership.tagged(ResourceKey(kind, "x"), spec, project="shop", retain=retain)


def test_a_map_of_tags_gets_ours() -> None:
    found = tagged("Function", {"name": "f", "tags": {"a": "b"}})
    assert found == {
        "name": "f",
        "tags": {"a": "b", "understudy.dev/stack": "shop", "understudy.dev/resource": "Function.x"},
    }


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Table", {"tags": [{"key": "a", "value": "b"}]}),
        ("Bucket", {"tagging": {"tagSet": [{"key": "a", "value": "b"}]}}),
    ],
)
def test_a_list_of_tags_gets_ours_and_what_is_kept_says_so(kind: str, spec: dict[str, Json]) -> None:
    found = tagged(kind, spec, retain=True)
    assert found.keys() == spec.keys()
    assert ownership.tags(kind, found) == {
        "a": "b",
        "understudy.dev/stack": "shop",
        "understudy.dev/resource": f"{kind}.x",
        "understudy.dev/retain": "true",
    }


@pytest.mark.parametrize("kind", ["Alias", "Version", "Route", "Integration", "Stage", "Authorizer"])
def test_what_hangs_below_another_carries_none(kind: str) -> None:
    assert tagged(kind, {"name": "x"}) == {"name": "x"}


@pytest.mark.parametrize("kind", ["Function", "Table", "Bucket", "Alias"])
def test_a_spec_without_tags_has_none(kind: str) -> None:
    assert ownership.tags(kind, {"name": "x"}) == {}


def test_tags_replace_those_that_are_there() -> None:
    assert ownership.with_tags("Role", {"tags": [{"key": "a", "value": "b"}]}, {"c": "d"}) == {
        "tags": [{"key": "c", "value": "d"}]
    }


def test_map_and_list_say_the_same() -> None:
    assert ownership.parse({"a": "1"}) == ownership.parse([{"key": "a", "value": "1"}]) == {"a": "1"}
    assert ownership.parse(None) == {}
