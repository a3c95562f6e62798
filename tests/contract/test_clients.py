"""The tools that users have already, unchanged, against a whole running stack."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract import stack_project
from tests.contract.stack_project import StackProject
from tests.tools import require_docker, require_tool

HEALTH_EVENT = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/health",
    "rawQueryString": "",
    "headers": {"host": "localhost"},
    "requestContext": {
        "http": {
            "method": "GET",
            "path": "/health",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "awslocal",
        },
        "stage": "$default",
        "requestId": "awslocal",
    },
    "isBase64Encoded": False,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> StackProject:
    return stack_project.copy(tmp_path_factory.mktemp("clients") / "project")


@pytest.fixture(scope="module")
def running(project: StackProject) -> Iterator[dict[str, Any]]:
    yield project.up("--no-watch", "--no-dev")
    project.understudy("down")


def _run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def _awslocal(project: StackProject, *arguments: str) -> str:
    return _run(
        str(Path(sys.executable).parent / "awslocal"),
        *arguments,
        LOCALSTACK_HOST=f"localhost:{project.port}",
        AWS_DEFAULT_REGION="us-east-1",
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    )


def test_awslocal_invokes_the_function(
    project: StackProject, running: dict[str, Any], tmp_path: Path
) -> None:
    answer = tmp_path / "answer.json"

    told = _awslocal(
        project,
        *("lambda", "invoke", "--function-name", "dashboard", "--qualifier", "live"),
        *("--payload", json.dumps(HEALTH_EVENT), str(answer)),
    )

    assert '"StatusCode": 200' in told
    assert json.loads(answer.read_text())["statusCode"] == 200


def test_awslocal_sees_the_image_in_ecr(project: StackProject, running: dict[str, Any]) -> None:
    told = _awslocal(project, "ecr", "describe-images", "--repository-name", "dashboard", "--output", "json")

    images = json.loads(told[told.index("{") :])["imageDetails"]
    assert running["image_digest"] in [image["imageDigest"] for image in images]


def test_awslocal_puts_a_rest_api_before_the_function(project: StackProject, running: dict[str, Any]) -> None:
    def gateway(operation: str, *arguments: str) -> Any:
        told = _awslocal(project, "apigateway", operation, *arguments, "--output", "json")
        return json.loads(told[told.index("{") :])

    api = gateway("create-rest-api", "--name", "dashboard")
    where = ("--rest-api-id", api["id"])
    proxy = gateway(
        *("create-resource", *where, "--parent-id", api["rootResourceId"], "--path-part", "{proxy+}")
    )
    method = (*where, "--resource-id", proxy["id"], "--http-method", "ANY")
    gateway("put-method", *method, "--authorization-type", "NONE")
    alias = "arn:aws:lambda:us-east-1:000000000000:function:dashboard:live"
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{alias}/invocations"
    role = "arn:aws:iam::000000000000:role/gateway"
    target = ("--type", "AWS_PROXY", "--integration-http-method", "POST", "--uri", uri)
    gateway("put-integration", *method, *target, "--credentials", role)
    gateway("create-deployment", *where, "--stage-name", "prod")

    base = f"http://localhost:{project.port}/restapis/{api['id']}/prod/_user_request_"
    health = httpx.get(f"{base}/health", trust_env=False, timeout=60)
    docs = httpx.get(f"{base}/docs", trust_env=False, timeout=60)

    assert (health.status_code, health.json()["status"]) == (200, "ok")
    assert "'/prod/openapi.json'" in docs.text
    assert (
        httpx.get(f"{base}/nothing", trust_env=False, timeout=60).headers["content-type"]
        == "application/problem+json"
    )


def test_docker_pulls_runs_and_pushes_the_same_digest(project: StackProject, running: dict[str, Any]) -> None:
    docker = require_docker()
    name = f"localhost:{project.port}/dashboard"
    try:
        _run(docker, "pull", "--quiet", f"{name}@{running['image_digest']}")
        told = _run(
            docker,
            *("run", "--rm", "--network", "none", "--entrypoint", "python3"),
            *(f"{name}@{running['image_digest']}", "-c", "import handler; print(handler.lambda_handler)"),
        )
        _run(docker, "tag", f"{name}@{running['image_digest']}", f"{name}:copy")
        pushed = _run(docker, "push", f"{name}:copy")
    finally:
        subprocess.run([docker, "rmi", "--force", f"{name}:copy"], capture_output=True, check=False)

    assert "lambda_handler" in told
    assert "Layer already exists" in pushed
    tags = json.loads(_run(require_tool("skopeo"), "list-tags", "--tls-verify=false", f"docker://{name}"))
    assert "copy" in tags["Tags"]


def test_skopeo_copies_byte_for_byte(project: StackProject, running: dict[str, Any], tmp_path: Path) -> None:
    source = f"docker://localhost:{project.port}/dashboard@{running['image_digest']}"

    _run(
        require_tool("skopeo"),
        *("--insecure-policy", "copy", "--src-tls-verify=false", "--preserve-digests"),
        *(source, f"oci:{tmp_path}/layout:copy"),
    )

    index = json.loads((tmp_path / "layout" / "index.json").read_text())
    assert index["manifests"][0]["digest"] == running["image_digest"]
