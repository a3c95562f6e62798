from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from understudy.engine.executeapi.store import ApiStore
from understudy.engine.httpapi.service import HttpApiService
from understudy.engine.protocol import ApiError, Call
from understudy.engine.state import State

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:dashboard:live"


def make_service(path: Path) -> HttpApiService:
    apis = ApiStore(State(path / "engine.sqlite").open())
    apis.open()
    return HttpApiService(apis, endpoint=lambda api_id: f"http://{api_id}.execute-api.localhost:4566")


@pytest.fixture
def call(tmp_path: Path) -> Callable[..., Any]:
    service = make_service(tmp_path)

    async def call_(operation: str, **params: Any) -> dict[str, Any]:
        return await service.operations[operation](
            Call(service="apigatewayv2", operation=operation, params=params)
        )

    return call_


async def make_api(call: Callable[..., Any]) -> tuple[str, str]:
    api_id = (await call("CreateApi", Name="dashboard", ProtocolType="HTTP"))["ApiId"]
    integration = await call(
        "CreateIntegration",
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=FUNCTION,
        PayloadFormatVersion="2.0",
    )
    return api_id, integration["IntegrationId"]


async def test_quick_create_makes_route_integration_and_stage(call: Callable[..., Any]) -> None:
    api = await call("CreateApi", Name="quick", ProtocolType="HTTP", Target=FUNCTION)

    routes = (await call("GetRoutes", ApiId=api["ApiId"]))["Items"]
    stages = (await call("GetStages", ApiId=api["ApiId"]))["Items"]
    assert [route["RouteKey"] for route in routes] == ["$default"]
    assert [(stage["StageName"], stage["AutoDeploy"]) for stage in stages] == [("$default", True)]
    assert "DeploymentId" in stages[0]


async def test_a_route_key_is_unique_in_its_api(call: Callable[..., Any]) -> None:
    api_id, integration_id = await make_api(call)
    target = f"integrations/{integration_id}"
    await call("CreateRoute", ApiId=api_id, RouteKey="GET /health", Target=target)

    with pytest.raises(ApiError) as caught:
        await call("CreateRoute", ApiId=api_id, RouteKey="GET /health", Target=target)

    assert (caught.value.code, caught.value.status) == ("ConflictException", 409)


async def test_an_integration_in_use_is_not_deleted(call: Callable[..., Any]) -> None:
    api_id, integration_id = await make_api(call)
    await call("CreateRoute", ApiId=api_id, RouteKey="$default", Target=f"integrations/{integration_id}")

    with pytest.raises(ApiError, match="ConflictException"):
        await call("DeleteIntegration", ApiId=api_id, IntegrationId=integration_id)


async def test_apis_of_another_account_are_not_seen(tmp_path: Path) -> None:
    service = make_service(tmp_path)
    create = Call(service="apigatewayv2", operation="CreateApi", params={"Name": "a", "ProtocolType": "HTTP"})
    api_id = (await service.operations["CreateApi"](create))["ApiId"]
    other = Call(
        service="apigatewayv2", operation="GetApi", params={"ApiId": api_id}, account_id="111111111111"
    )

    with pytest.raises(ApiError, match=f"Invalid API identifier specified 111111111111:{api_id}"):
        await service.operations["GetApi"](other)


async def test_every_document_survives_a_restart(tmp_path: Path) -> None:
    service = make_service(tmp_path)

    async def call(operation: str, **params: Any) -> dict[str, Any]:
        return await service.operations[operation](
            Call(service="apigatewayv2", operation=operation, params=params)
        )

    api = await call("CreateApi", Name="quick", ProtocolType="HTTP", Target=FUNCTION, Tags={"a": "b"})
    before = [(await call(f"Get{kind}s", ApiId=api["ApiId"])) for kind in ("Route", "Stage", "Deployment")]
    service = make_service(tmp_path)

    assert await call("GetApi", ApiId=api["ApiId"]) == api
    after = [(await call(f"Get{kind}s", ApiId=api["ApiId"])) for kind in ("Route", "Stage", "Deployment")]
    assert after == before


