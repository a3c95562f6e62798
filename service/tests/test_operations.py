"""Health, readiness, tickers, problem documents, logs and OpenAPI over HTTP."""

import json
import logging
import time
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboard import logs
from dashboard.app import create_app
from dashboard.clients import Clients
from dashboard.settings import Settings
from fakes import ticker_document

BUCKET, KEY, TABLE = "dashboard-tickers", "tickers.json.gz", "configurations"


class NoClients(Clients):
    """Clients that nobody may ask for."""

    def _make(self, service: str) -> Any:
        raise AssertionError(f"{service} was asked for")


class UnreachableClients(Clients):
    """Clients of an endpoint where nothing listens."""

    def _make(self, service: str) -> Any:
        import boto3  # noqa: PLC0415 - as the service does
        from botocore.config import Config  # noqa: PLC0415 - as the service does

        return boto3.client(
            service,  # type: ignore[call-overload] # the stubs want a literal
            region_name="us-east-1",
            endpoint_url="http://127.0.0.1:9",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(connect_timeout=1, retries={"total_max_attempts": 1}),
        )


def test_health_needs_nothing() -> None:
    client = TestClient(create_app(Settings(version="1.2.3", git_sha="abc"), NoClients()))
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "version": "1.2.3", "git_sha": "abc"}


def test_ready_when_table_and_bucket_answer(api: TestClient) -> None:
    response = api.get("/ready")
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "checks": {"table": "ok", "bucket": "ok"}}


@pytest.mark.parametrize(
    ("settings", "failed", "reason"),
    [
        pytest.param(
            Settings(configurations_table="nope", tickers_bucket=BUCKET),
            "table",
            "ResourceNotFoundException",
            id="no-table",
        ),
        pytest.param(
            Settings(configurations_table=TABLE, tickers_bucket="no-such-bucket-here"),
            "bucket",
            "NoSuchBucket",
            id="no-bucket",
        ),
        pytest.param(
            Settings(configurations_table=TABLE, tickers_bucket=BUCKET, tickers_key="nope"),
            "bucket",
            "NoSuchKey",
            id="no-object",
        ),
        pytest.param(Settings(tickers_bucket=BUCKET), "table", "CONFIGURATIONS_TABLE", id="table-unset"),
        pytest.param(Settings(configurations_table=TABLE), "bucket", "TICKERS_BUCKET", id="bucket-unset"),
    ],
)
def test_ready_says_what_failed(aws: Clients, settings: Settings, failed: str, reason: str) -> None:
    response = TestClient(create_app(settings, aws)).get("/ready")
    problem = response.json()
    assert (response.status_code, problem["code"], problem["failed"]) == (503, "not-ready", [failed])
    assert reason in problem["checks"][failed]
    assert response.headers["retry-after"]


def test_without_aws_the_service_answers_503(settings: Settings) -> None:
    client = TestClient(create_app(settings, UnreachableClients()), headers={"X-User-ID": "alice"})
    assert client.get("/ready").json()["failed"] == ["table", "bucket"]
    response = client.get("/api/v2/configurations")
    assert (response.status_code, response.json()["code"]) == (503, "table-unavailable")
    assert "EndpointConnectionError" in response.json()["detail"]
    response = client.get("/api/v2/tickers/validate?symbol=AAPL")
    assert (response.status_code, response.json()["code"]) == (503, "tickers-unavailable")
    assert client.get("/health").status_code == 200


def test_searches_tickers(api: TestClient) -> None:
    response = api.get("/api/v2/tickers/search", params={"q": "inc", "limit": 2})
    assert [item["symbol"] for item in response.json()["items"]] == ["AAP", "AAPL"]
    assert response.json()["items"][1] == {"symbol": "AAPL", "name": "Apple Inc.", "exchange": "NASDAQ"}
    assert len(api.get("/api/v2/tickers/search?q=a").json()["items"]) <= 10


