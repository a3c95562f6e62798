import pytest

from understudy.targets.init import actions


@pytest.mark.parametrize(
    ("service", "methods", "expected"),
    [
        ("dynamodb", {"get_item", "batch_writer", "append"}, ("BatchWriteItem", "GetItem")),
        ("s3", {"upload_file", "head_object", "list_objects_v2"}, ("GetObject", "ListBucket", "PutObject")),
        ("lambda", {"invoke"}, ("InvokeFunction",)),
        ("sts", {"get_caller_identity"}, ()),
        ("no-such-service", {"get"}, ()),
    ],
)
def test_operations_become_actions(service: str, methods: set[str], expected: tuple[str, ...]) -> None:
    assert actions.called(service, methods) == expected


def test_a_bucket_and_what_is_in_it_are_two_resources() -> None:
    outer, inner = actions.statements("shop-files", "s3", ("GetObject", "ListBucket"), "arn:b")

    assert (outer.actions, outer.resources) == (("s3:ListBucket",), ("arn:b",))
    assert (inner.actions, inner.resources) == (("s3:GetObject",), ("arn:b/*",))


def test_the_prefix_is_the_signing_name() -> None:
    assert actions.prefix("bedrock-runtime") == "bedrock"
