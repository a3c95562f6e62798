from typing import Any

import pytest

from understudy.engine.functions import policy as policies
from understudy.engine.protocol import ApiError

ARN = "arn:aws:lambda:us-east-1:000000000000:function:dash"
API = "arn:aws:execute-api:us-east-1:000000000000:abc123/$default/GET/health"
GATEWAY = "apigateway.amazonaws.com"


def statement(**params: Any) -> dict[str, Any]:
    base = {"StatementId": "api", "Action": "lambda:InvokeFunction", "Principal": GATEWAY}
    return policies.statement(ARN, {**base, **params})


def test_statement_text_is_aws_s() -> None:
    item = statement(SourceArn=API, SourceAccount="000000000000")
    assert policies.render_statement(item) == (
        '{"Sid":"api","Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"},'
        f'"Action":"lambda:InvokeFunction","Resource":"{ARN}",'
        '"Condition":{"StringEquals":{"AWS:SourceAccount":"000000000000"},'
        f'"ArnLike":{{"AWS:SourceArn":"{API}"}}}}}}'
    )


@pytest.mark.parametrize(
    ("principal", "rendered"),
    [
        ("*", "*"),
        ("s3.amazonaws.com", {"Service": "s3.amazonaws.com"}),
        ("111111111111", {"AWS": "arn:aws:iam::111111111111:root"}),
        ("arn:aws:iam::111111111111:user/x", {"AWS": "arn:aws:iam::111111111111:user/x"}),
    ],
)
def test_principals(principal: str, rendered: object) -> None:
    assert statement(Principal=principal)["Principal"] == rendered


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Principal": "nobody"}, "InvalidParameterValueException"),
        ({"StatementId": "no good"}, "ValidationException"),
        ({"Action": "s3:Get"}, "ValidationException"),
    ],
)
def test_refuses(params: dict[str, Any], code: str) -> None:
    with pytest.raises(ApiError) as caught:
        statement(**params)
    assert caught.value.code == code


def test_a_statement_id_is_used_once() -> None:
    statements = policies.added((), statement())
    with pytest.raises(ApiError, match=r"The statement id \(api\) provided already exists"):
        policies.added(statements, statement())
    assert policies.removed(statements, "api") == ()
    with pytest.raises(ApiError, match="Statement api is not found in resource policy"):
        policies.removed((), "api")


@pytest.mark.parametrize(
    ("params", "allowed"),
    [
        ({}, True),
        ({"Action": "lambda:*"}, True),
        ({"Action": "lambda:GetFunction"}, False),
        ({"Principal": "s3.amazonaws.com"}, False),
        ({"Principal": "*"}, True),
        ({"SourceArn": "arn:aws:execute-api:us-east-1:000000000000:abc123/*/*"}, True),
        ({"SourceArn": "arn:aws:execute-api:us-east-1:000000000000:other/*/*"}, False),
        ({"SourceArn": "arn:aws:execute-api:*:*:abc123/*"}, True),
        ({"SourceArn": "arn:aws:execute-api:*"}, False),
        ({"SourceAccount": "000000000000"}, True),
        ({"SourceAccount": "111111111111"}, False),
        ({"PrincipalOrgID": "o-1"}, False),
    ],
)
def test_permits_as_iam_would(params: dict[str, Any], allowed: bool) -> None:
    assert policies.permits([statement(**params)], principal=GATEWAY, source_arn=API) is allowed


def test_nothing_is_permitted_without_a_statement() -> None:
    assert not policies.permits([], principal=GATEWAY, source_arn=API)
