"""A project whose function is reached through a REST API alone, deployed to a real engine."""

from pathlib import Path

import httpx
import pytest

from tests.contract import rollout_project
from tests.contract.engine_process import EngineProcess
from tests.contract.rollout_project import Shop
from tests.fakes import project as projects
from understudy.errors import UnderstudyError

# The event of an HTTP API would make it fail.
REST_ONLY = """
def handler(event, context):
    known = event["path"] == "/health" and event["requestContext"]["stage"] == "v1"
    return {"statusCode": 200 if known else 404, "body": "%s"}
"""
SICK = """
def handler(event, context):
    return {"statusCode": 503, "body": event["path"]}
"""


def behind_rest(shop: Shop, path: str) -> None:
    """Puts a REST API in the place of the HTTP API."""
    stack = shop.found.root / "deploy" / "stack.yaml"
    others = stack.read_text().partition("---\napiVersion: apigatewayv2")[0]
    allowed = others.replace("${API.shop.apiID}", "${RestAPI.shop.id}")
    stack.write_text(allowed + projects.rest_api("shop-live", path))


def test_a_release_behind_a_rest_api_is_asked_for_its_health_and_tested_there(tmp_path: Path) -> None:
    process = EngineProcess(tmp_path / "data", with_delegate=False).start()
    try:
        shop = rollout_project.make(tmp_path / "project", process.url)
        behind_rest(shop, "{proxy+}")
        shop.deploy(shop.image(REST_ONLY % "one"))
        done = shop.deploy(shop.image(REST_ONLY % "two"))

        checks = {one.name: one.outcome for one in done.checks}
        assert (checks["GET /health"], checks["GET /ready"]) == ("passed", "skipped")
        api, path = done.deployed.api()
        assert path == "/v1"
        url = f"{process.url}/_aws/execute-api/{api}{path}/health"
        assert httpx.get(url, timeout=30, trust_env=False).text == "two"

        suite = shop.understudy("e2e", "--target", "local", "-q")
        assert suite.returncode == 0, suite.stdout + suite.stderr
        assert f"{api}" in suite.stderr.splitlines()[0]
        assert suite.stderr.splitlines()[0].endswith("/v1")

        with pytest.raises(UnderstudyError, match=r"answers GET /health with 503"):
            shop.deploy(shop.image(SICK))
        assert shop.live() == ("2", {})
    finally:
        process.stop()


def test_a_release_behind_single_paths_is_not_asked_for_its_health(tmp_path: Path) -> None:
    process = EngineProcess(tmp_path / "data", with_delegate=False).start()
    try:
        shop = rollout_project.make(tmp_path / "project", process.url)
        behind_rest(shop, "orders")
        done = shop.deploy(shop.image(SICK))

        assert "GET /health" not in [one.name for one in done.checks]
        api, path = done.deployed.api()
        url = f"{process.url}/_aws/execute-api/{api}{path}/orders"
        assert httpx.get(url, timeout=30, trust_env=False).text == "/orders"
        told = shop.understudy("e2e", "--target", "local", "-q")
        assert f"/{api}/v1" in told.stderr or f"{api}.execute-api" in told.stderr, told.stderr
    finally:
        process.stop()
