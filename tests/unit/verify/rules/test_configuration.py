"""What AWS refuses of a function's configuration."""

import json
from typing import Any

import pytest

from tests.fakes import image_files as fake
from understudy.verify.model import Finding, Severity
from understudy.verify.rules import configuration

HANDLER = f"{fake.TASK}/handler.py"
BAD = (
    "InvalidParameterValueException: Lambda was unable to configure your environment variables because the "
    "environment variables you have provided"
)


def check(**launch: Any) -> list[Finding]:
    return list(configuration.check(fake.subject({HANDLER: ""}, **launch)))


def loud(**launch: Any) -> list[Finding]:
    return [finding for finding in check(**launch) if finding.severity is not Severity.INFO]


def variables(size: int) -> dict[str, str]:
    """A variables object that measures `size` bytes as Lambda measures it."""
    return {"NAME": "x" * (size - len(json.dumps({"NAME": ""}, separators=(",", ":"))))}


@pytest.mark.parametrize(
    "launch",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"function_env": variables(4096)}, id="exactly-4-KB"),
        pytest.param({"function_env": {"A1": "", "Db_Url": "x"}}, id="names"),
        pytest.param({"image_env": {**fake.AWS_ENV, "BIG": "x" * 9000}}, id="big-image-variables"),
        pytest.param({"memory_mb": 10240, "timeout_s": 900, "ephemeral_mb": 10240}, id="upper-limits"),
        pytest.param({"memory_mb": 128, "timeout_s": 1, "ephemeral_mb": 512}, id="lower-limits"),
        pytest.param({"snap_start": True}, id="snapstart-on-the-aws-base"),
    ],
)
def test_good(launch: dict[str, Any]) -> None:
    assert loud(**launch) == []


def test_variables_above_4_kb() -> None:
    (finding,) = loud(function_env={**variables(4090), "TOKEN": "secret"})
    assert (finding.rule, finding.severity) == ("environment-too-large", Severity.FAILS)
    assert finding.aws_text == (
        f'{BAD} exceeded the 4KB limit. String measured: {{"NAME":"...","TOKEN":"..."}}'
    )
    assert finding.fix == "move NAME to Secrets Manager or SSM Parameter Store"
    assert "secret" not in f"{finding}"


def test_characters_are_measured_in_bytes() -> None:
    assert loud(function_env={"NAME": "é" * 2100})[0].rule == "environment-too-large"


def test_reserved_keys() -> None:
    (finding,) = loud(function_env={"AWS_REGION": "x", "OK": "x", "_HANDLER": "x"})
    assert (finding.rule, finding.severity) == ("environment-reserved-key", Severity.FAILS)
    assert finding.aws_text == (
        f"{BAD} contains reserved keys that are currently not supported for modification. "
        "Reserved keys used in this request: AWS_REGION, _HANDLER"
    )
    assert [place.path for place in finding.places] == [
        "Environment.Variables.AWS_REGION",
        "Environment.Variables._HANDLER",
    ]


@pytest.mark.parametrize("name", ["X", "1A", "_A", "A-B", "A.B", ""])
def test_names_that_lambda_does_not_take(name: str) -> None:
    (finding,) = loud(function_env={name: "secret"})
    assert (finding.rule, finding.severity) == ("environment-name-invalid", Severity.FAILS)
    assert finding.aws_text.startswith(
        f"ValidationException: 1 validation error detected: Value '{{{name}=...}}' at "
        "'environment.variables' failed to satisfy constraint: "
    )
    assert "secret" not in f"{finding}"


def test_variables_of_the_image_that_lambda_overwrites_are_information() -> None:
    findings = check(image_env={**fake.AWS_ENV, "AWS_ACCESS_KEY_ID": "x", "HOME": "/tmp"})
    (finding,) = [item for item in findings if item.rule == "environment-overwritten"]
    assert finding.severity is Severity.INFO
    assert finding.message == "ENV AWS_ACCESS_KEY_ID of the image does not reach the function"


@pytest.mark.parametrize(
    ("launch", "member", "bound", "value"),
    [
        ({"memory_mb": 64}, "memorySize", "greater than or equal to 128", "64"),
        ({"memory_mb": 20_000}, "memorySize", "less than or equal to 10240", "20000"),
        ({"timeout_s": 1000}, "timeout", "less than or equal to 900", "1000"),
        ({"ephemeral_mb": 100}, "ephemeralStorage.size", "greater than or equal to 512", "100"),
    ],
)
def test_limits(launch: dict[str, Any], member: str, bound: str, value: str) -> None:
    (finding,) = loud(**launch)
    assert (finding.rule, finding.severity) == ("function-limit", Severity.FAILS)
    assert finding.aws_text == (
        f"ValidationException: 1 validation error detected: Value '{value}' at '{member}' failed to satisfy "
        f"constraint: Member must have value {bound}"
    )


CLIENT = ("/var/lang/bin/python3.13", "-m", "awslambdaric")
LABEL = {"com.amazonaws.lambda.feature.snapstart": "Allow"}


@pytest.mark.parametrize(
    ("launch", "rule", "severity"),
    [
        pytest.param({}, "snapstart-eligible", Severity.INFO, id="could"),
        pytest.param({"snap_start": True}, None, None, id="does"),
        pytest.param({"entrypoint": CLIENT}, "snapstart-unsupported", Severity.INFO, id="could-not"),
        pytest.param(
            {"entrypoint": CLIENT, "snap_start": True},
            "snapstart-unsupported",
            Severity.FAILS,
            id="other-base",
        ),
        pytest.param(
            {"entrypoint": CLIENT, "snap_start": True, "config": {"labels": LABEL}},
            None,
            None,
            id="other-base-with-label",
        ),
        pytest.param(
            {"ephemeral_mb": 1024, "snap_start": True},
            "snapstart-unsupported",
            Severity.FAILS,
            id="large-tmp",
        ),
    ],
)
def test_snapstart(launch: dict[str, Any], rule: str | None, severity: Severity | None) -> None:
    found = [(item.rule, item.severity) for item in check(**launch)]
    assert found == ([(rule, severity)] if rule else [])


def test_rules_are_complete() -> None:
    assert len({rule.id for rule in configuration.RULES}) == len(configuration.RULES)
    assert all(rule.why and rule.fix and rule.link.startswith("https://") for rule in configuration.RULES)
