from understudy.manifests import kinds, references, schema


def test_key_of_the_table_is_the_name_of_the_kind() -> None:
    assert all(name == kind.name for name, kind in kinds.KINDS.items())


def test_api_version_holds_the_group() -> None:
    assert kinds.KINDS["Function"].api_version == "lambda.services.k8s.aws/v1alpha1"


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
