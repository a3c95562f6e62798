import httpx
import pytest

from tests.fakes.registry import FakeRegistry
from understudy.image.registry import http as registry_http
from understudy.image.registry.auth import Auth
from understudy.image.registry.errors import (
    RegistryNotFoundError,
    RegistryRejectedError,
    RegistryUnauthorizedError,
    RegistryUnreachableError,
)
from understudy.image.registry.events import RegistryEvent, Retrying
from understudy.image.registry.http import RegistryHttp, Request

USERS = {"user": "pass"}


class Wire:
    """A client over a fake registry, and the waits it asked for."""

    def __init__(self, fake: FakeRegistry, auth: Auth | None = None, host: str = "registry.invalid") -> None:
        self.waits: list[float] = []
        self.events: list[RegistryEvent] = []
        self.http = RegistryHttp(
            host,
            auth=auth or Auth.anonymous(),
            insecure_http=True,
            sleep=self.waits.append,
            transport=fake.transport(),
        )

    def get(self, path: str = "/v2/") -> int:
        request = Request(method="GET", url=self.http.base + path, scope="a", headers={})
        return self.http.send(request, progress=self.events.append).status


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("127.8.8.8", True),
        ("[::1]:5000", True),
        ("registry.localhost:4566", True),
        ("public.ecr.aws", False),
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
    ],
)
def test_this_machine_is_recognised(host: str, expected: bool) -> None:
    assert registry_http.is_loopback(host) is expected
    scheme = "http" if expected else "https"
    assert RegistryHttp(host, auth=Auth.anonymous()).base == f"{scheme}://{host}"


def test_docker_hub_has_its_own_endpoint() -> None:
    assert RegistryHttp("docker.io", auth=Auth.anonymous()).base == "https://registry-1.docker.io"


def test_what_may_pass_is_sent_again_with_growing_waits() -> None:
    fake = FakeRegistry()
    fake.statuses = [503, 429, 500]
    wire = Wire(fake)
    assert wire.get() == 200
    assert wire.waits == [0.2, 0.8, 3.2]
    assert [type(event) for event in wire.events] == [Retrying] * 3


def test_what_keeps_failing_is_reported_with_the_registry_reason() -> None:
    fake = FakeRegistry()
    fake.statuses = [503] * 4
    with pytest.raises(RegistryRejectedError, match="answered 503 ORDERED: a fault") as caught:
        Wire(fake).get()
    assert caught.value.retryable


def test_what_will_not_pass_is_not_sent_again() -> None:
    fake = FakeRegistry()
    wire = Wire(fake)
    with pytest.raises(RegistryNotFoundError):
        wire.get("/v2/a/manifests/none")
    assert len(fake.requests) == 1


def test_host_that_never_answered_fails_at_once() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    waits: list[float] = []
    http = RegistryHttp(
        "r.io", auth=Auth.anonymous(), sleep=waits.append, transport=httpx.MockTransport(refuse)
    )
    with pytest.raises(RegistryUnreachableError, match="refused"):
        http.send(Request(method="GET", url=http.base, scope="", headers={}))
    assert waits == []


def test_token_is_fetched_once_and_used_for_every_request() -> None:
    fake = FakeRegistry(users=USERS, tokens=True)
    wire = Wire(fake, Auth.basic("user", "pass"))
    path = "/v2/team/app/tags/list"
    fake.manifests["team/app"] = {}
    assert [wire.get(path), wire.get(path)] == [200, 200]
    assert fake.requests.count("GET /token") == 1
    assert fake.scopes == [["repository:team/app:pull,push"]]


def test_token_that_ends_on_the_way_is_renewed_once() -> None:
    fake = FakeRegistry(users=USERS, tokens=True)
    fake.token_uses = 2
    wire = Wire(fake, Auth.basic("user", "pass"))
    assert [wire.get() for _ in range(5)] == [200] * 5
    assert fake.requests.count("GET /token") == 3


def test_token_that_is_refused_at_once_is_an_error() -> None:
    fake = FakeRegistry(users=USERS, tokens=True)
    fake.token_uses = 0
    with pytest.raises(RegistryUnauthorizedError, match="refused the credentials"):
        Wire(fake, Auth.basic("user", "pass")).get()


