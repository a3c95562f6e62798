"""Methods of REST APIs and what they call: found by resource and HTTP method, which has one of each."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from understudy.manifests.model import DesiredResource, JsonMap
from understudy.reconcile import convert
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, text, touched
from understudy.reconcile.model import Change, ObservedResource
from understudy.reconcile.services import rest_patches

_PLACE = ("restAPIID", "resourceID", "httpMethod")


class MethodManager(ResourceManager):
    """Kind Method."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            *_PLACE,
            "apiKeyRequired",
            "authorizationScopes",
            "authorizationType",
            "authorizerID",
            "operationName",
            "requestModels",
            "requestParameters",
            "requestValidatorID",
        ]
    )
    defaults: ClassVar[JsonMap] = {
        "apiKeyRequired": False,
        "authorizationScopes": None,
        "authorizerID": None,
        "requestModels": None,
        "requestParameters": None,
        "requestValidatorID": None,
    }
    immutable: ClassVar[frozenset[str]] = frozenset(_PLACE)

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The method."""
        found = aws.find(aws.apigateway().get_method, **_where(desired.spec))
        return _observed(desired, convert.spec("Method", found)) if found else None

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the method."""
        aws.call(aws.apigateway().put_method, **convert.create_params("Method", desired.spec))

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed."""
        patch = rest_patches.operations("Method", desired.spec, observed.spec, touched(changes))
        aws.call(aws.apigateway().update_method, **_where(observed.status), patchOperations=patch)

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the method with its integration."""
        aws.find(aws.apigateway().delete_method, **_where(observed.status))


class RestIntegrationManager(ResourceManager):
    """Kind Integration of a REST API: what a method calls."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            *_PLACE,
            "cacheKeyParameters",
            "cacheNamespace",
            "connectionID",
            "connectionType",
            "contentHandling",
            "credentials",
            "integrationHTTPMethod",
            "passthroughBehavior",
            "requestParameters",
            "requestTemplates",
            "timeoutInMillis",
            "tlsConfig",
            "type",
            "uri",
        ]
    )
    defaults: ClassVar[JsonMap] = {
        "cacheKeyParameters": None,
        "contentHandling": None,
        "credentials": None,
        "requestParameters": None,
        "requestTemplates": None,
        "tlsConfig": None,
    }
    immutable: ClassVar[frozenset[str]] = frozenset([*_PLACE, "type"])

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The integration of the method."""
        found = aws.find(aws.apigateway().get_integration, **_where(desired.spec))
        if not found or "type" not in found:  # moto answers with nothing where AWS says that there is none
            return None
        # What the method is called by is not what the integration calls with, and AWS names both alike.
        answer = {**found, "integrationHttpMethod": found.get("httpMethod")}
        return _observed(desired, convert.spec("RestIntegration", answer))

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the integration."""
        params = convert.create_params("RestIntegration", desired.spec)
        aws.call(aws.apigateway().put_integration, **params)

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed."""
        patch = rest_patches.operations("RestIntegration", desired.spec, observed.spec, touched(changes))
        aws.call(aws.apigateway().update_integration, **_where(observed.status), patchOperations=patch)

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the integration."""
        aws.find(aws.apigateway().delete_integration, **_where(observed.status))


def _where(found: JsonMap) -> dict[str, str]:
    return {
        "restApiId": text(found, "restAPIID"),
        "resourceId": text(found, "resourceID"),
        "httpMethod": text(found, "httpMethod"),
    }


def _observed(desired: DesiredResource, spec: JsonMap) -> ObservedResource:
    place: Mapping[str, str] = {name: text(desired.spec, name) for name in _PLACE}
    return ObservedResource(key=desired.key, spec={**spec, **place}, status=place)
