"""What the platform promises of the function behind the API: the digest, its logs, its cold start."""

import json
import re

import httpx

from tests.e2e.conftest import Target

_REPORT_INIT = re.compile(r"Init Duration: ([0-9.]+) ms")
_BROKEN = (
    "Runtime.ImportModuleError",
    "Runtime.HandlerNotFound",
    "Runtime.ExitError",
    "Unable to import module",
)
_COLD_START_LIMIT_MS = 15_000


def _messages(target: Target, pattern: str = "") -> list[str]:
    pages = target.session.client("logs").get_paginator("filter_log_events")
    group = f"/aws/lambda/{target.function}"
    return [
        event["message"]
        for page in pages.paginate(logGroupName=group, filterPattern=pattern)
        for event in page["events"]
    ]


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
    messages = _messages(target)

    assert any(message.startswith("START RequestId: ") for message in messages)
    assert any(message.startswith("END RequestId: ") for message in messages)
    inits = [float(found[1]) for message in messages if (found := _REPORT_INIT.search(message))]
    assert inits, "no REPORT line with an Init Duration"
    assert max(inits) < _COLD_START_LIMIT_MS


def test_the_logs_hold_no_start_up_failure(api: httpx.Client, target: Target) -> None:
    assert api.get("/health").status_code == 200
    messages = _messages(target)

    assert messages
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
