"""`/api/v2/configurations` over HTTP."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

URL = "/api/v2/configurations"


def create(client: TestClient, **members: Any) -> Response:
    return client.post(URL, json={"name": "Tech", "tickers": ["AAPL"], "active": False, **members})


def assert_problem(response: Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, "about:blank")
    assert problem["instance"] == response.request.url.path
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


def test_create_answers_201_with_location_and_etag(alice: TestClient) -> None:
    response = create(alice, tickers=["aapl", "MSFT", "AAPL"], active=True, name="  Tech ")
    assert response.status_code == 201
    assert response.headers["etag"] == '"1"'
    document = response.json()
    assert response.headers["location"] == f"{URL}/{document['id']}"
    assert document["name"] == "Tech"
    assert document["tickers"] == ["AAPL", "MSFT"]
    assert alice.get(response.headers["location"]).json() == document


def test_a_configuration_is_active_unless_told_otherwise(alice: TestClient) -> None:
    assert alice.post(URL, json={"name": "Tech", "tickers": ["AAPL"]}).json()["active"] is True


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="absent"),
        pytest.param({"X-User-ID": ""}, id="empty"),
        pytest.param({"X-User-ID": "alice,bob"}, id="two-joined-by-the-gateway"),
        pytest.param({"X-User-ID": "a" * 129}, id="too-long"),
        pytest.param({"X-User-ID": "al#ice"}, id="odd-character"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", URL), ("POST", URL), ("DELETE", f"{URL}/x")])
def test_refuses_requests_without_a_user(
    api: TestClient, headers: dict[str, str], method: str, path: str
) -> None:
    response = api.request(method, path, headers=headers, content=b"{")
    assert_problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"]


def test_refuses_two_user_headers(api: TestClient) -> None:
    response = api.get(URL, headers=[("X-User-ID", "alice"), ("X-User-ID", "bob")])
    assert_problem(response, 401, "unauthenticated")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({"tickers": ["AAPL"]}, "#/name", id="no-name"),
        pytest.param({"name": " ", "tickers": ["AAPL"]}, "#/name", id="blank-name"),
        pytest.param({"name": "x" * 101, "tickers": ["AAPL"]}, "#/name", id="long-name"),
        pytest.param({"name": "x", "tickers": []}, "#/tickers", id="no-tickers"),
        pytest.param({"name": "x", "tickers": ["AAPL"] * 6}, "#/tickers", id="six-tickers"),
        pytest.param({"name": "x", "tickers": ["A L"]}, "#/tickers/0", id="no-symbol"),
        pytest.param({"name": "x", "tickers": ["AAPL"], "active": "true"}, "#/active", id="text-for-boolean"),
        pytest.param({"name": "x", "tickers": ["AAPL"], "a/b~": 1}, "#/a~1b~0", id="unknown-member"),
        pytest.param([], "#", id="no-object"),
    ],
)
def test_names_what_is_wrong_with_a_body(alice: TestClient, body: Any, pointer: str) -> None:
    problem = assert_problem(alice.post(URL, json=body), 422, "validation")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_answers_a_body_that_is_no_json_with_400(alice: TestClient) -> None:
    response = alice.post(URL, content=b'{"name": ', headers={"Content-Type": "application/json"})
    assert_problem(response, 400, "invalid-json")


def test_survives_text_that_utf8_cannot_carry(alice: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    assert alice.post(URL, content=b'{"\\ud800": 1}', headers=headers).status_code == 422
    body = b'{"name": "\\ud800", "tickers": ["AAPL"]}'
    assert alice.post(URL, content=body, headers=headers).status_code == 422


def test_names_the_unknown_tickers(alice: TestClient) -> None:
    problem = assert_problem(create(alice, tickers=["nope", "AAPL", "ZZZ"]), 422, "unknown-tickers")
    assert problem["unknown_tickers"] == ["NOPE", "ZZZ"]
    location = create(alice).headers["location"]
    problem = assert_problem(alice.patch(location, json={"tickers": ["NOPE"]}), 422, "unknown-tickers")
    assert problem["unknown_tickers"] == ["NOPE"]


def test_lists_page_by_page_in_order_of_creation(alice: TestClient) -> None:
    created = [create(alice, name=f"n{i}").json() for i in range(5)]
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    sizes = []
    while True:
        page = alice.get(URL, params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += page["items"]
        sizes.append(len(page["items"]))
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sizes == [2, 2, 1]
    assert sorted(found, key=lambda item: item["name"]) == created
    assert [item["id"] for item in found] == sorted(item["id"] for item in created)


def test_a_full_last_page_has_no_cursor(alice: TestClient) -> None:
    create(alice)
    create(alice)
    assert alice.get(URL, params={"limit": 2}).json()["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["x", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA", "!!!!", "é", "A" * 23, "=="])
def test_refuses_made_up_cursors(alice: TestClient, cursor: str) -> None:
    assert_problem(alice.get(URL, params={"cursor": cursor}), 400, "invalid-cursor")


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_refuses_limits_out_of_range(alice: TestClient, limit: str) -> None:
    problem = assert_problem(alice.get(URL, params={"limit": limit}), 422, "validation")
    assert problem["errors"][0]["pointer"] == "query/limit"


@pytest.mark.parametrize(
    ("if_none_match", "status"),
    [('"1"', 304), ('W/"1"', 304), ('"0", "1"', 304), ("*", 304), ('"2"', 200), ("1", 200)],
)
def test_get_is_conditional(alice: TestClient, if_none_match: str, status: int) -> None:
    response = alice.get(create(alice).headers["location"], headers={"If-None-Match": if_none_match})
    assert response.status_code == status
    assert response.headers["etag"] == '"1"'
    assert bool(response.content) == (status == 200)


@pytest.mark.parametrize("path", ["x", "01a2053e-daf8-7c4f-b23e-504075577e11", "SLOTS", "a" * 2000])
@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
def test_answers_404_for_unknown_ids(alice: TestClient, method: str, path: str) -> None:
    body = {"json": {"name": "x"}} if method == "PATCH" else {}
    assert_problem(alice.request(method, f"{URL}/{path}", **body), 404, "configuration-not-found")


def test_patch_changes_only_what_it_names(alice: TestClient) -> None:
    before = create(alice, tickers=["AAPL", "MSFT"]).json()
    response = alice.patch(f"{URL}/{before['id']}", json={"name": "New"}, headers={"If-Match": '"1"'})
    after = response.json()
    assert response.status_code == 200
    assert response.headers["etag"] == '"2"'
    assert after == before | {"name": "New", "version": 2, "updated_at": after["updated_at"]}
    assert alice.get(f"{URL}/{before['id']}").json() == after


def test_a_patch_that_changes_nothing_keeps_the_version(alice: TestClient) -> None:
    created = create(alice)
    assert alice.patch(created.headers["location"], json={"name": "Tech"}).headers["etag"] == '"1"'


@pytest.mark.parametrize("body", [{}, {"name": None}, {"active": None}, {"id": "x"}])
def test_refuses_patches_that_make_no_sense(alice: TestClient, body: Any) -> None:
    assert_problem(alice.patch(create(alice).headers["location"], json=body), 422, "validation")


@pytest.mark.parametrize("if_match", ['"0"', 'W/"1"', "1", "", '"1" x'])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_refuses_writes_to_another_version(alice: TestClient, method: str, if_match: str) -> None:
    location = create(alice).headers["location"]
    body = {"json": {"name": "x"}} if method == "PATCH" else {}
    response = alice.request(method, location, headers={"If-Match": if_match}, **body)
    assert_problem(response, 412, "version-mismatch")
    assert response.headers["etag"] == '"1"'
    assert alice.get(location).json()["name"] == "Tech"


@pytest.mark.parametrize("if_match", [None, "*", '"1"', '"7", "1"'])
def test_delete_answers_204_once(alice: TestClient, if_match: str | None) -> None:
    location = create(alice).headers["location"]
    response = alice.delete(location, headers={"If-Match": if_match} if if_match else {})
    assert (response.status_code, response.content) == (204, b"")
    assert "content-type" not in response.headers
    assert alice.get(location).status_code == alice.delete(location).status_code == 404


def test_at_most_two_configurations_are_active(alice: TestClient, bob: TestClient) -> None:
    first, second = (create(alice, active=True).headers["location"] for _ in range(2))
    assert assert_problem(create(alice, active=True), 409, "active-limit")["limit"] == 2
    third = create(alice).headers["location"]
    assert_problem(alice.patch(third, json={"active": True}), 409, "active-limit")
    assert create(bob, active=True).status_code == 201

    assert alice.patch(first, json={"active": False}).status_code == 200
    assert alice.patch(third, json={"active": True}).status_code == 200
    assert_problem(alice.patch(first, json={"active": True}), 409, "active-limit")
    assert alice.delete(second).status_code == 204
    assert alice.patch(first, json={"active": True}).status_code == 200


def test_a_refused_configuration_leaves_nothing_behind(alice: TestClient) -> None:
    for _ in range(3):
        create(alice, active=True)
    assert len(alice.get(URL).json()["items"]) == 2


def test_two_users_never_see_each_others_data(alice: TestClient, bob: TestClient) -> None:
    location = create(alice, name="secret").headers["location"]
    create(alice)
    cursor = alice.get(URL, params={"limit": 1}).json()["next_cursor"]
    for response in (bob.get(location), bob.delete(location), bob.patch(location, json={"name": "x"})):
        assert_problem(response, 404, "configuration-not-found")
        assert "secret" not in response.text
    assert bob.get(URL).json()["items"] == []
    assert bob.get(URL, params={"cursor": cursor}).json()["items"] == []
    assert alice.get(location).json()["name"] == "secret"


@pytest.mark.parametrize("user", ["alice#", "USER#alice", "alice/CONFIGURATION"])
def test_a_user_id_cannot_be_shaped_into_another_partition(api: TestClient, user: str) -> None:
    assert_problem(api.get(URL, headers={"X-User-ID": user}), 401, "unauthenticated")


def test_the_limit_holds_when_requests_race(app: FastAPI) -> None:
    racers = 8
    barrier = threading.Barrier(racers)

    def race(_: int) -> int:
        with TestClient(app, headers={"X-User-ID": "racer"}) as client:
            barrier.wait(30)
            return create(client, active=True).status_code

    with ThreadPoolExecutor(racers) as pool:
        statuses = sorted(pool.map(race, range(racers)))
    assert statuses == [201, 201] + [409] * 6


def test_one_of_the_racing_conditional_patches_wins(app: FastAPI, alice: TestClient) -> None:
    location = create(alice).headers["location"]
    racers = 6
    barrier = threading.Barrier(racers)

    def race(number: int) -> int:
        with TestClient(app, headers={"X-User-ID": "alice", "If-Match": '"1"'}) as client:
            barrier.wait(30)
            return client.patch(location, json={"name": f"n{number}"}).status_code

    with ThreadPoolExecutor(racers) as pool:
        statuses = sorted(pool.map(race, range(racers)))
    assert statuses == [200] + [412] * 5
    assert alice.get(location).headers["etag"] == '"2"'


def test_racing_patches_without_if_match_lose_no_field(app: FastAPI, alice: TestClient) -> None:
    location = create(alice).headers["location"]
    bodies = [{"name": "New"}, {"tickers": ["MSFT"]}, {"active": True}]
    barrier = threading.Barrier(len(bodies))

    def race(body: dict[str, Any]) -> int:
        with TestClient(app, headers={"X-User-ID": "alice"}) as client:
            barrier.wait(30)
            return client.patch(location, json=body).status_code

    with ThreadPoolExecutor(len(bodies)) as pool:
        assert list(pool.map(race, bodies)) == [200, 200, 200]
    document = alice.get(location).json()
    assert (document["name"], document["tickers"], document["active"]) == ("New", ["MSFT"], True)
    assert document["version"] == 4
