from collections.abc import Iterator

import pytest

from understudy.manifests.model import Json
from understudy.reconcile.services import rest_patches


def cases() -> Iterator[tuple[str, str, Json, Json, list[dict[str, str]]]]:
    """Kind, field, desired, observed, and the operations between them."""
    yield "RestAPI", "description", "b", "a", [{"op": "replace", "path": "/description", "value": "b"}]
    yield "RestAPI", "policy", None, "{}", [{"op": "replace", "path": "/policy", "value": ""}]
    yield "RestAPI", "minimumCompressionSize", None, 9, [{"op": "replace", "path": "/minimumCompressionSize"}]
    yield (
        "RestAPI",
        "disableExecuteAPIEndpoint",
        False,
        True,
        [{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "false"}],
    )
    yield (
        "RestAPI",
        "binaryMediaTypes",
        ["image/png", "a~b"],
        ["text/css", "image/png"],
        [
            {"op": "remove", "path": "/binaryMediaTypes/text~1css"},
            {"op": "add", "path": "/binaryMediaTypes/a~0b"},
        ],
    )
    yield (
        "RestAPI",
        "endpointConfiguration",
        {"types": ["PRIVATE"], "vpcEndpointIDs": ["vpce-1"]},
        {"types": ["REGIONAL"], "ipAddressType": "ipv4"},
        [
            {"op": "replace", "path": "/endpointConfiguration/types/0", "value": "PRIVATE"},
            {"op": "add", "path": "/endpointConfiguration/vpcEndpointIds", "value": "vpce-1"},
        ],
    )
    yield (
        "RestIntegration",
        "tlsConfig",
        None,
        {"insecureSkipVerification": True},
        [{"op": "replace", "path": "/tlsConfig/insecureSkipVerification", "value": "false"}],
    )
    yield (
        "Method",
        "requestParameters",
        {"a": True, "b": True},
        {"a": False, "c": True},
        [
            {"op": "remove", "path": "/requestParameters/c"},
            {"op": "replace", "path": "/requestParameters/a", "value": "true"},
            {"op": "add", "path": "/requestParameters/b", "value": "true"},
        ],
    )
    yield (
        "RestStage",
        "variables",
        {"new": "1", "same": "2"},
        {"same": "2"},
        [{"op": "replace", "path": "/variables/new", "value": "1"}],
    )


@pytest.mark.parametrize(("kind", "name", "wanted", "have", "expected"), list(cases()))
def test_field_becomes_operations(
    kind: str, name: str, wanted: Json, have: Json, expected: list[dict[str, str]]
) -> None:
    desired = {} if wanted is None else {name: wanted}
    assert rest_patches.operations(kind, desired, {name: have}, {name}) == expected


def test_operations_follow_the_names_of_fields() -> None:
    wanted: dict[str, Json] = {"name": "n", "description": "d"}
    found = rest_patches.operations("RestAPI", wanted, {}, ("name", "description"))
    assert [one["path"] for one in found] == ["/description", "/name"]
