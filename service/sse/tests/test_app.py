from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from sse import app as applications

ALICE = {"X-User-ID": "alice"}


async def _read(user: str) -> list[Mapping[str, Any]]:
    return [{"id": "1", "name": f"{user}'s"}]


async def _fail(_: str) -> list[Mapping[str, Any]]:
    raise ConnectionError("no table")


def test_streams_the_users_configurations() -> None:
    answer = TestClient(applications.create_app(_read)).get("/updates?limit=1", headers=ALICE)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "alice's" in answer.text


def test_wants_a_user() -> None:
    client = TestClient(applications.create_app(_read))
    assert client.get("/updates").status_code == 422
    assert client.get("/updates", headers={"X-User-ID": "a,b"}).status_code == 422


def test_a_table_that_cannot_be_read_is_503_before_the_stream() -> None:
    answer = TestClient(applications.create_app(_fail)).get("/updates", headers=ALICE)
    assert answer.status_code == 503


def test_health_needs_nothing() -> None:
    assert TestClient(applications.app).get("/health").json()["status"] == "ok"


def test_another_application_keeps_its_own_routes() -> None:
    other = FastAPI()

    @other.get("/health")
    async def health() -> str:
        return "other"

    applications.install(other, _read)
    client = TestClient(other)
    assert client.get("/health").json() == "other"
    assert client.get("/updates?limit=1", headers=ALICE).status_code == 200
