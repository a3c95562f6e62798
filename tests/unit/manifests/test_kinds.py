from pathlib import Path

from understudy.manifests import kinds, references, schema

DOCUMENT = Path(__file__).parents[3] / "docs" / "manifests.md"


def test_key_of_the_table_is_the_name_of_the_kind() -> None:
    assert all(name == kind.name for name, kind in kinds.KINDS.items())


def test_api_version_holds_the_group() -> None:
    assert kinds.KINDS["Function"].api_version == "lambda.services.k8s.aws/v1alpha1"


def test_kind_that_two_groups_share_is_told_apart_by_its_version() -> None:
    found = kinds.of_document("Stage", "apigateway.services.k8s.aws/v1alpha1")
    assert found is not None
    assert (found.name, found.kind) == ("RestStage", "Stage")
    assert kinds.of_document("Stage", "apigatewayv2.services.k8s.aws/v1alpha1") is kinds.KINDS["Stage"]


def test_unknown_version_means_the_first_kind_of_that_name() -> None:
    assert kinds.of_document("Stage", "") is kinds.KINDS["Stage"]
    assert kinds.of_document("RestStage", "apigateway.services.k8s.aws/v1alpha1") is None


def test_group_and_written_kind_are_unique() -> None:
    written = [(kind.group, kind.kind) for kind in kinds.KINDS.values()]
    assert len(written) == len(set(written))


def test_identities_required_fields_and_documents_are_fields() -> None:
    for name, kind in kinds.KINDS.items():
        fields = schema.spec_of(name).members
        assert {kind.identity or next(iter(fields)), *kind.required, *kind.documents} <= fields.keys()


def test_every_reference_between_known_kinds_reads_a_field_that_is_offered() -> None:
    for kind in kinds.KINDS.values():
        for ref in kind.refs.values():
            assert ref.kind not in kinds.KINDS or ref.result in references.RESULTS[ref.kind]


def test_every_kind_says_what_others_may_read() -> None:
    assert set(references.RESULTS) == set(kinds.KINDS)


def test_every_kind_is_documented_with_what_others_may_read() -> None:
    documented = DOCUMENT.read_text(encoding="utf-8")
    for name, kind in kinds.KINDS.items():
        label = f"{kind.kind} (as {name})" if kind.document_kind else name
        fields = ", ".join(f"`{field}`" for field in references.RESULTS[name]) or "-"
        assert f"| {label} | `{kind.api_version}` | {fields} |\n" in documented
