"""The feed of updates: a page hears of a change while its stream is open, on Lambda and in development.

The order of events is the proof that it streams: the page acts when it has the first event, and a later one
tells of what it did.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from tests.e2e.conftest import Target

CONFIGURATIONS = "/api/v2/configurations"
FUNCTION, ALIAS = "sse", "live"

# Not a skip: a suite that skips proves nothing.
WAYS = ("url", *(["development"] if os.environ.get("E2E_DEV_URL") else []))


@contextmanager
def _by_url(target: Target, path: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
    """A signed request to the function URL, at the endpoint of an emulator if there is one."""
    client = target.session.client("lambda")
    url = client.get_function_url_config(FunctionName=FUNCTION, Qualifier=ALIAS)["FunctionUrl"]
    request = AWSRequest("GET", url.rstrip("/") + path, headers=headers)
    SigV4Auth(target.session.get_credentials(), "lambda", target.session.region_name).add_auth(request)
    base = os.environ.get("AWS_ENDPOINT_URL") or url
    sent = {**dict(request.headers.items()), "Host": httpx.URL(url).netloc.decode()}
    with (
        httpx.Client(base_url=base, timeout=30, trust_env=False) as page,
        page.stream("GET", path, headers=sent) as response,
    ):
        yield response


def _names(lines: Iterator[str]) -> list[str]:
    """The names of the configurations that the next event tells."""
    line = next(line for line in lines if line.startswith("data: "))
    return [item["name"] for item in json.loads(line.removeprefix("data: "))["configurations"]]


@contextmanager
def _in_development(path: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
    with (
        httpx.Client(base_url=os.environ["E2E_DEV_URL"], timeout=30, trust_env=False) as page,
        page.stream("GET", path, headers=headers) as response,
    ):
        yield response


@pytest.mark.parametrize("way", WAYS)
def test_a_page_hears_of_its_own_change(
    api: httpx.Client, target: Target, user: dict[str, str], way: str
) -> None:
    path = "/updates?limit=2"
    with _by_url(target, path, user) if way == "url" else _in_development(path, user) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        assert _names(lines) == []
        created = api.post(CONFIGURATIONS, headers=user, json={"name": "Heard", "tickers": ["AAPL"]})
        assert created.status_code == 201
        assert _names(lines) == ["Heard"]
        assert not any(line.startswith("data: ") for line in lines)
