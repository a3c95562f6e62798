"""What the platform promises of the function behind the API: the digest, its logs, its cold start."""

import contextlib
import json
import re
import time

import httpx

from tests.e2e.conftest import Target

_INIT = re.compile(r"Init Duration: ([0-9.]+) ms")
_BROKEN = (
    "Runtime.ImportModuleError",
    "Runtime.HandlerNotFound",
    "Runtime.ExitError",
    "Unable to import module",
)
_COLD_START_LIMIT_MS = 15_000
_WITHIN_S = 120.0


def _messages(target: Target, *kinds: str) -> list[str]:
    """The function's log, once it has a line of every kind: lines come a while after the answer."""
    client = target.session.client("logs")
    pages = client.get_paginator("filter_log_events")
    deadline = time.monotonic() + _WITHIN_S
    while True:
        found: list[str] = []
        # The group may come with its first line.
        with contextlib.suppress(client.exceptions.ResourceNotFoundException):
            for page in pages.paginate(logGroupName=f"/aws/lambda/{target.function}"):
                found += [event["message"] for event in page["events"]]
        missing = [kind for kind in kinds if not any(re.search(kind, message) for message in found)]
        if not missing:
            return found
        assert time.monotonic() < deadline, f"no line of the log has {missing}"
        time.sleep(0.2)


def test_the_running_digest_is_the_built_one(target: Target) -> None:
    function = target.session.client("lambda").get_function(
        FunctionName=target.function, Qualifier=target.alias
    )

    assert function["Code"]["ResolvedImageUri"].endswith("@" + target.image_digest)
    assert function["Configuration"]["PackageType"] == "Image"
    assert function["Configuration"]["State"] == "Active"


def test_ecr_holds_the_digest_as_latest_and_keeps_five(target: Target) -> None:
    ecr = target.session.client("ecr")
    images = ecr.describe_images(repositoryName=target.function)["imageDetails"]
    policy = json.loads(ecr.get_lifecycle_policy(repositoryName=target.function)["lifecyclePolicyText"])

    latest = next(image for image in images if "latest" in image.get("imageTags", []))
    assert latest["imageDigest"] == target.image_digest
    assert len(latest["imageTags"]) > 1, "the git sha is missing beside latest"
    assert len(images) <= 5
    assert policy["rules"][0]["selection"]["countNumber"] == 5


def test_an_invocation_reports_itself_and_its_cold_start(api: httpx.Client, target: Target) -> None:
    assert api.get("/health").status_code == 200
    messages = _messages(target, "^START RequestId: ", "^END RequestId: ", _INIT.pattern)

    inits = [float(found[1]) for message in messages if (found := _INIT.search(message))]
    assert max(inits) < _COLD_START_LIMIT_MS


def test_the_logs_hold_no_start_up_failure(api: httpx.Client, target: Target) -> None:
    assert api.get("/health").status_code == 200
    messages = _messages(target, "^REPORT RequestId: ")

    assert [message for message in messages if any(word in message for word in _BROKEN)] == []


def test_a_plain_invoke_runs_the_same_handler(target: Target) -> None:
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/health",
        "rawQueryString": "",
        "headers": {"host": "example.com"},
        "requestContext": {
            "http": {
                "method": "GET",
                "path": "/health",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "e2e",
            },
            "stage": "$default",
            "requestId": "e2e",
        },
        "isBase64Encoded": False,
    }

    answer = target.session.client("lambda").invoke(
        FunctionName=target.function,
        Qualifier=target.alias,
        Payload=json.dumps(event).encode(),
        LogType="Tail",
    )

    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read())["statusCode"] == 200
    assert answer["ExecutedVersion"].isdigit()
