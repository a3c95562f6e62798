import pytest

from understudy.manifests import check, documents
from understudy.manifests.errors import ManifestError, Problem
from understudy.manifests.kinds import KINDS

FUNCTION = """\
name: dashboard
code: {imageURI: x}
role: arn:aws:iam::000000000000:role/x
"""


def problems(text: str, kind: str = "Function") -> list[Problem]:
    [node] = documents.parse(text, file="function.yaml")
    return list(check.spec(KINDS[kind], node))


def test_accepts_a_correct_spec() -> None:
    assert problems(FUNCTION) == []


@pytest.mark.parametrize(
    ("text", "code", "hint", "path"),
    [
        ("imageUri: x", "manifest-unknown-field", "imageConfig", "spec.imageUri"),
        ("memorySiz: 1", "manifest-unknown-field", "rename it to memorySize", "spec.memorySiz"),
        ('memorySize: "1024"', "manifest-type", "write an integer", "spec.memorySize"),
        ("memorySize: true", "manifest-type", "write an integer", "spec.memorySize"),
        ("memorySize: 1.5", "manifest-type", "write an integer", "spec.memorySize"),
        ("publish: no", "manifest-type", "write true or false, without quotes", "spec.publish"),
        ("description: 12", "manifest-type", 'write "12" in quotes', "spec.description"),
        ("description: null", "manifest-type", "remove the field", "spec.description"),
        ("architectures: x86_64", "manifest-type", "write a list", "spec.architectures"),
        (
            "environment: {variables: {PORT: 8000}}",
            "manifest-type",
            'write "8000" in quotes',
            "spec.environment.variables.PORT",
        ),
        (
            "environment: {variables: {a.b: true}}",
            "manifest-type",
            'write "true" in quotes',
            'spec.environment.variables["a.b"]',
        ),
        ("packageType: Imag", "manifest-value", "write Image", "spec.packageType"),
        ("architectures: [x86-64]", "manifest-value", "write x86_64", "spec.architectures[0]"),
        ("timeout: 0", "manifest-value", "write 1 or more", "spec.timeout"),
        (
            "functionEventInvokeConfig: {maximumRetryAttempts: 3}",
            "manifest-value",
            "write 2 or less",
            "spec.functionEventInvokeConfig.maximumRetryAttempts",
        ),
        (
            "fileSystemConfigs: [{arn: a, localMountPth: b}]",
            "manifest-unknown-field",
            "rename it to localMountPath",
            "spec.fileSystemConfigs[0].localMountPth",
        ),
    ],
)
def test_names_field_line_and_fix(text: str, code: str, hint: str, path: str) -> None:
    found = problems(FUNCTION + text)
    assert (found[0].code, found[0].path, found[0].at.line) == (code, path, 4)
    assert hint in found[0].hint


def test_value_that_a_placeholder_fills_in_is_not_judged() -> None:
    assert problems(FUNCTION + "packageType: ${image.x}") == []


def test_misspelt_image_uri_suggests_the_exact_case() -> None:
    found = problems("name: a\nrole: r\ncode:\n  imageUri: x\n")
    assert found[0].hint == "rename it to imageURI"
    assert found[0].where == "function.yaml:4, spec.code.imageUri"


def test_value_beside_its_reference_is_refused_where_the_value_is() -> None:
    found = problems(FUNCTION + "roleRef: {from: {name: x}}")
    assert [(one.code, one.hint, one.at.line) for one in found] == [
        ("manifest-reference-and-value", "remove role", 3)
    ]


def test_missing_pair_asks_for_the_reference() -> None:
    found = problems("name: a\ncode: {imageURI: x}\n")
    assert [(one.code, one.hint) for one in found] == [
        ("manifest-missing-field", "add roleRef.from.name with the name of a Role")
    ]


def test_missing_required_field_is_named() -> None:
    assert [one.message for one in problems("code: {imageURI: x}\nrole: r\n")] == ["spec.name is missing"]


def test_required_member_may_be_given_by_reference() -> None:
    rules = "[{status: Enabled, destination: {bucket: x}}]"
    text = f"name: b\nreplication:\n  roleRef: {{from: {{name: r}}}}\n  rules: {rules}\n"
    assert problems(text, "Bucket") == []


def test_all_problems_are_found() -> None:
    assert len(problems("nam: a\ncode: {}\nrole: r\ntimeout: x\n")) == 3


def test_unknown_kind_suggests_the_nearest() -> None:
    [node] = documents.parse("kind: Functon", file="a.yaml")
    with pytest.raises(ManifestError) as caught:
        check.kind_of(node)
    assert caught.value.hint == "rename it to Function"
