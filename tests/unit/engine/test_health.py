"""The engine's own endpoints keep LocalStack's shape and say how the delegate is."""

import pytest

from tests.fakes.asgi import Answer, ask, scope
from understudy.engine.delegate.supervisor import DelegateStatus
from understudy.engine.health import Endpoints
from understudy.engine.hooks import Hooks
from understudy.engine.localstack.endpoints import LocalStackEndpoints


@pytest.fixture
def endpoints() -> Endpoints:
    status = DelegateStatus(name="ministack", state="running", pid=7, restarts=1)
    localstack = LocalStackEndpoints(enabled=None, delegate=lambda: status, hooks=Hooks(None))
    return Endpoints(services=["lambda", "apigatewayv2"], delegate=lambda: status, localstack=localstack)


async def _get(endpoints: Endpoints, path: str, method: str = "GET") -> Answer:
    return await ask(endpoints.handle, scope(method, path))


async def test_health_says_when_the_engine_is_ready(endpoints: Endpoints) -> None:
    assert (await _get(endpoints, "/_understudy/health")).document["status"] == "starting"
    endpoints.ready = True
    document = (await _get(endpoints, "/_understudy/health")).document
    assert document["status"] == "ready"
    assert document["delegate"] == {"name": "ministack", "state": "running", "pid": 7, "restarts": 1}
    assert document["uptime_s"] >= 0


async def test_health_names_the_delegate_of_somebody_else() -> None:
    status = DelegateStatus(name="localstack 4.14.0", state="running", url="http://localstack:4566")
    localstack = LocalStackEndpoints(enabled=None, delegate=lambda: status, hooks=Hooks(None))
    endpoints = Endpoints(services=["lambda"], delegate=lambda: status, localstack=localstack)
    delegate = (await _get(endpoints, "/_understudy/health")).document["delegate"]
    assert (delegate["url"], delegate["pid"]) == ("http://localstack:4566", None)


async def test_what_localstack_serves_is_answered_with_the_request_s_body(endpoints: Endpoints) -> None:
    put = await ask(
        endpoints.handle, scope("PUT", "/_localstack/health"), [b'{"features:initScripts": ', b'"up"}']
    )
    assert put.document == {"status": "OK"}
    assert (await _get(endpoints, "/_localstack/health")).document["features"] == {"initScripts": "up"}


async def test_head_has_no_body_and_unknown_is_404(endpoints: Endpoints) -> None:
    assert (await _get(endpoints, "/_localstack/health", "HEAD")).body == b""
    assert (await _get(endpoints, "/_localstack/init/nonsense")).status == 404
    assert (await _get(endpoints, "/_understudy/nonsense")).status == 404


def test_matches_its_own_prefixes_only(endpoints: Endpoints) -> None:
    assert endpoints.matches(scope("GET", "/_understudy/health"))
    assert not endpoints.matches(scope("GET", "/_other/x"))


async def test_what_nobody_serves_below_aws_is_refused_by_name(endpoints: Endpoints) -> None:
    assert endpoints.matches(scope("GET", "/_aws/sqs/messages"))
    answer = await _get(endpoints, "/_aws/sqs/messages")
    assert (answer.status, answer.document["message"]) == (501, "/_aws/sqs is not implemented by understudy")


def test_another_delegate_serves_what_it_has_below_aws() -> None:
    status = DelegateStatus(name="localstack 4.14.0", state="running", url="http://localstack:4566")
    localstack = LocalStackEndpoints(enabled=None, delegate=lambda: status, hooks=Hooks(None))
    endpoints = Endpoints(services=["lambda"], delegate=lambda: status, localstack=localstack)
    assert not endpoints.matches(scope("GET", "/_aws/sqs/messages"))
