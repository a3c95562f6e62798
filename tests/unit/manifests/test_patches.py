import pytest

from understudy.manifests import documents, patches
from understudy.manifests.errors import ManifestError
from understudy.manifests.model import Json, Node
from understudy.manifests.patches import Target


def node(text: str) -> Node:
    [found] = documents.parse(text, file="a.yaml")
    return found


BASE = """\
apiVersion: lambda.services.k8s.aws/v1alpha1
kind: Function
metadata: {name: orders, labels: {team: a}}
spec: {memorySize: 128, tags: {a: x, b: y}, layers: [one, two], permissions: [{statementID: s1}]}
"""


def merged(patch: str) -> Json:
    found = patches.merge(node(BASE), node(patch))
    assert found is not None
    return found.entries["spec"].plain()


@pytest.mark.parametrize(
    ("patch", "field", "value"),
    [
        ("spec: {memorySize: 256}", "memorySize", 256),
        ("spec: {tags: {b: z}}", "tags", {"a": "x", "b": "z"}),
        ("spec: {tags: {a: null}}", "tags", {"b": "y"}),
        ("spec: {tags: null}", "tags", None),
        ("spec: {layers: [three]}", "layers", ["three"]),
        ("spec: {permissions: [{statementID: s2}]}", "permissions", [{"statementID": "s2"}]),
        ("spec: {tags: {$patch: replace, c: q}}", "tags", {"c": "q"}),
        ("spec: {tags: {$patch: delete}}", "tags", None),
        ("spec: {new: {a: 1, b: null}}", "new", {"a": 1}),
    ],
    ids=["scalar", "deep", "null-key", "null-map", "list", "named-list", "replace", "delete", "new-map"],
)
def test_strategic_merge_gives_kustomize_s_result(patch: str, field: str, value: Json) -> None:
    found = merged(patch)
    assert isinstance(found, dict)
    assert found.get(field) == value


def test_delete_directive_drops_the_resource() -> None:
    assert patches.merge(node(BASE), node("$patch: delete")) is None


@pytest.mark.parametrize(
    "patch", ["spec: {$patch: keep, a: 1}", "$patch: replace", "spec: {$retainKeys: [a]}"]
)
def test_refuses_directives_outside_the_subset(patch: str) -> None:
    with pytest.raises(ManifestError, match="no patch that understudy applies"):
        patches.merge(node(BASE), node(patch))


@pytest.mark.parametrize(
    "patch", ["spec: {layers: {a: b}}", "spec: {tags: [a]}", "spec: {memorySize: {a: 1}}"]
)
def test_refuses_another_form_than_the_value_has(patch: str) -> None:
    with pytest.raises(ManifestError, match="in the patch"):
        patches.merge(node(BASE), node(patch))


def test_patched_value_keeps_the_place_it_was_written_at() -> None:
    [patch] = documents.parse("spec:\n  memorySize: x\n", file="patch.yaml")
    found = patches.merge(node(BASE), patch)
    assert found is not None
    assert str(found.entries["spec"].entries["memorySize"].at) == "patch.yaml:2"
    assert found.entries["spec"].entries["layers"].at.file == "a.yaml"


@pytest.mark.parametrize(
    ("operations", "field", "value"),
    [
        ("[{op: replace, path: /spec/memorySize, value: 1}]", "memorySize", 1),
        ("[{op: add, path: /spec/memorySize, value: 1}]", "memorySize", 1),
        ("[{op: add, path: /spec/layers/-, value: three}]", "layers", ["one", "two", "three"]),
        ("[{op: add, path: /spec/layers/0, value: zero}]", "layers", ["zero", "one", "two"]),
        ("[{op: remove, path: /spec/layers/0}]", "layers", ["two"]),
        ("[{op: replace, path: /spec/layers/1, value: x}]", "layers", ["one", "x"]),
        ("[{op: copy, from: /spec/tags/a, path: /spec/tags/c}]", "tags", {"a": "x", "b": "y", "c": "x"}),
        ("[{op: move, from: /spec/tags/a, path: /spec/tags/c}]", "tags", {"b": "y", "c": "x"}),
        ("[{op: test, path: /spec/memorySize, value: 128}]", "memorySize", 128),
        ("[{op: add, path: /spec/tags/x~1y, value: q}]", "tags", {"a": "x", "b": "y", "x/y": "q"}),
    ],
)
def test_json_patch_applies_each_operation(operations: str, field: str, value: Json) -> None:
    found = patches.apply(node(BASE), node(operations)).entries["spec"].plain()
    assert isinstance(found, dict)
    assert found[field] == value


@pytest.mark.parametrize(
    "operations",
    [
        "[{op: replace, path: /spec/nothing, value: 1}]",
        "[{op: remove, path: /spec/layers/7}]",
        "[{op: add, path: /spec/layers/9, value: x}]",
        "[{op: add, path: /nothing/x, value: 1}]",
        "[{op: add, path: /kind/x, value: 1}]",
        "[{op: test, path: /spec/memorySize, value: 1}]",
        "[{op: replce, path: /spec/memorySize, value: 1}]",
        "[{op: add, path: spec, value: 1}]",
        "{op: add}",
    ],
)
def test_json_patch_that_cannot_apply_is_an_error(operations: str) -> None:
    with pytest.raises(ManifestError):
        patches.apply(node(BASE), node(operations))


@pytest.mark.parametrize(
    ("target", "matches"),
    [
        (Target(kind="Function"), True),
        (Target(kind="Func"), False),
        (Target(name="ord"), False),
        (Target(name="ord.*"), True),
        (Target(group="lambda.services.k8s.aws", version="v1alpha1"), True),
        (Target(group="ecr.services.k8s.aws"), False),
        (Target(labels={"team": "a"}), True),
        (Target(labels={"team": "b"}), False),
        (Target(namespace="x"), False),
        (Target(), True),
    ],
)
def test_target_is_an_anchored_pattern(target: Target, matches: bool) -> None:
    assert target.matches(node(BASE)) is matches
