from typing import Any

import pytest

from understudy.engine.protocol import ApiError
from understudy.engine.restapi import patches


def patch(op: str, path: str, value: str | None = None) -> dict[str, str]:
    return {"op": op, "path": path, **({} if value is None else {"value": value})}


@pytest.mark.parametrize(
    ("fields", "before", "operation", "after"),
    [
        (patches.REST_API, {"name": "a"}, patch("replace", "/name", "b"), {"name": "b"}),
        (patches.REST_API, {"policy": "x"}, patch("replace", "/policy", ""), {}),
        (
            patches.REST_API,
            {},
            patch("replace", "/minimumCompressionSize", "7"),
            {"minimumCompressionSize": 7},
        ),
        (patches.REST_API, {"minimumCompressionSize": 7}, patch("replace", "/minimumCompressionSize"), {}),
        (
            patches.REST_API,
            {"endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"}},
            patch("replace", "/endpointConfiguration/types/0", "REGIONAL"),
            {"endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "ipv4"}},
        ),
        (
            patches.REST_API,
            {"binaryMediaTypes": ["a/b"]},
            patch("add", "/binaryMediaTypes/image~1png"),
            {"binaryMediaTypes": ["a/b", "image/png"]},
        ),
        (
            patches.REST_API,
            {"binaryMediaTypes": ["image/png"]},
            patch("remove", "/binaryMediaTypes/image~1png"),
            {},
        ),
        (patches.METHOD, {}, patch("replace", "/apiKeyRequired", "true"), {"apiKeyRequired": True}),
        (
            patches.METHOD,
            {},
            patch("add", "/requestParameters/method.request.header.a", "false"),
            {"requestParameters": {"method.request.header.a": False}},
        ),
        (patches.METHOD, {}, patch("add", "/authorizationScopes", "a"), {"authorizationScopes": ["a"]}),
        (
            patches.INTEGRATION,
            {"requestTemplates": {"application/json": "{}"}},
            patch("remove", "/requestTemplates/application~1json"),
            {},
        ),
        (
            patches.STAGE,
            {"accessLogSettings": {"format": "x", "destinationArn": "y"}},
            patch("remove", "/accessLogSettings"),
            {},
        ),
        (patches.STAGE, {}, patch("replace", "/variables/a", "1"), {"variables": {"a": "1"}}),
    ],
)
def test_a_patch_changes_its_field(
    fields: patches.Fields, before: dict[str, Any], operation: dict[str, str], after: dict[str, Any]
) -> None:
    assert patches.applied(before, [operation], fields) == after


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (patch("replace", "/nothing", "x"), "Invalid patch path /nothing"),
        (patch("replace", "/rootResourceId", "x"), "Invalid patch path"),
        (patch("move", "/name", "x"), "Invalid patch operation"),
        (patch("replace", "/minimumCompressionSize", "x"), "Invalid number"),
    ],
)
def test_what_cannot_be_patched_is_refused(operation: dict[str, str], said: str) -> None:
    with pytest.raises(ApiError, match=said):
        patches.applied({"name": "a"}, [operation], patches.REST_API)


def test_the_document_that_was_given_stays_as_it_was() -> None:
    before = {"variables": {"a": "1"}}
    patches.applied(before, [patch("replace", "/variables/a", "2")], patches.STAGE)
    assert before == {"variables": {"a": "1"}}
