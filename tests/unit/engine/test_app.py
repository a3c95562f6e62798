"""The application: who answers which request, and how operations and their failures become answers."""

import json
import logging
from typing import Any

import pytest

from tests.fakes.asgi import Answer, Named, ask, scope
from understudy.engine import app
from understudy.engine.app import Engine
from understudy.engine.protocol import ApiError, Call

SIGNED = "AWS4-HMAC-SHA256 Credential={}/20260102/eu-west-1/{}/aws4_request, SignedHeaders=host, Signature=x"


class Echo:
    """Logs, with one operation that answers and two that fail."""

    name = "logs"

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.operations = {
            "CreateLogGroup": self.create,
            "DeleteLogGroup": self.refuse,
            "CreateLogStream": self.crash,
        }

    async def create(self, call: Call) -> dict[str, Any]:
        self.calls.append(call)
        return {}

    async def refuse(self, call: Call) -> dict[str, Any]:
        raise ApiError("ResourceNotFoundException", "The specified log group does not exist.")

    async def crash(self, call: Call) -> dict[str, Any]:
        raise ZeroDivisionError


@pytest.fixture
def service() -> Echo:
    return Echo()


@pytest.fixture
def engine(service: Echo) -> Engine:
    return Engine(
        services=[service],
        routers=[Named("registry", "/v2/"), Named("api", "/hello")],
        endpoints=Named("own", "/_understudy/"),
        fallback=Named("delegate"),
    )


async def _logs(engine: Engine, operation: str, params: dict[str, Any], **headers: str) -> Answer:
    request = scope(
        "POST",
        "/",
        {
            "authorization": SIGNED.format("123456789012", "logs"),
            "x-amz-target": f"Logs_20140328.{operation}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )
    body = json.dumps(params).encode()
    return await ask(engine, request, [body[:5], body[5:]])


async def test_calls_the_operation_with_what_the_request_says(engine: Engine, service: Echo) -> None:
    answer = await _logs(engine, "CreateLogGroup", {"logGroupName": "g"})
    assert (answer.status, answer.body) == (200, b"")
    call = service.calls[0]
    assert (call.operation, call.params) == ("CreateLogGroup", {"logGroupName": "g"})
    assert (call.account_id, call.region, call.host) == ("123456789012", "eu-west-1", "localhost:4566")
    assert answer.headers["x-amzn-requestid"] == call.request_id


@pytest.mark.parametrize(
    "path",
    ["/key", "/v2/key", "/hello", "/_understudy/health", "/_aws/execute-api/a/b", "/2015-03-31/functions/"],
)
async def test_on_a_bucket_s_host_every_path_is_a_key(engine: Engine, path: str) -> None:
    request = scope("GET", path, {"host": "bucket.s3.localhost.localstack.cloud:4566"})
    assert (await ask(engine, request)).body == b"delegate"


async def test_a_service_that_is_not_enabled_says_so(service: Echo) -> None:
    engine = Engine(
        services=[service],
        routers=[],
        endpoints=Named("own", "/_understudy/"),
        fallback=Named("delegate"),
        enabled={"sqs", "s3"},
    )
    refused = await _logs(engine, "CreateLogGroup", {"logGroupName": "g"})
    assert (refused.status, service.calls) == (501, [])
    assert "Service 'logs' is not enabled" in refused.document["message"]
    signed = {"authorization": SIGNED.format("test", "sqs")}
    assert (await ask(engine, scope("POST", "/", signed))).body == b"delegate"
    other = scope("POST", "/", {"authorization": SIGNED.format("test", "sns")})
    assert (await ask(engine, other)).status == 501


async def test_a_local_page_may_sign_calls_of_delegated_services(engine: Engine) -> None:
    asked = {"origin": "http://localhost:3000", "access-control-request-method": "POST"}
    signing = {**asked, "access-control-request-headers": "Authorization,x-amz-target"}
    answer = await ask(engine, scope("OPTIONS", "/", signing))
    assert answer.headers["access-control-allow-headers"] == "Authorization,x-amz-target"
    assert (await ask(engine, scope("OPTIONS", "/", asked))).body == b"delegate"


async def test_answers_a_modelled_error(engine: Engine) -> None:
    answer = await _logs(engine, "DeleteLogGroup", {"logGroupName": "g"})
    assert answer.status == 400
    assert answer.document["__type"] == "ResourceNotFoundException"


async def test_names_what_is_missing_instead_of_faking_it(engine: Engine) -> None:
    answer = await _logs(engine, "PutMetricFilter", _METRIC_FILTER)
    assert answer.status == 501
    assert answer.document["message"] == "logs:PutMetricFilter is not implemented by understudy"


_METRIC_FILTER = {
    "logGroupName": "g",
    "filterName": "f",
    "filterPattern": "",
    "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
}


async def test_a_bug_is_logged_and_answered_as_one(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await _logs(engine, "CreateLogStream", {"logGroupName": "g", "logStreamName": "s"})
    assert (answer.status, answer.document["__type"]) == (500, "InternalFailure")
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("request_scope", "expected"),
    [
        pytest.param(scope("GET", "/_understudy/health"), "own", id="own-endpoint"),
        pytest.param(scope("GET", "/v2/repo/manifests/x"), "registry", id="registry"),
        pytest.param(
            scope("GET", "/v2/", {"authorization": SIGNED.format("x", "s3")}),
            "registry",
            id="registry-by-path",
        ),
        pytest.param(scope("GET", "/bucket/key"), "delegate", id="anything-else"),
        pytest.param(scope("GET", "/hello", {"host": "a.execute-api.localhost:4566"}), "api", id="api-host"),
    ],
)
async def test_sends_each_request_to_its_place(engine: Engine, request_scope: Any, expected: str) -> None:
    assert (await ask(engine, request_scope)).body.decode() == expected


async def test_an_api_host_never_reaches_the_delegate_or_the_own_endpoints(engine: Engine) -> None:
    for path in ("/health", "/_understudy/health", "/_localstack/health"):
        answer = await ask(engine, scope("GET", path, {"host": "a.execute-api.localhost:4566"}))
        assert (answer.status, answer.document) == (404, {"message": "Not Found"})


async def test_a_foreign_page_is_refused_by_name(engine: Engine, service: Echo) -> None:
    answer = await _logs(engine, "CreateLogGroup", {"logGroupName": "g"}, origin="https://evil.example")
    assert answer.status == 403
    assert "https://evil.example" in answer.document["message"]
    assert service.calls == []


async def test_a_local_page_gets_cors_headers(engine: Engine) -> None:
    answer = await _logs(engine, "CreateLogGroup", {"logGroupName": "g"}, origin="http://localhost:3000")
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"


async def test_answers_the_preflight_of_an_owned_path(service: Echo) -> None:
    lambdas = Echo()
    lambdas.name = "lambda"
    engine = Engine(services=[lambdas], routers=[], endpoints=Named("own"), fallback=Named("delegate"))
    headers = {
        "origin": "http://localhost:3000",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,x-amz-date",
    }
    answer = await ask(engine, scope("OPTIONS", "/2015-03-31/functions/f/invocations", headers))
    assert answer.status == 204
    assert answer.headers["access-control-allow-headers"] == "authorization,x-amz-date"


async def test_refuses_an_endless_body() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    with pytest.raises(app.BodyTooLargeError):
        await app.read_body(receive, limit_bytes=10_000)


async def test_speaks_http_only(engine: Engine) -> None:
    with pytest.raises(NotImplementedError, match="websocket"):
        await ask(engine, {"type": "websocket"})
