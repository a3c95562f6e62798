import pytest

from tests.unit.manifests.stacks import document, stack
from understudy.manifests import references
from understudy.manifests.errors import ManifestError
from understudy.manifests.model import ResourceKey

FUNCTION = "{{name: f, role: r, code: {{imageURI: x}}, environment: {{variables: {{A: '{}'}}}}}}"


def variable(text: str) -> object:
    found = stack(document("Function", "f", FUNCTION.format(text))).get(ResourceKey("Function", "f"))
    assert found is not None
    environment = found.spec["environment"]
    assert isinstance(environment, dict)
    return environment["variables"]["A"]


@pytest.mark.parametrize(
    "text",
    ["${aws:username}", "${stageVariables.x}", "$${account}", "no placeholder", "${Repository.repo.name}"],
)
def test_leaves_alone_what_is_not_ours(text: str) -> None:
    assert variable(text) == ("repo" if text.startswith("${Rep") else text)


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("${acount}", "reference-placeholder", "rename it to account"),
        ("${image.ap}", "reference-placeholder", "rename it to image.app"),
        ("${Functon.f.arn}", "reference-placeholder", "rename it to Function"),
        ("${Role.none.arn}", "reference-unknown", "remove it"),
        ("${Repository.rep.arn}", "reference-unknown", "rename it to repo"),
        ("${Repository.repo.uri}", "reference-unknown", "repositoryURI"),
    ],
)
def test_refuses_a_placeholder_that_leads_nowhere(text: str, code: str, hint: str) -> None:
    with pytest.raises(ManifestError) as caught:
        variable(text)
    assert caught.value.code == code
    assert hint in caught.value.hint
    assert caught.value.where is not None
    assert caught.value.where.startswith("a.yaml:9")


def test_literal_placeholder_loses_a_dollar_for_aws() -> None:
    from understudy.manifests import render

    assert render.literal({"a": ["$${account}"]}) == {"a": ["${account}"]}


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("{name: f, code: {imageURI: x}, roleRef: {from: {name: none}}}", "reference-unknown"),
        ("{name: f, code: {imageURI: x}, roleRef: {from: {}}}", "reference-name"),
        ("{name: f, code: {imageURI: x}, roleRef: {from: {name: r, namespace: n}}}", "reference-namespace"),
        ("{name: f, code: {imageURI: x}, role: r, kmsKeyRef: {from: {name: k}}}", "reference-kind"),
    ],
)
def test_refuses_a_reference_that_leads_nowhere(spec: str, code: str) -> None:
    with pytest.raises(ManifestError) as caught:
        stack(document("Function", "f", spec))
    assert caught.value.code == code


def test_list_of_references_becomes_a_list_of_values() -> None:
    role = "{name: r, assumeRolePolicyDocument: '{}', policyRefs: [{from: {name: p}}]}"
    policy = (
        "apiVersion: iam.services.k8s.aws/v1alpha1\nkind: Policy\nmetadata: {name: p}\n"
        "spec: {name: p, path: /x/, policyDocument: '{}'}\n"
    )
    found = stack(document("Role", "r", role), policy).get(ResourceKey("Role", "r"))
    assert found is not None
    assert found.spec["policies"] == ["arn:aws:iam::111122223333:policy/x/p"]
    assert "policyRefs" not in found.spec


def test_unresolved_finds_references_anywhere() -> None:
    found = references.unresolved(
        {"a": [{"b": "x${API.one.apiID}/${Version.v.version}"}], "c": "$${API.two.apiID}"}
    )
    assert [str(reference) for reference in found] == ["${API.one.apiID}", "${Version.v.version}"]
