"""One suite for every target. It knows an HTTP URL, a function name and an AWS session, and nothing else.

The target's values come from the environment; ``understudy e2e --target NAME`` sets them, for any target:

- ``E2E_API_URL``: base URL of the HTTP API;
- ``E2E_FUNCTION``: function and alias that serve it, ``dashboard:live`` unless told otherwise;
- ``E2E_IMAGE_DIGEST``: the digest that should be running;
- the AWS SDK's own variables (``AWS_ENDPOINT_URL``, ``AWS_REGION``, credentials).
"""

import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import httpx
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--target", help="where the stack under test runs, as understudy.yaml calls it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the stack under test answers."""

    name: str
    api_url: str
    function: str
    alias: str
    image_digest: str
    session: boto3.Session
    started_ms: int


def _required(name: str, target: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.exit(f"{name} is not set: run ./understudy e2e --target {target}, which sets it", returncode=3)
    return value


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    name = request.config.getoption("--target")
    if name is None:
        pytest.exit("tests/e2e needs a target: run ./understudy e2e --target NAME", returncode=4)
    function, _, alias = os.environ.get("E2E_FUNCTION", "dashboard:live").partition(":")
    return Target(
        name=name,
        api_url=_required("E2E_API_URL", name).rstrip("/"),
        function=function,
        alias=alias,
        image_digest=_required("E2E_IMAGE_DIGEST", name),
        session=boto3.Session(),
        started_ms=int(time.time() * 1000),
    )


@pytest.fixture(scope="session")
def api(target: Target) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=target.api_url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def user() -> dict[str, str]:
    """Headers of a user that nobody else is."""
    return {"X-User-ID": f"e2e-{uuid.uuid4()}"}
