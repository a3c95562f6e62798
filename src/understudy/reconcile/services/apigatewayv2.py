"""HTTP APIs: the API, its stages and deployments.

AWS chooses their ids, and nothing of ours stores them: an API is found by its name and our tag, a route
by its key, a stage by its name, an integration by what it says about itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile import convert
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import FixedManager, ResourceManager, mapping, text, touched
from understudy.reconcile.model import Change, ObservedResource
from understudy.reconcile.services import api_search, apigateway
from understudy.reconcile.services.api_search import Listed

OF_WEBSOCKET = "it is of WebSocket APIs"
_IMPORTED = "an imported definition cannot be read back, so drift could not be told; write Routes"
_QUICK = "quick create makes an integration, a route and a stage that no manifest owns"


class ApiManager(ResourceManager):
    """Kind API, found by the tags of its stack, or by its name while nobody's tags are on it."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            "apiKeySelectionExpression",
            "corsConfiguration",
            "description",
            "disableExecuteAPIEndpoint",
            "disableSchemaValidation",
            "name",
            "protocolType",
            "routeSelectionExpression",
            "tags",
            "version",
        ]
    )
    refused: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("basepath", "body", "failOnWarnings"), _IMPORTED),
        **dict.fromkeys(("credentialsARN", "routeKey", "target"), _QUICK),
    }
    immutable: ClassVar[frozenset[str]] = frozenset({"protocolType"})
    defaults: ClassVar[JsonMap] = {"corsConfiguration": None, "disableExecuteAPIEndpoint": False}
    unnamed: ClassVar[bool] = True

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The API, or None when there is none of that name.

        Raises:
            AmbiguousError: several APIs could be meant.
        """
        found = api_search.only(_apis(aws), desired)
        if found is None:
            return None
        status = {"apiID": found.id, "apiEndpoint": str(found.answer.get("ApiEndpoint", ""))}
        return ObservedResource(key=desired.key, spec=convert.spec("API", found.answer), status=status)

    def create(self, aws: Aws, desired: DesiredResource) -> Mapping[str, str]:
        """Creates the API with its tags, by which it is found again among others of its name."""
        params = convert.create_params("API", desired.spec)
        return {"apiID": aws.call(aws.apigatewayv2().create_api, **params)["ApiId"]}

    def rivals(self, aws: Aws, desired: DesiredResource, ids: Mapping[str, str]) -> bool:
        """Whether another API could be meant."""
        return any(one.id != ids["apiID"] for one in api_search.meant(_apis(aws), desired))

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed."""
        fields, api = touched(changes), observed.status["apiID"]
        params = convert.params("API", desired.spec, sorted(fields - {"tags"}))
        if params:
            aws.call(aws.apigatewayv2().update_api, ApiId=api, **params)
        if "corsConfiguration" in fields and "corsConfiguration" not in desired.spec:
            aws.find(aws.apigatewayv2().delete_cors_configuration, ApiId=api)
        if "tags" in fields:
            apigateway.tag(aws, f"/apis/{api}", desired.spec.get("tags"), observed.spec.get("tags"))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the API with everything below it."""
        aws.find(aws.apigatewayv2().delete_api, ApiId=observed.status["apiID"])


def _apis(aws: Aws) -> list[Listed]:
    pages = aws.apigatewayv2().get_paginator("get_apis").paginate()
    return [
        Listed(id=item["ApiId"], name=item["Name"], tags=item.get("Tags", {}), answer=item)
        for page in aws.pages(pages)
        for item in page["Items"]
    ]


def with_gone(wanted: Json, actual: Json, gone: Json = "") -> JsonMap:
    """A map with the keys that are to go set to nothing: API Gateway merges what an update says."""
    have, given = mapping(actual), mapping(wanted)
    return {**dict.fromkeys(have.keys() - given.keys(), gone), **given}


def without_gone(value: Mapping[str, Any] | None) -> dict[str, Any]:
    """A map as AWS answers it, without the keys that an update set to nothing."""
    return {key: child for key, child in (value or {}).items() if child}


def below(
    desired: DesiredResource, kind: str, found: Mapping[str, Any], status: Mapping[str, str]
) -> ObservedResource:
    """Something below an API, as observed."""
    api = text(desired.spec, "apiID")
    spec = {**convert.spec(kind, found), "apiID": api}
    return ObservedResource(key=desired.key, spec=spec, status={**status, "apiID": api})


class StageManager(ResourceManager):
    """Kind Stage, found by its name in its API."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            "accessLogSettings",
            "apiID",
            "autoDeploy",
            "defaultRouteSettings",
            "deploymentID",
            "description",
            "routeSettings",
            "stageName",
            "stageVariables",
            "tags",
        ]
    )
    refused: ClassVar[Mapping[str, str]] = {"clientCertificateID": OF_WEBSOCKET}
    immutable: ClassVar[frozenset[str]] = frozenset({"apiID", "stageName"})
    defaults: ClassVar[JsonMap] = {
        "accessLogSettings": None,
        "routeSettings": None,
        "stageVariables": None,
    }

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The stage of that name."""
        api, name = text(desired.spec, "apiID"), text(desired.spec, "stageName")
        found = aws.find(aws.apigatewayv2().get_stage, ApiId=api, StageName=name)
        if found is None:
            return None
        stage = {**found, "StageVariables": without_gone(found.get("StageVariables"))}
        return below(desired, "Stage", stage, {"stageName": name})

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the stage."""
        aws.call(aws.apigatewayv2().create_stage, **convert.create_params("Stage", desired.spec))

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed."""
        fields, api, name = touched(changes), observed.status["apiID"], observed.status["stageName"]
        spec, have = dict(desired.spec), observed.spec
        if "stageVariables" in fields:
            spec["stageVariables"] = with_gone(spec.get("stageVariables"), have.get("stageVariables"))
        params = convert.params("Stage", spec, sorted(fields - {"tags"}))
        if params:
            aws.call(aws.apigatewayv2().update_stage, ApiId=api, StageName=name, **params)
        self._take_away(aws, desired, observed, fields)
        if "tags" in fields:
            apigateway.tag(aws, f"/apis/{api}/stages/{name}", spec.get("tags"), have.get("tags"))

    @staticmethod
    def _take_away(
        aws: Aws, desired: DesiredResource, observed: ObservedResource, fields: frozenset[str]
    ) -> None:
        """What an update cannot unsay has an operation of its own."""
        client, spec = aws.apigatewayv2(), desired.spec
        where = {"ApiId": observed.status["apiID"], "StageName": observed.status["stageName"]}
        if "accessLogSettings" in fields and "accessLogSettings" not in spec:
            aws.find(client.delete_access_log_settings, **where)
        if "routeSettings" in fields:
            have = mapping(observed.spec.get("routeSettings")).keys()
            for key in have - mapping(spec.get("routeSettings")).keys():
                aws.find(client.delete_route_settings, **where, RouteKey=key)

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the stage."""
        where = {"ApiId": observed.status["apiID"], "StageName": observed.status["stageName"]}
        aws.find(aws.apigatewayv2().delete_stage, **where)


