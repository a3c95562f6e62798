import json

import pytest

from understudy.engine.restapi import refusals
from understudy.engine.restapi.refusals import RefusedError


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (RefusedError("THROTTLED"), 429, b'{"message":"Too Many Requests"}'),
        (RefusedError("INTEGRATION_TIMEOUT"), 504, b'{"message": "Endpoint request timed out"}'),
        (RefusedError("AUTHORIZER_CONFIGURATION_ERROR"), 500, b'{"message":null}'),
        (RefusedError("ACCESS_DENIED", text="no"), 403, b'{"Message":"no"}'),
    ],
)
def test_aws_words_are_the_default(error: RefusedError, status: int, body: bytes) -> None:
    answer = refusals.render(error, {}, {})

    assert (answer.status, answer.body) == (status, body)


def test_an_api_words_its_answers_itself() -> None:
    worded = {
        "DEFAULT_4XX": {
            "responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
            "responseTemplates": refusals.default("DEFAULT_4XX")["responseTemplates"],
        },
        "THROTTLED": {
            "statusCode": "503",
            "responseTemplates": {
                "application/json": '{"why":$context.error.messageString,"id":"$context.requestId"}'
            },
        },
    }

    shut = refusals.render(RefusedError("UNAUTHORIZED"), worded, {})
    busy = refusals.render(RefusedError("THROTTLED"), worded, {"requestId": "r"})
    broken = refusals.render(RefusedError("DEFAULT_5XX"), worded, {})

    assert (shut.status, json.loads(shut.body)) == (401, {"message": "Unauthorized"})
    assert (b"access-control-allow-origin", b"*") in shut.headers
    assert (busy.status, json.loads(busy.body)) == (503, {"why": "Too Many Requests", "id": "r"})
    assert (b"access-control-allow-origin", b"*") not in broken.headers
