"""The documents of HTTP APIs: their defaults, what is checked of them, how lists of them are answered; pure.

Texts and defaults as API Gateway's reference states them (apigatewayv2 API reference, "CreateApi" and so on).
"""

from collections.abc import Mapping
from typing import Any

from understudy.engine.httpapi import routing
from understudy.engine.httpapi.store import ApiRecord, Document, now
from understudy.engine.protocol import ApiError, Call

LABELS = {"integration": "Integration", "route": "Route", "stage": "Stage", "deployment": "Deployment"}
IDS = {
    "integration": "IntegrationId",
    "route": "RouteId",
    "stage": "StageName",
    "deployment": "DeploymentId",
}
_MAX_TIMEOUT_MS = 30_000
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


def merged(document: Document, changes: Document, name: str) -> Document:
    """Returns a document with its changes; in the map `name` an empty text takes a key away, as on AWS."""
    if name not in changes:
        return document | changes
    both = (document.get(name) or {}) | (changes[name] or {})
    return document | changes | {name: {key: value for key, value in both.items() if value != ""}}


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


def check_integration(document: Document) -> None:
    """Passes when understudy can run the integration; its method is filled in.

    Raises:
        ApiError: BadRequestException.
    """
    if document["IntegrationType"] != "AWS_PROXY" or document.get("IntegrationSubtype"):
        raise bad_request(
            f"understudy runs Lambda proxy integrations (AWS_PROXY) only; got {document['IntegrationType']}"
        )
    if ":lambda:" not in document.get("IntegrationUri", ""):
        raise bad_request("Invalid integration URI specified: it names no Lambda function")
    if document["PayloadFormatVersion"] not in ("1.0", "2.0"):
        raise bad_request(f"Invalid payload format version {document['PayloadFormatVersion']}")
    if not _MIN_TIMEOUT_MS <= document["TimeoutInMillis"] <= _MAX_TIMEOUT_MS:
        raise bad_request(f"Timeout should be between {_MIN_TIMEOUT_MS} ms and {_MAX_TIMEOUT_MS} ms")
    document.setdefault("IntegrationMethod", "POST")


def check_unused(record: ApiRecord, kind: str, document: Document) -> None:
    """Passes when nothing refers to an integration or a deployment that is to go.

    Raises:
        ApiError: ConflictException.
    """
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