@pytest.mark.parametrize("auth", [Auth.anonymous(), Auth.basic("user", "wrong")], ids=["anonymous", "wrong"])
@pytest.mark.parametrize("tokens", [True, False], ids=["token", "basic"])
def test_missing_and_wrong_credentials_are_named(auth: Auth, tokens: bool) -> None:
    with pytest.raises(RegistryUnauthorizedError):
        Wire(FakeRegistry(users=USERS, tokens=tokens), auth).get()


def test_ready_bearer_token_is_sent_as_it_is() -> None:
    fake = FakeRegistry(users=USERS, tokens=True)
    fake.issued["ready"] = 1
    assert Wire(fake, Auth(bearer="ready")).get() == 200
    assert "GET /token" not in fake.requests


def test_refresh_token_is_exchanged_by_post() -> None:
    seen: list[bytes] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            seen.append(request.read())
            return httpx.Response(200, json={"access_token": "fresh"})
        if request.headers.get("authorization") == "Bearer fresh":
            return httpx.Response(200, stream=httpx.ByteStream(b""))
        challenge = 'Bearer realm="https://r.io/token",service="s",scope="x"'
        return httpx.Response(401, headers={"www-authenticate": challenge})

    http = RegistryHttp("r.io", auth=Auth(identity_token="refresh"), transport=httpx.MockTransport(handle))
    assert http.send(Request(method="GET", url=http.base, scope="", headers={})).status == 200
    assert b"grant_type=refresh_token&refresh_token=refresh&service=s&scope=x" in seen[0]


def test_credentials_stay_at_home() -> None:
    """Neither a token server without TLS nor a foreign upload location sees them."""
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        challenge = 'Bearer realm="http://evil.example/token",service="s"'
        return httpx.Response(401, headers={"www-authenticate": challenge})

    http = RegistryHttp("r.io", auth=Auth.basic("user", "pass"), transport=httpx.MockTransport(handle))
    with pytest.raises(RegistryUnauthorizedError):
        http.send(Request(method="GET", url=http.base, scope="", headers={}))
    http = RegistryHttp("r.io", auth=Auth(bearer="secret"), transport=httpx.MockTransport(handle))
    with pytest.raises(RegistryUnauthorizedError):
        http.send(Request(method="GET", url="https://storage.example/upload", scope="", headers={}))
    assert [request.url.host for request in asked] == ["r.io", "storage.example"]
    assert all("authorization" not in request.headers for request in asked)


def test_endless_answer_is_cut_off() -> None:
    class Endless(httpx.SyncByteStream):
        def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204 - httpx's protocol
            while True:
                yield bytes(1 << 20)

    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Endless()))
    http = RegistryHttp("r.io", auth=Auth.anonymous(), transport=transport, sleep=lambda _: None)
    with pytest.raises(RegistryUnreachableError, match="longer than"):
        http.send(Request(method="GET", url=http.base, scope="", headers={}))


def test_retry_after_counts_up_to_a_limit() -> None:
    assert registry_http._retry_after_s({"retry-after": "3"}, 1) == 3
    assert registry_http._retry_after_s({"retry-after": "3000"}, 1) == 10
    assert registry_http._retry_after_s({"retry-after": "Wed, 21 Oct"}, 1) == 1


def test_credentials_that_end_on_the_way_are_renewed_once() -> None:
    fake = FakeRegistry(users={"AWS": "first"})
    fake.passwords, fake.expire_at_requests = ["second"], {4}
    asked: list[str] = []

    def renew() -> Auth:
        asked.append(fake.users["AWS"])
        return Auth.basic("AWS", fake.users["AWS"], renew=renew)

    wire = Wire(fake, Auth.basic("AWS", "first", renew=renew))
    assert [wire.get() for _ in range(5)] == [200] * 5
    assert asked == ["second"]


def test_credentials_that_ended_before_the_first_request_are_renewed() -> None:
    fake = FakeRegistry(users={"AWS": "now"})
    wire = Wire(fake, Auth.basic("AWS", "before", renew=lambda: Auth.basic("AWS", "now")))
    assert wire.get() == 200


def test_renewed_credentials_that_are_refused_are_the_last_word() -> None:
    fake = FakeRegistry(users={"AWS": "now"})

    def renew() -> Auth:
        return Auth.basic("AWS", "wrong", renew=renew)

    with pytest.raises(RegistryUnauthorizedError, match="refused the credentials"):
        Wire(fake, renew()).get()
    assert len(fake.requests) == 3