async def test_tags_are_kept_by_arn(call: Callable[..., Any]) -> None:
    api_id, _ = await make_api(call)
    arn = f"arn:aws:apigateway:us-east-1::/apis/{api_id}"

    await call("TagResource", ResourceArn=arn, Tags={"team": "web", "old": "1"})
    await call("UntagResource", ResourceArn=arn, TagKeys=["old"])

    assert await call("GetTags", ResourceArn=arn) == {"Tags": {"team": "web"}}


async def test_lists_are_paginated(call: Callable[..., Any]) -> None:
    for name in "abc":
        await call("CreateApi", Name=name, ProtocolType="HTTP")

    first = await call("GetApis", MaxResults="2")
    second = await call("GetApis", MaxResults="2", NextToken=first["NextToken"])

    assert [item["Name"] for item in first["Items"] + second["Items"]] == ["a", "b", "c"]
    assert "NextToken" not in second


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        ("CreateApi", {"Name": "ws", "ProtocolType": "WEBSOCKET"}, "HTTP APIs only"),
        (
            "CreateApi",
            {
                "Name": "x",
                "ProtocolType": "HTTP",
                "CorsConfiguration": {"AllowCredentials": True, "AllowOrigins": ["*"]},
            },
            "allow-credentials is not supported",
        ),
        (
            "CreateIntegration",
            {"IntegrationType": "MOCK", "IntegrationUri": "http://x"},
            "AWS_PROXY",
        ),
        (
            "CreateIntegration",
            {"IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION, "TimeoutInMillis": 31_000},
            "Timeout should be between 50 ms and 30000 ms",
        ),
        (
            "CreateIntegration",
            {
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": FUNCTION,
                "RequestParameters": {"set:header.x": "1"},
            },
            "Invalid mapping expression",
        ),
        ("CreateAuthorizer", {"Name": "a", "AuthorizerType": "JWT", "IdentitySource": []}, "Issuer"),
        (
            "CreateAuthorizer",
            {"Name": "a", "AuthorizerType": "REQUEST", "IdentitySource": ["$request.body"]},
            "Invalid mapping expression specified: \\$request.body",
        ),
        (
            "CreateAuthorizer",
            {"Name": "a", "AuthorizerType": "REQUEST", "AuthorizerUri": FUNCTION},
            "AuthorizerPayloadFormatVersion is a required",
        ),
        (
            "CreateStage",
            {"StageName": "s", "AccessLogSettings": {"DestinationArn": "arn:aws:firehose:x", "Format": "x"}},
            "log groups only",
        ),
        ("CreateRoute", {"RouteKey": "nonsense"}, "not formatted properly"),
        ("CreateRoute", {"RouteKey": "$default", "Target": "integrations/none"}, "Invalid Integration"),
        ("CreateRoute", {"RouteKey": "$default", "AuthorizationType": "JWT"}, "AuthorizationType JWT"),
    ],
)
async def test_refuses_by_name(
    call: Callable[..., Any], operation: str, params: dict[str, Any], message: str
) -> None:
    api_id, _ = await make_api(call)
    scope = {} if operation == "CreateApi" else {"ApiId": api_id}

    with pytest.raises(ApiError, match=message):
        await call(operation, **scope, **params)


async def test_stage_loses_what_it_is_told_to_and_keeps_the_rest(call: Callable[..., Any]) -> None:
    api_id, _ = await make_api(call)
    where = {"ApiId": api_id, "StageName": "live"}
    await call(
        "CreateStage",
        **where,
        StageVariables={"a": "1", "b": "2"},
        RouteSettings={"GET /a": {"ThrottlingBurstLimit": 1}, "GET /b": {"ThrottlingBurstLimit": 2}},
        AccessLogSettings={
            "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:l",
            "Format": "$context.requestId",
        },
    )
    await call("UpdateStage", **where, StageVariables={"a": "", "c": "3"})
    await call("DeleteRouteSettings", **where, RouteKey="GET /a")
    await call("DeleteAccessLogSettings", **where)
    stage = await call("GetStage", **where)
    assert stage["StageVariables"] == {"b": "2", "c": "3"}
    assert stage["RouteSettings"] == {"GET /b": {"ThrottlingBurstLimit": 2}}
    assert stage["AccessLogSettings"] is None
