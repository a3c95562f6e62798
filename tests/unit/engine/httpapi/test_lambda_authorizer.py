from typing import Any

import pytest

from understudy.engine.httpapi import lambda_authorizer
from understudy.engine.httpapi.lambda_authorizer import AuthorizerFailedError

ARN = "arn:aws:execute-api:us-east-1:000000000000:abc/dev/GET/pets/7"


def statement(effect: str, resource: str | list[str], action: str = "execute-api:Invoke") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([statement("Allow", "*")], True),
        (statement("Allow", ARN), True),
        ([statement("Allow", ["x", "arn:aws:execute-api:*:*:abc/*/GET/pets/?"])], True),
        ([statement("Allow", "*", "execute-api:*")], True),
        ([statement("Allow", "*", "lambda:*")], False),
        ([statement("Allow", ARN + "1")], False),
        ([statement("Allow", "*"), statement("Deny", ARN)], False),
        ([], False),
    ],
)
def test_a_policy_allows_what_it_says(statements: object, allowed: bool) -> None:
    assert lambda_authorizer.allows({"Version": "2012-10-17", "Statement": statements}, ARN) is allowed


@pytest.mark.parametrize("policy", [None, "text", {}, {"Statement": "*"}])
def test_what_is_no_policy_is_a_failure(policy: object) -> None:
    with pytest.raises(AuthorizerFailedError):
        lambda_authorizer.allows(policy, ARN)
