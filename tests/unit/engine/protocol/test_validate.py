"""Validation says what AWS says, for the service it stands for."""

import json
from typing import Any

import pytest

from understudy.engine.protocol import codec
from understudy.engine.protocol.call import ApiError, HttpRequest

GOOD = {"FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ImageUri": "x"}}
LAMBDA = [
    pytest.param(
        {**GOOD, "MemorySize": 40000},
        "1 validation error detected: Value '40000' at 'memorySize' failed to satisfy constraint: "
        "Member must have value less than or equal to 32768",
        id="range",
    ),
    pytest.param(
        {"FunctionName": "f", "Code": {}},
        "1 validation error detected: Value null at 'role' failed to satisfy constraint: "
        "Member must not be null",
        id="required",
    ),
    pytest.param(
        {**GOOD, "PackageType": "Jar"},
        "1 validation error detected: Value 'Jar' at 'packageType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [Zip, Image]",
        id="enumeration",
    ),
    pytest.param(
        {**GOOD, "Timeout": 0, "EphemeralStorage": {"Size": 1}},
        "2 validation errors detected: Value '0' at 'timeout' failed to satisfy constraint: Member must have "
        "value greater than or equal to 1; Value '1' at 'ephemeralStorage.size' failed to satisfy "
        "constraint: Member must have value greater than or equal to 512",
        id="two-and-nested",
    ),
    pytest.param(
        {**GOOD, "Environment": {"Variables": {"1A": "x"}}},
        "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map key "
        "must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
        id="map-key-of-a-secret",
    ),
]


def _create(document: dict[str, Any]) -> ApiError:
    request = HttpRequest(method="POST", path="/2015-03-31/functions", body=json.dumps(document).encode())
    with pytest.raises(ApiError) as caught:
        codec.codec("lambda").parse(request)
    return caught.value


@pytest.mark.parametrize(("document", "message"), LAMBDA)
def test_lambda_counts_its_validation_errors(document: dict[str, Any], message: str) -> None:
    error = _create(document)
    assert (error.code, error.message) == ("ValidationException", message)


def _json_call(service: str, target: str, document: dict[str, Any]) -> ApiError:
    request = HttpRequest(
        method="POST", path="/", headers={"x-amz-target": target}, body=json.dumps(document).encode()
    )
    with pytest.raises(ApiError) as caught:
        codec.codec(service).parse(request)
    return caught.value


def test_ecr_names_the_first_invalid_parameter() -> None:
    error = _json_call("ecr", "E.CreateRepository", {"repositoryName": "A"})
    assert error.code == "InvalidParameterException"
    assert error.message.startswith(
        "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must have length greater"
    )
    error = _json_call("ecr", "E.CreateRepository", {"repositoryName": "AAA"})
    assert error.message == (
        "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular "
        r"expression '[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*''"
    )


def test_logs_counts_under_its_own_name() -> None:
    error = _json_call("logs", "L.CreateLogGroup", {"logGroupName": "a b"})
    assert error.code == "InvalidParameterException"
    assert error.message == (
        "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member "
        "must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
    )


def test_items_are_counted_from_one() -> None:
    error = _json_call(
        "ecr", "E.TagResource", {"resourceArn": "arn", "tags": [{"Key": "k", "Value": "v"}, {}]}
    )
    assert "'tags.2.member.key'" in error.message


def test_accepts_what_fits() -> None:
    request = HttpRequest(method="POST", path="/2015-03-31/functions", body=json.dumps(GOOD).encode())
    assert codec.codec("lambda").parse(request).params == GOOD
