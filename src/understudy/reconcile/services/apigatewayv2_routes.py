"""Routes of HTTP APIs and the integrations they lead to: found by their key, and by what they say."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from understudy.manifests.model import DesiredResource, JsonMap
from understudy.reconcile import convert
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, text, touched
from understudy.reconcile.model import Change, ObservedResource
from understudy.reconcile.services.apigatewayv2 import OF_WEBSOCKET, below, with_gone, without_gone


class IntegrationManager(ResourceManager):
    """Kind Integration, which has neither name nor tags: found by type, URI and description."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            "apiID",
            "connectionID",
            "connectionType",
            "credentialsARN",
            "description",
            "integrationMethod",
            "integrationSubtype",
            "integrationType",
            "integrationURI",
            "payloadFormatVersion",
            "requestParameters",
            "responseParameters",
            "timeoutInMillis",
            "tlsConfig",
        ]
    )
    refused: ClassVar[Mapping[str, str]] = {
        "contentHandlingStrategy": OF_WEBSOCKET,
        "passthroughBehavior": OF_WEBSOCKET,
        "requestTemplates": OF_WEBSOCKET,
        "templateSelectionExpression": OF_WEBSOCKET,
    }
    defaults: ClassVar[JsonMap] = {
        "credentialsARN": None,
        "requestParameters": None,
        "responseParameters": None,
        "tlsConfig": None,
    }
    immutable: ClassVar[frozenset[str]] = frozenset({"apiID"})
    unnamed: ClassVar[bool] = True

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The integration of that type which agrees on URI and description, or else on one of them."""
        ranked = sorted(
            self._listed(aws, desired),
            key=lambda item: (-_likeness(item, desired.spec), str(item["IntegrationId"])),
        )
        if not ranked or not _likeness(ranked[0], desired.spec):
            return None
        found = ranked[0]
        for member in ("RequestParameters", "ResponseParameters"):
            found[member] = without_gone(ranked[0].get(member))
        return below(desired, "Integration", found, {"integrationID": str(found["IntegrationId"])})

    def create(self, aws: Aws, desired: DesiredResource) -> Mapping[str, str]:
        """Creates the integration."""
        params = convert.create_params("Integration", desired.spec)
        return {"integrationID": aws.call(aws.apigatewayv2().create_integration, **params)["IntegrationId"]}

    def rivals(self, aws: Aws, desired: DesiredResource, ids: Mapping[str, str]) -> bool:
        """Whether another integration says the same about itself."""
        return any(
            item["IntegrationId"] != ids["integrationID"] and _likeness(item, desired.spec) == _SAME
            for item in self._listed(aws, desired)
        )

    @staticmethod
    def _listed(aws: Aws, desired: DesiredResource) -> list[dict[str, Any]]:
        api = text(desired.spec, "apiID")
        pages = aws.apigatewayv2().get_paginator("get_integrations").paginate(ApiId=api)
        return [dict(item) for page in aws.pages(pages) for item in page["Items"]]

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed."""
        fields, spec = touched(changes), desired.spec
        nothing: JsonMap = {"credentialsARN": "", "tlsConfig": {"serverNameToVerify": ""}}
        merged = {
            name: with_gone(spec.get(name), observed.spec.get(name), gone)
            for name, gone in (("requestParameters", ""), ("responseParameters", {}))
            if name in fields
        }
        params = convert.params("Integration", {**nothing, **spec, **merged}, sorted(fields))
        where = {"ApiId": observed.status["apiID"], "IntegrationId": observed.status["integrationID"]}
        aws.call(aws.apigatewayv2().update_integration, **where, **params)

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the integration."""
        where = {"ApiId": observed.status["apiID"], "IntegrationId": observed.status["integrationID"]}
        aws.find(aws.apigatewayv2().delete_integration, **where)


_SAME = 3


def _likeness(item: Mapping[str, Any], wanted: JsonMap) -> int:
    """How surely an integration is the one that a manifest means; 0 is another one."""
    if item.get("IntegrationType") != wanted.get("integrationType"):
        return 0
    uri = item.get("IntegrationUri") == wanted.get("integrationURI")
    description = item.get("Description", "") == wanted.get("description", "")
    if uri and description:
        return _SAME
    if description and wanted.get("description"):
        return 2
    return 1 if uri else 0


_AUTHORIZATION = frozenset({"authorizationScopes", "authorizationType", "authorizerID"})
_OF_AUTHORIZER = ("AuthorizerId", "AuthorizationScopes")


class RouteManager(ResourceManager):
    """Kind Route, found by its key, which is unique in its API."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            "apiID",
            "authorizationScopes",
            "authorizationType",
            "authorizerID",
            "operationName",
            "routeKey",
            "target",
        ]
    )
    refused: ClassVar[Mapping[str, str]] = {
        "apiKeyRequired": OF_WEBSOCKET,
        "modelSelectionExpression": OF_WEBSOCKET,
        "requestModels": OF_WEBSOCKET,
        "requestParameters": OF_WEBSOCKET,
        "routeResponseSelectionExpression": OF_WEBSOCKET,
    }
    defaults: ClassVar[JsonMap] = {
        "authorizationScopes": None,
        "authorizationType": "NONE",
        "authorizerID": None,
    }
    immutable: ClassVar[frozenset[str]] = frozenset({"apiID", "routeKey"})

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The route with that key."""
        api, key = text(desired.spec, "apiID"), text(desired.spec, "routeKey")
        pages = aws.apigatewayv2().get_paginator("get_routes").paginate(ApiId=api)
        found = next(
            (dict(item) for page in aws.pages(pages) for item in page["Items"] if item["RouteKey"] == key),
            None,
        )
        if found is None:
            return None
        if found.get("AuthorizationType", "NONE") not in ("JWT", "CUSTOM"):
            # What a former authorizer left behind says nothing.
            found = {name: value for name, value in found.items() if name not in _OF_AUTHORIZER}
            found.setdefault("AuthorizationType", "NONE")
        return below(desired, "Route", found, {"routeID": str(found["RouteId"])})

    def create(self, aws: Aws, desired: DesiredResource) -> Mapping[str, str]:
        """Creates the route."""
        params = convert.create_params("Route", desired.spec)
        return {"routeID": aws.call(aws.apigatewayv2().create_route, **params)["RouteId"]}

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed."""
        fields = set(touched(changes))
        if fields & _AUTHORIZATION:
            # They are checked against each other: one call says them all.
            fields |= _AUTHORIZATION
        params = convert.params("Route", desired.spec, sorted(fields))
        if "authorizationScopes" in fields:
            params.setdefault("AuthorizationScopes", [])
        where = {"ApiId": observed.status["apiID"], "RouteId": observed.status["routeID"]}
        aws.call(aws.apigatewayv2().update_route, **where, **params)

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the route."""
        where = {"ApiId": observed.status["apiID"], "RouteId": observed.status["routeID"]}
        aws.find(aws.apigatewayv2().delete_route, **where)
