from understudy.manifests import documents
from understudy.manifests.model import DesiredResource, ResourceKey, Stack


def test_plain_loses_positions_only() -> None:
    [node] = documents.parse("a: [1, {b: null}]\n", file="a.yaml")
    assert node.plain() == {"a": [1, {"b": None}]}


def test_views_of_another_type_are_empty() -> None:
    [node] = documents.parse("a: 1\n", file="a.yaml")
    assert (node.items, node.text, node.entries["a"].entries) == ((), None, {})


def test_stack_finds_by_key_and_kind() -> None:
    role = DesiredResource(key=ResourceKey("Role", "r"), spec={}, document={})
    stack = Stack(resources=(role,))
    assert stack.get(ResourceKey("Role", "r")) is role
    assert stack.get(ResourceKey("Role", "x")) is None
    assert stack.of_kind("Role") == (role,)
