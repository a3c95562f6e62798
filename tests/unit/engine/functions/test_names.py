import pytest

from understudy.engine.functions import names
from understudy.engine.functions.model import FunctionId
from understudy.engine.protocol import ApiError

HERE = {"account_id": "000000000000", "region": "us-east-1"}
ARN = "arn:aws:lambda:us-east-1:000000000000:function:dash"


@pytest.mark.parametrize(
    ("reference", "qualifier", "expected"),
    [
        ("dash", None, None),
        ("dash:live", None, "live"),
        ("dash", "7", "7"),
        ("function:dash", None, None),
        ("000000000000:function:dash", None, None),
        ("000000000000:function:dash:$LATEST", None, "$LATEST"),
        (ARN, None, None),
        (f"{ARN}:live", None, "live"),
        (f"{ARN}:live", "live", "live"),
    ],
)
def test_accepts_every_form_of_reference(reference: str, qualifier: str | None, expected: str | None) -> None:
    target = names.parse(reference, qualifier, **HERE)
    assert target.id == FunctionId(name="dash", **HERE)
    assert target.qualifier == expected


@pytest.mark.parametrize(
    ("reference", "qualifier", "code", "text"),
    [
        ("a b", None, "ValidationException", "at 'functionName' failed to satisfy constraint"),
        ("", None, "ValidationException", "at 'functionName'"),
        ("x" * 141, None, "ValidationException", "Member must have length less than or equal to 140"),
        ("dash", "no good", "ValidationException", "(|[a-zA-Z0-9$_-]+)"),
        ("dash", "q" * 129, "ValidationException", "length less than or equal to 128"),
        (
            "dash:live",
            "prod",
            "InvalidParameterValueException",
            "The derived qualifier from the function name",
        ),
        (
            ARN.replace("us-east-1", "eu-west-1"),
            None,
            "ResourceNotFoundException",
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
        ),
        (ARN.replace("000000000000", "111111111111"), None, "AccessDeniedException", ""),
    ],
)
def test_refuses_with_the_texts_of_aws(reference: str, qualifier: str | None, code: str, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        names.parse(reference, qualifier, **HERE)
    assert caught.value.code == code
    assert text in caught.value.message


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("x" * 65, "InvalidParameterValueException"),
        ("dash:live", "ValidationException"),
        ("dash.board", "ValidationException"),
    ],
)
def test_refuses_names_that_no_function_can_have(reference: str, code: str) -> None:
    with pytest.raises(ApiError) as caught:
        names.parse_new(reference, **HERE)
    assert caught.value.code == code


def test_tells_aliases_from_versions() -> None:
    assert names.is_alias("live")
    assert names.is_alias("2a")
    assert not names.is_alias("2")
    assert not names.is_alias("$LATEST")
    assert names.is_version("12")
    assert not names.is_version("٣")
    with pytest.raises(ApiError, match="at 'name' failed"):
        names.check_alias("12")


def test_arn_carries_the_qualifier_only_when_there_is_one() -> None:
    key = FunctionId(name="dash", **HERE)
    assert names.arn(key) == ARN
    assert names.arn(key, "live") == f"{ARN}:live"
