"""What a user of the dashboard relies on, over HTTP."""

import threading

import httpx
import pytest

CONFIGURATIONS = "/api/v2/configurations"
NEW = {"name": "Tech", "tickers": ["AAPL", "MSFT"]}


def test_health_answers_with_version_and_commit_within_two_seconds(api: httpx.Client) -> None:
    answer = api.get("/health")

    assert answer.status_code == 200
    assert {"status", "version", "git_sha"} <= answer.json().keys()
    # The owner's acceptance bound for preprod, not a benchmark.
    assert api.get("/health").elapsed.total_seconds() < 2


def test_ready_sees_table_and_bucket(api: httpx.Client) -> None:
    answer = api.get("/ready")

    assert (answer.status_code, answer.json()["checks"]) == (200, {"table": "ok", "bucket": "ok"})


def test_openapi_describes_what_is_served(api: httpx.Client) -> None:
    assert CONFIGURATIONS in api.get("/openapi.json").json()["paths"]
    assert api.get("/docs").headers["content-type"].startswith("text/html")


def test_a_request_without_user_is_unauthenticated(api: httpx.Client) -> None:
    answer = api.get(CONFIGURATIONS)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_configuration_lives_from_post_to_delete(api: httpx.Client, user: dict[str, str]) -> None:
    created = api.post(CONFIGURATIONS, headers=user, json=NEW)
    assert created.status_code == 201
    location, etag = created.headers["location"], created.headers["etag"]

    read = api.get(location, headers=user)
    assert (read.status_code, read.json()) == (200, created.json())
    assert api.get(location, headers={**user, "If-None-Match": etag}).status_code == 304

    changed = api.patch(location, headers={**user, "If-Match": etag}, json={"name": "Big Tech"})
    assert (changed.status_code, changed.json()["name"]) == (200, "Big Tech")
    assert changed.headers["etag"] != etag

    assert api.delete(location, headers=user).status_code == 204
    assert api.get(location, headers=user).status_code == 404


def test_a_stale_etag_changes_nothing(api: httpx.Client, user: dict[str, str]) -> None:
    created = api.post(CONFIGURATIONS, headers=user, json=NEW)
    location, stale = created.headers["location"], {**user, "If-Match": created.headers["etag"]}
    assert api.patch(location, headers=stale, json={"name": "First"}).status_code == 200

    refused = api.patch(location, headers=stale, json={"name": "Second"})

    assert refused.status_code == 412
    assert api.get(location, headers=user).json()["name"] == "First"


def test_at_most_two_configurations_are_active_however_many_ask_at_once(
    api: httpx.Client, user: dict[str, str]
) -> None:
    statuses: list[int] = []

    def create() -> None:
        statuses.append(api.post(CONFIGURATIONS, headers=user, json=NEW).status_code)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [201, 201, 409, 409, 409, 409]
    listed = api.get(CONFIGURATIONS, headers=user).json()["items"]
    assert [item["active"] for item in listed] == [True, True]


def test_a_list_is_read_page_by_page(api: httpx.Client, user: dict[str, str]) -> None:
    ids = [
        api.post(CONFIGURATIONS, headers=user, json={**NEW, "active": False}).json()["id"] for _ in range(5)
    ]

    read: list[str] = []
    cursor: str | None = None
    while True:
        query: dict[str, str | int] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = api.get(CONFIGURATIONS, headers=user, params=query).json()
        read += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert read == ids


def test_two_users_never_see_each_others_configurations(api: httpx.Client, user: dict[str, str]) -> None:
    location = api.post(CONFIGURATIONS, headers=user, json=NEW).headers["location"]
    other = {"X-User-ID": user["X-User-ID"] + "-other"}

    assert api.get(CONFIGURATIONS, headers=other).json()["items"] == []
    assert api.get(location, headers=other).status_code == 404
    assert api.patch(location, headers=other, json={"name": "Mine"}).status_code == 404
    assert api.delete(location, headers=other).status_code == 404
    assert api.get(location, headers=user).status_code == 200


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"name": "x", "tickers": ["AAPL", "NOSUCHTICKER"]}, "NOSUCHTICKER"),
        ({"name": "x", "tickers": []}, "/tickers"),
        ({"name": "x", "tickers": ["AAPL", "MSFT", "GOOGL", "AMZN", "NVDA", "META"]}, "/tickers"),
        ({"tickers": ["AAPL"]}, "/name"),
    ],
    ids=["unknown ticker", "no ticker", "six tickers", "no name"],
)
def test_an_invalid_configuration_is_refused_by_name(
    api: httpx.Client, user: dict[str, str], body: dict[str, object], named: str
) -> None:
    answer = api.post(CONFIGURATIONS, headers=user, json=body)

    assert answer.status_code == 422
    assert named in answer.text


def test_tickers_are_searched_and_validated(api: httpx.Client) -> None:
    found = api.get("/api/v2/tickers/search", params={"q": "apple", "limit": 3}).json()["items"]
    known = api.get("/api/v2/tickers/validate", params={"symbol": "aapl"}).json()
    unknown = api.get("/api/v2/tickers/validate", params={"symbol": "NOSUCHTICKER"}).json()

    assert "AAPL" in [ticker["symbol"] for ticker in found]
    assert (known["symbol"], known["valid"]) == ("AAPL", True)
    assert unknown["valid"] is False


def test_an_unknown_path_is_the_apps_own_problem_document(api: httpx.Client) -> None:
    answer = api.get("/no/such/path")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
