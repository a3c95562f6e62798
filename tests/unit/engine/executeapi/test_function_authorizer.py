from typing import Any

import pytest

from understudy.engine.executeapi import function_authorizer
from understudy.engine.executeapi.function_authorizer import AuthorizerFailedError

ARN = "arn:aws:execute-api:us-east-1:000000000000:abc/dev/GET/pets/7"


def statement(effect: str, resource: str | list[str], action: str = "execute-api:Invoke") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


@pytest.mark.parametrize(
    ("statements", "effect"),
    [
        ([statement("Allow", "*")], "Allow"),
        (statement("Allow", ARN), "Allow"),
        ([statement("Allow", ["x", "arn:aws:execute-api:*:*:abc/*/GET/pets/?"])], "Allow"),
        ([statement("Allow", "*", "execute-api:*")], "Allow"),
        ([statement("Allow", "*", "lambda:*")], None),
        ([statement("Allow", ARN + "1")], None),
        ([statement("Allow", "*"), statement("Deny", ARN)], "Deny"),
        ([], None),
    ],
)
def test_a_policy_allows_denies_or_is_silent(statements: object, effect: str | None) -> None:
    assert function_authorizer.effect({"Version": "2012-10-17", "Statement": statements}, ARN) == effect


@pytest.mark.parametrize("policy", [None, "text", {}, {"Statement": "*"}])
def test_what_is_no_policy_is_a_failure(policy: object) -> None:
    with pytest.raises(AuthorizerFailedError):
        function_authorizer.effect(policy, ARN)
