"""`handler.lambda_handler` with the events that API Gateway sends."""

import asyncio
import base64
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import handler
from dashboard.clients import Clients
from dashboard.services import compose
from dashboard.settings import Settings

REQUEST_ID = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"
CONTEXT = SimpleNamespace(aws_request_id=REQUEST_ID)


def event_v2(method: str, path: str, *, stage: str = "$default", query: str = "", **fields: Any) -> Any:
    """An event of payload format 2.0, as in the API Gateway developer guide."""
    headers = {
        "accept": "*/*",
        "content-type": "application/json",
        "host": "id.execute-api.us-east-1.amazonaws.com",
        "user-agent": "curl/8",
        "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        "x-user-id": "alice",
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "id",
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "curl/8",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": stage,
            "time": "10/Mar/2020:05:16:23 +0000",
            "timeEpoch": 1583817383220,
        },
        "isBase64Encoded": False,
        **fields,
    }


def event_v1(method: str, path: str, *, called_as: str | None = None) -> Any:
    """An event of payload format 1.0; a REST API says in its context what the client called."""
    return {
        "version": "1.0",
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"Host": "id.execute-api.us-east-1.amazonaws.com"},
        "multiValueHeaders": {"Host": ["id.execute-api.us-east-1.amazonaws.com"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"identity": {"sourceIp": "192.0.2.1"}, "stage": "live", "path": called_as or path},
        "body": None,
        "isBase64Encoded": False,
    }


def call(event: Any) -> tuple[int, dict[str, str], Any]:
    answer = handler.lambda_handler(event, CONTEXT)
    assert answer["isBase64Encoded"] is False
    return answer["statusCode"], answer["headers"], json.loads(answer["body"] or "null")


@pytest.fixture(autouse=True)
def _services(aws: Clients, settings: Settings) -> Iterator[None]:
    """The handler's application, over moto."""
    own = handler.app.state.services
    handler.app.state.services = compose(settings, aws)
    yield
    handler.app.state.services = own


def test_health() -> None:
    status, headers, body = call(event_v2("GET", "/health"))
    assert (status, body["status"], body["git_sha"]) == (200, "ok", "abc123")
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("encoded", [False, True])
def test_a_configurations_life(encoded: bool) -> None:
    text = json.dumps({"name": "Tech", "tickers": ["AAPL"]})
    body = base64.b64encode(text.encode()).decode() if encoded else text
    status, headers, created = call(
        event_v2("POST", "/api/v2/configurations", body=body, isBase64Encoded=encoded)
    )
    assert (status, headers["etag"]) == (201, '"1"')
    location = headers["location"]
    status, _, listed = call(event_v2("GET", "/api/v2/configurations", query="limit=1"))
    assert (status, listed) == (200, {"items": [created], "next_cursor": None})
    assert call(event_v2("GET", location))[2] == created
    answer = handler.lambda_handler(event_v2("DELETE", location), CONTEXT)
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert call(event_v2("GET", location))[0] == 404


def test_problem_documents_are_text_not_base64() -> None:
    status, headers, problem = call(event_v2("GET", "/nope"))
    assert (status, headers["content-type"]) == (404, "application/problem+json")
    assert problem["request_id"] == REQUEST_ID


def test_log_lines_carry_lambdas_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    call(event_v2("GET", "/api/v2/tickers/validate", query="symbol=AAPL"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == ["tickers loaded", "request"]
    assert {line["requestId"] for line in lines} == {REQUEST_ID}


@pytest.mark.parametrize(
    ("stage", "path", "status"),
    [
        ("live", "/live/health", 200),
        ("live", "/health", 200),
        ("live", "/livehealth", 404),
        ("$default", "/$default/health", 404),
    ],
)
def test_the_stage_in_front_of_the_path_is_not_part_of_it(stage: str, path: str, status: int) -> None:
    assert call(event_v2("GET", path, stage=stage))[0] == status


def test_links_include_the_stage() -> None:
    body = json.dumps({"name": "Tech", "tickers": ["AAPL"], "active": False})
    _, headers, _ = call(event_v2("POST", "/live/api/v2/configurations", stage="live", body=body))
    assert headers["location"].startswith("/live/api/v2/configurations/")
    assert call(event_v2("GET", headers["location"], stage="live"))[0] == 200
    answer = handler.lambda_handler(event_v2("GET", "/live/docs", stage="live"), CONTEXT)
    assert "/live/openapi.json" in answer["body"]


def test_payload_1_0() -> None:
    assert call(event_v1("GET", "/health"))[0] == 200


def test_links_include_the_stage_of_a_rest_api() -> None:
    answer = handler.lambda_handler(event_v1("GET", "/docs", called_as="/live/docs"), CONTEXT)
    assert (answer["statusCode"], "/live/openapi.json" in answer["body"]) == (200, True)
    assert call(event_v1("GET", "/health", called_as="/live/health"))[0] == 200


def test_works_after_something_else_used_an_event_loop() -> None:
    asyncio.run(asyncio.sleep(0))
    assert call(event_v2("GET", "/health"))[0] == 200