class DeploymentManager(FixedManager):
    """Kind Deployment, which never changes: found by its description."""

    another: ClassVar[str] = "description"
    supported: ClassVar[frozenset[str]] = frozenset(["apiID", "description", "stageName"])
    immutable: ClassVar[frozenset[str]] = frozenset({"apiID", "description"})
    unnamed: ClassVar[bool] = True

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The deployment with that description."""
        api, description = text(desired.spec, "apiID"), text(desired.spec, "description")
        pages = aws.apigatewayv2().get_paginator("get_deployments").paginate(ApiId=api)
        listed = [dict(item) for page in aws.pages(pages) for item in page["Items"]]
        found = next((item for item in listed if item.get("Description", "") == description), None)
        if found is None:
            return None
        observed = below(desired, "Deployment", found, {"deploymentID": str(found["DeploymentId"])})
        return ObservedResource(key=observed.key, spec=desired.spec, status=observed.status)

    def create(self, aws: Aws, desired: DesiredResource) -> Mapping[str, str]:
        """Creates the deployment."""
        params = convert.create_params("Deployment", desired.spec)
        return {"deploymentID": aws.call(aws.apigatewayv2().create_deployment, **params)["DeploymentId"]}

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the deployment."""
        where = {"ApiId": observed.status["apiID"], "DeploymentId": observed.status["deploymentID"]}
        aws.find(aws.apigatewayv2().delete_deployment, **where)
