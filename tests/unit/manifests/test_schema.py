from understudy.manifests import kinds, schema


def test_every_kind_has_a_schema() -> None:
    for kind in kinds.KINDS:
        assert schema.spec_of(kind).type == "object"


def test_field_remembers_the_aws_member() -> None:
    code = schema.spec_of("Function").members["code"]
    assert (code.member, code.members["imageURI"].member) == ("Code", "ImageUri")


def test_renamed_identity_keeps_its_member() -> None:
    assert schema.spec_of("Repository").members["name"].member == "repositoryName"


def test_field_set_by_another_call_has_that_call_s_member() -> None:
    assert schema.spec_of("Bucket").members["versioning"].member == "VersioningConfiguration"
    assert schema.spec_of("LogGroup").members["retentionDays"].member == "retentionInDays"


def test_free_keys_are_a_map() -> None:
    assert schema.spec_of("Function").members["environment"].members["variables"].type == "map"


def test_blobs_are_marked() -> None:
    assert schema.spec_of("Function").members["code"].members["zipFile"].encoding == "blob"


def test_inner_names_that_ack_fills_itself_are_not_required() -> None:
    assert schema.spec_of("Function").members["functionEventInvokeConfig"].required == ()
