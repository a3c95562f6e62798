import pytest

from understudy.manifests import documents, resources
from understudy.manifests.errors import ManifestError
from understudy.manifests.model import Resource

GOOD = """\
apiVersion: lambda.services.k8s.aws/v1alpha1
kind: Version
metadata:
  name: dashboard
  annotations:
    understudy.dev/auto-publish: "true"
    example.com/anything: x
spec:
  functionName: dashboard
"""


def read(text: str) -> tuple[Resource, ...]:
    return resources.read(documents.parse(text, file="a.yaml"))


def codes(text: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        read(text)
    return [problem.code for problem in caught.value.problems]


def test_reads_kind_handle_and_annotations() -> None:
    [found] = read(GOOD)
    assert str(found.key) == "Version/dashboard"
    assert found.annotations[resources.AUTO_PUBLISH] == "true"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("lambda.services", "lamda.services", "manifest-api-version"),
        ("apiVersion: lambda.services.k8s.aws/v1alpha1\n", "", "manifest-api-version"),
        ("kind: Version", "kind: Versio", "manifest-unknown-kind"),
        ("kind: Version\n", "", "manifest-missing-field"),
        ("  name: dashboard\n", "", "manifest-missing-field"),
        ("  name: dashboard\n", "  name: Dash_Board\n", "manifest-handle"),
        ("  name: dashboard\n", "  name: dashboard\n  finalizers: []\n", "manifest-unknown-field"),
        ("spec:\n  functionName: dashboard\n", "", "manifest-missing-field"),
        ("spec:", "status: {}\nspec:", "manifest-unknown-field"),
        ('auto-publish: "true"', 'auto-publish: "yes"', "manifest-annotation"),
        ('auto-publish: "true"', "auto-publish: true", "manifest-type"),
        ("auto-publish", "auto-deploy", "manifest-annotation"),
        ('auto-publish: "true"', "invoke-mode: RESPONSE_STREAM", "manifest-annotation"),
        ("auto-publish", "auto-publich", "manifest-unknown-annotation"),
        ("example.com/anything: x", "services.k8s.aws/deletion-policy: keep", "manifest-annotation"),
    ],
)
def test_refuses_a_wrong_envelope(old: str, new: str, code: str) -> None:
    assert old in GOOD
    assert codes(GOOD.replace(old, new))[0] == code


def test_same_kind_and_handle_twice_is_an_error() -> None:
    assert codes(f"{GOOD}---\n{GOOD}") == ["manifest-duplicate"]


def test_problems_of_all_documents_are_told_together() -> None:
    bad = GOOD.replace("functionName", "functionNam")
    assert len(codes(f"{bad}---\n{bad}")) == 4
