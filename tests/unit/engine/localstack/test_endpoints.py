"""LocalStack's endpoints: its shapes where they answer, its names where they refuse."""

import pytest

from understudy.engine.delegate.supervisor import DelegateStatus
from understudy.engine.hooks import Hooks
from understudy.engine.localstack.endpoints import LocalStackEndpoints


def _endpoints(enabled: set[str] | None = None) -> LocalStackEndpoints:
    status = DelegateStatus(name="ministack", state="starting")
    return LocalStackEndpoints(enabled=enabled, delegate=lambda: status, hooks=Hooks(None))


def _health(endpoints: LocalStackEndpoints) -> dict[str, object]:
    document = endpoints.answer("GET", "/_localstack/health", b"").document
    assert isinstance(document, dict)
    return document


def test_health_lists_services_and_who_this_is() -> None:
    document = _health(_endpoints({"lambda", "s3"}))
    assert set(document) == {"services", "edition", "version"}
    services = document["services"]
    assert isinstance(services, dict)
    assert (services["lambda"], services["s3"], services["sqs"]) == ("running", "starting", "disabled")


def test_a_delegate_of_somebody_else_speaks_for_its_services() -> None:
    status = DelegateStatus(
        name="localstack 4.14.0",
        state="running",
        url="http://localstack:4566",
        services={"s3": "running", "sqs": "available", "lambda": "disabled"},
    )
    endpoints = LocalStackEndpoints(enabled=None, delegate=lambda: status, hooks=Hooks(None))
    owned = {"apigateway": "running", "ecr": "running", "lambda": "running", "logs": "running"}
    assert _health(endpoints)["services"] == owned | {"s3": "running", "sqs": "available"}


def test_health_takes_what_scripts_put() -> None:
    endpoints = _endpoints()
    body = b'{"features:initScripts": "initialized", "edition": "x", "own": 1}'
    assert endpoints.answer("PUT", "/_localstack/health", body).document == {"status": "OK"}
    document = _health(endpoints)
    assert (document["features"], document["own"]) == ({"initScripts": "initialized"}, 1)
    assert document["edition"] == "understudy"
    assert endpoints.answer("PUT", "/_localstack/health", b"").status == 400


def test_actions_and_other_endpoints_are_refused_by_name() -> None:
    endpoints = _endpoints()
    restart = endpoints.answer("POST", "/_localstack/health", b'{"action": "restart"}')
    assert (restart.status, restart.document) == (
        501,
        {"message": "/_localstack/health: action 'restart' is not implemented by understudy"},
    )
    pods = endpoints.answer("POST", "/_localstack/pods/state", b"")
    assert (pods.status, pods.document) == (
        501,
        {"message": "/_localstack/pods is not implemented by understudy"},
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "info", 200),
        ("HEAD", "health", 200),
        ("GET", "init", 200),
        ("GET", "init/ready", 200),
        ("GET", "init/READY/", 200),
        ("GET", "init/nonsense", 404),
        ("GET", "nonsense", 404),
        ("POST", "info", 405),
    ],
)
def test_paths(method: str, path: str, status: int) -> None:
    assert _endpoints().answer(method, f"/_localstack/{path}", b"").status == status
