"""Authorizers of HTTP APIs: who may call a route, by a JWT or by a function's word."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from understudy.manifests.model import DesiredResource, JsonMap
from understudy.reconcile import convert
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, text, touched
from understudy.reconcile.model import Change, ObservedResource
from understudy.reconcile.services.apigatewayv2 import OF_WEBSOCKET, below


class AuthorizerManager(ResourceManager):
    """Kind Authorizer, found by its name, which is unique in its API."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            "apiID",
            "authorizerCredentialsARN",
            "authorizerPayloadFormatVersion",
            "authorizerResultTTLInSeconds",
            "authorizerType",
            "authorizerURI",
            "enableSimpleResponses",
            "identitySource",
            "jwtConfiguration",
            "name",
        ]
    )
    refused: ClassVar[Mapping[str, str]] = {"identityValidationExpression": OF_WEBSOCKET}
    immutable: ClassVar[frozenset[str]] = frozenset({"apiID"})
    defaults: ClassVar[JsonMap] = {"authorizerCredentialsARN": None}
    unnamed: ClassVar[bool] = True

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The authorizer of that name."""
        api, name = text(desired.spec, "apiID"), text(desired.spec, "name")
        pages = aws.apigatewayv2().get_paginator("get_authorizers").paginate(ApiId=api)
        found = next(
            (dict(item) for page in aws.pages(pages) for item in page["Items"] if item["Name"] == name), None
        )
        if found is None:
            return None
        return below(desired, "Authorizer", found, {"authorizerID": str(found["AuthorizerId"])})

    def create(self, aws: Aws, desired: DesiredResource) -> Mapping[str, str]:
        """Creates the authorizer."""
        params = convert.create_params("Authorizer", desired.spec)
        return {"authorizerID": aws.call(aws.apigatewayv2().create_authorizer, **params)["AuthorizerId"]}

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed, each setting whole."""
        fields = touched(changes)
        params = convert.params("Authorizer", desired.spec, sorted(fields))
        if "authorizerCredentialsARN" in fields:
            params.setdefault("AuthorizerCredentialsArn", "")
        aws.call(aws.apigatewayv2().update_authorizer, **_where(observed), **params)

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the authorizer; the routes that ask it go first."""
        aws.find(aws.apigatewayv2().delete_authorizer, **_where(observed))


def _where(observed: ObservedResource) -> dict[str, str]:
    return {"ApiId": observed.status["apiID"], "AuthorizerId": observed.status["authorizerID"]}
