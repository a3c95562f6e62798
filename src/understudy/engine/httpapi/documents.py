"""The documents of HTTP APIs: their defaults, what is checked of them, how lists of them are answered; pure.

Texts and defaults as API Gateway's reference states them (apigatewayv2 API reference, "CreateApi" and so on).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from understudy.engine.executeapi import access_log, routing
from understudy.engine.executeapi.store import ApiRecord, Document, now
from understudy.engine.httpapi import authorization, mapping
from understudy.engine.protocol import ApiError, Call

LABELS = {
    "authorizer": "Authorizer",
    "integration": "Integration",
    "route": "Route",
    "stage": "Stage",
    "deployment": "Deployment",
}
IDS = {
    "authorizer": "AuthorizerId",
    "integration": "IntegrationId",
    "route": "RouteId",
    "stage": "StageName",
    "deployment": "DeploymentId",
}
_MAX_TIMEOUT_MS = 30_000
_MAX_TTL_S = 3600
_MIN_TIMEOUT_MS = 50


def identifier(record: ApiRecord, kind: str, document: Document) -> str:
    """Returns what a resource is known by within its API."""
    return record.api_id if kind == "api" else str(document[IDS[kind]])


def public(document: Document) -> Document:
    """Returns a document as operations show it, without what the data path froze."""
    return {name: value for name, value in document.items() if name != "Snapshot"}


def without_api(params: Mapping[str, Any]) -> Document:
    """Returns the members that belong to the resource itself."""
    return {name: value for name, value in params.items() if name != "ApiId"}


def merged(document: Document, changes: Document, *names: str) -> Document:
    """Returns a document with its changes; in the maps `names` an empty text takes a key away, as on AWS."""
    maps = {
        name: {key: one for key, one in ((document.get(name) or {}) | changes[name]).items() if one != ""}
        for name in names
        if changes.get(name)
    }
    return document | changes | maps


def integration_defaults() -> Document:
    """Returns an integration's members before the caller's."""
    return {"ConnectionType": "INTERNET", "PayloadFormatVersion": "1.0", "TimeoutInMillis": _MAX_TIMEOUT_MS}


def route_defaults() -> Document:
    """Returns a route's members before the caller's."""
    return {"ApiKeyRequired": False, "AuthorizationType": "NONE"}


def stage_defaults() -> Document:
    """Returns a stage's members before the caller's."""
    return {
        "AutoDeploy": False,
        "CreatedDate": now(),
        "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
        "LastUpdatedDate": now(),
        "RouteSettings": {},
        "StageVariables": {},
        "Tags": {},
    }


def check_cors(cors: Document | None) -> None:
    """Passes when a browser could follow the configuration.

    Raises:
        ApiError: BadRequestException, with AWS's text (aws/aws-cdk#9076).
    """
    if cors and cors.get("AllowCredentials") and "*" in (cors.get("AllowOrigins") or ()):
        raise bad_request("allow-credentials is not supported if 'allow-origin' is *")


def check_authorizer(record: ApiRecord, document: Document) -> None:
    """Passes when an authorizer is whole and its name is free in its API.

    Raises:
        ApiError: BadRequestException, ConflictException.
    """
    for other in record.authorizers.values():
        if other["Name"] == document["Name"] and other["AuthorizerId"] != document["AuthorizerId"]:
            raise ApiError(
                "ConflictException", f"Authorizer with name {document['Name']} already exists", status=409
            )
    wrong = [source for source in document.get("IdentitySource") or () if not authorization.is_source(source)]
    if wrong:
        raise bad_request(f"Invalid mapping expression specified: {wrong[0]}")
    if document["AuthorizerType"] == "JWT":
        configuration = document.get("JwtConfiguration") or {}
        if not configuration.get("Issuer") or len(document.get("IdentitySource") or ()) != 1:
            raise bad_request("A JWT authorizer needs JwtConfiguration with Issuer, and one IdentitySource")
        return
    if ":lambda:" not in document.get("AuthorizerUri", ""):
        raise bad_request("Invalid Authorizer URI: it names no Lambda function")
    if document.get("AuthorizerPayloadFormatVersion") not in ("1.0", "2.0"):
        raise bad_request("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer")
    if document.get("EnableSimpleResponses") and document["AuthorizerPayloadFormatVersion"] == "1.0":
        raise bad_request("EnableSimpleResponses requires AuthorizerPayloadFormatVersion 2.0")
    if not 0 <= document.get("AuthorizerResultTtlInSeconds", 0) <= _MAX_TTL_S:
        raise bad_request(f"AuthorizerResultTtlInSeconds should be between 0 and {_MAX_TTL_S}")


def check_route(record: ApiRecord, document: Document) -> None:
    """Passes when a route's key is free in its API, and what it refers to is there.

    Raises:
        ApiError: BadRequestException, ConflictException, NotFoundException.
    """
    key, kind = document["RouteKey"], document["AuthorizationType"]
    parse_route_key(key)
    for other in record.routes.values():
        if other["RouteKey"] == key and other["RouteId"] != document["RouteId"]:
            raise ApiError(
                "ConflictException", f"Route with key {key} already exists for this API", status=409
            )
    needed = {"JWT": "JWT", "CUSTOM": "REQUEST"}.get(kind)
    authorizer = record.authorizers.get(document.get("AuthorizerId", ""), {})
    if needed is not None and authorizer.get("AuthorizerType") != needed:
        raise bad_request(f"AuthorizationType {kind} needs the AuthorizerId of a {needed} authorizer")
    target = document.get("Target")
    if target is not None and target.removeprefix("integrations/") not in record.integrations:
        raise not_found("Integration", target.removeprefix("integrations/"))


def check_stage(document: Document) -> None:
    """Passes when the stage's access log can be written.

    Raises:
        ApiError: BadRequestException.
    """
    settings = document.get("AccessLogSettings") or {}
    if settings:
        access_log.check(settings.get("DestinationArn", ""), settings.get("Format", ""))


def check_integration(_: ApiRecord, document: Document) -> None:
    """Passes when understudy can run the integration; its method is filled in.

    Raises:
        ApiError: BadRequestException.
    """
    kind = document["IntegrationType"]
    uri = document.get("IntegrationUri", "")
    if kind not in ("AWS_PROXY", "HTTP_PROXY") or document.get("IntegrationSubtype"):
        raise bad_request(
            f"understudy runs integrations with Lambda (AWS_PROXY) and HTTP_PROXY only; got {kind}"
        )
    if document["ConnectionType"] != "INTERNET":
        raise bad_request(f"understudy has no VPC links; got ConnectionType {document['ConnectionType']}")
    if kind == "AWS_PROXY" and ":lambda:" not in uri:
        raise bad_request("Invalid integration URI specified: it names no Lambda function")
    if kind == "HTTP_PROXY" and not uri.startswith(("http://", "https://")):
        raise bad_request("Invalid HTTP endpoint specified for URI")
    if document["PayloadFormatVersion"] not in ("1.0", "2.0"):
        raise bad_request(f"Invalid payload format version {document['PayloadFormatVersion']}")
    mapping.check(document)
    if not _MIN_TIMEOUT_MS <= document["TimeoutInMillis"] <= _MAX_TIMEOUT_MS:
        raise bad_request(f"Timeout should be between {_MIN_TIMEOUT_MS} ms and {_MAX_TIMEOUT_MS} ms")
    document.setdefault("IntegrationMethod", "POST" if kind == "AWS_PROXY" else "ANY")


def check_unused(record: ApiRecord, kind: str, document: Document) -> None:
    """Passes when nothing refers to an authorizer, an integration or a deployment that is to go.

    Raises:
        ApiError: ConflictException.
    """
    if kind == "authorizer":
        users = [
            route["RouteKey"]
            for route in record.routes.values()
            if route.get("AuthorizerId") == document["AuthorizerId"]
            and route["AuthorizationType"] in ("JWT", "CUSTOM")
        ]
        if users:
            raise ApiError(
                "ConflictException",
                f"Cannot delete Authorizer '{document['AuthorizerId']}': route {users[0]} uses it",
                status=409,
            )
    if kind == "integration":
        users = [
            route["RouteKey"]
            for route in record.routes.values()
            if route.get("Target") == f"integrations/{document['IntegrationId']}"
        ]
        if users:
            raise ApiError(
                "ConflictException",
                f"Cannot delete Integration '{document['IntegrationId']}': route {users[0]} uses it",
                status=409,
            )
    if kind == "deployment":
        names = [
            stage["StageName"]
            for stage in record.stages.values()
            if stage.get("DeploymentId") == document["DeploymentId"]
        ]
        if names:
            raise ApiError(
                "ConflictException",
                f"Active stages pointing to this deployment must be moved or deleted: {names[0]}",
                status=409,
            )


def parse_route_key(key: str) -> None:
    """Passes when a route key is one of HTTP APIs.

    Raises:
        ApiError: BadRequestException.
    """
    try:
        routing.parse_route_key(key)
    except ValueError as exc:
        raise bad_request(
            f"The provided route key is not formatted properly for HTTP protocol. Format should be "
            f'"<HTTP METHOD> /<RESOURCE PATH>" or "$default": {key}'
        ) from exc


def page(items: list[Document], call: Call) -> Document:
    """Returns one page of a list, as the call's MaxResults and NextToken ask for."""
    limit = int(call.params.get("MaxResults") or 500)
    start = int(call.params.get("NextToken") or 0)
    page: Document = {"Items": items[start : start + limit]}
    if start + limit < len(items):
        page["NextToken"] = str(start + limit)
    return page


def bad_request(message: str) -> ApiError:
    """Returns the refusal of a request that cannot be."""
    return ApiError("BadRequestException", message)


def not_found(label: str, identifier: str) -> ApiError:
    """Returns the refusal of an identifier that names nothing."""
    return ApiError("NotFoundException", f"Invalid {label} identifier specified {identifier}", status=404)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How documents of a kind are made and changed.

    Attributes:
        defaults: makes the members before the caller's.
        check: passes a document of an API, or refuses it.
        maps: members that an update merges.
    """

    defaults: Callable[[], Document]
    id_length: int
    check: Callable[[ApiRecord, Document], None]
    maps: tuple[str, ...] = ()


RULES: Mapping[str, Rules] = {
    "authorizer": Rules(defaults=dict, id_length=6, check=check_authorizer),
    "integration": Rules(
        defaults=integration_defaults,
        id_length=7,
        check=check_integration,
        maps=("RequestParameters", "ResponseParameters", "TlsConfig"),
    ),
    "route": Rules(defaults=route_defaults, id_length=7, check=check_route),
}