@pytest.mark.parametrize("query", ["", "q=", "q=a&limit=0", "q=a&limit=51", f"q={'a' * 51}"])
def test_refuses_searches_out_of_range(api: TestClient, query: str) -> None:
    response = api.get(f"/api/v2/tickers/search?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "validation")


def test_validates_tickers(api: TestClient) -> None:
    known = api.get("/api/v2/tickers/validate?symbol=aapl").json()
    assert (known["symbol"], known["valid"], known["ticker"]["name"]) == ("AAPL", True, "Apple Inc.")
    unknown = api.get("/api/v2/tickers/validate?symbol=nope").json()
    assert unknown == {"symbol": "NOPE", "valid": False, "ticker": None}
    assert api.get("/api/v2/tickers/validate?symbol=a%20b").status_code == 422


def test_tickers_survive_the_loss_of_the_object(aws: Clients, settings: Settings) -> None:
    eager = Settings(
        configurations_table=settings.configurations_table, tickers_bucket=BUCKET, tickers_ttl_s=0.0
    )
    client = TestClient(create_app(eager, aws))
    url = "/api/v2/tickers/validate?symbol=SAP"
    assert client.get(url).json()["valid"] is True
    aws.s3().delete_object(Bucket=BUCKET, Key=KEY)
    assert client.get(url).json()["valid"] is True
    aws.s3().put_object(Bucket=BUCKET, Key=KEY, Body=ticker_document(["AAPL"]))
    deadline = time.monotonic() + 60
    while client.get(url).json()["valid"]:
        assert time.monotonic() < deadline, "the new object never arrived"


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/nope", 404, None),
        ("POST", "/health", 405, "GET"),
        ("PUT", "/api/v2/configurations", 405, "GET, POST"),
        ("POST", "/api/v2/configurations/x", 405, "DELETE, GET, PATCH"),
    ],
)
def test_problem_documents_for_paths_and_methods(
    api: TestClient, method: str, path: str, status: int, allow: str | None
) -> None:
    response = api.request(method, path)
    assert response.status_code == response.json()["status"] == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers.get("allow") == allow


def test_an_odd_host_header_breaks_nothing(alice: TestClient) -> None:
    odd = {"Host": "["}
    assert alice.get("/nope", headers=odd).status_code == 404
    body = {"name": "Tech", "tickers": ["AAPL"]}
    assert alice.post("/api/v2/configurations", json=body, headers=odd).status_code == 201


def _crash(app: FastAPI) -> None:
    @app.post("/crash")
    async def crash(body: dict[str, Any]) -> None:
        raise RuntimeError(f"cannot digest {body}")


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_crash_is_a_problem_document_and_a_log_line_without_data(
    app: FastAPI, api: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    _crash(app)
    response = api.post("/crash?token=hidden", json={"password": "hunter2"})
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert response.headers["content-type"] == "application/problem+json"
    output = capsys.readouterr().out
    assert "hunter2" not in output + response.text
    assert "hidden" not in output
    crash, request = (json.loads(line) for line in output.splitlines())
    assert (crash["level"], crash["errorType"]) == ("ERROR", "RuntimeError")
    assert "crash" in crash["stackTrace"][-1]
    assert request["status"] == 500
    assert crash["requestId"] == request["requestId"] == response.json()["request_id"]


def test_one_log_line_per_request(alice: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    response = alice.get("/api/v2/configurations/some-id?x=y")
    [line] = log_lines(capsys)
    assert line["requestId"] == response.headers["x-request-id"]
    assert (line["level"], line["logger"]) == ("INFO", "dashboard.requests")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v2/configurations/some-id", 404)
    assert line["route"] == "/api/v2/configurations/{configuration_id}"
    assert line["timestamp"].endswith("+00:00")
    assert not {"alice", "y"} & {str(value) for value in line.values()}


def test_bodies_are_not_logged(alice: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    for body in ({"name": "s3cret", "tickers": ["AAPL"]}, {"name": "s3cret"}, {"s3cret": 1}):
        alice.post("/api/v2/configurations", json=body)
    assert "s3cret" not in capsys.readouterr().out


def test_configuring_twice_writes_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    logs.configure("nonsense")
    logging.getLogger("dashboard.x").info("hello")
    [line] = log_lines(capsys)
    assert "requestId" not in line


def test_log_level_is_honoured(capsys: pytest.CaptureFixture[str]) -> None:
    client = TestClient(create_app(Settings(log_level="warning"), NoClients()))
    client.get("/health")
    assert capsys.readouterr().out == ""


def test_openapi_describes_the_api(api: TestClient) -> None:
    document = api.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/health",
        "/ready",
        "/api/v2/configurations",
        "/api/v2/configurations/{configuration_id}",
        "/api/v2/tickers/search",
        "/api/v2/tickers/validate",
    }
    post = document["paths"]["/api/v2/configurations"]["post"]
    assert {"201", "400", "401", "409", "422", "503"} == set(post["responses"])
    assert set(post["responses"]["422"]["content"]) == {"application/problem+json"}
    patch = document["components"]["schemas"]["ConfigurationPatch"]
    assert patch["minProperties"] == 1
    assert all("anyOf" not in member and "default" not in member for member in patch["properties"].values())
    assert api.get("/docs").headers["content-type"].startswith("text/html")
