"""REST APIs: the API, its resources, deployments and stages.

As with HTTP APIs nothing of ours stores the ids that AWS chose: an API is found by our tags and its name, a
resource by its parent and path part, a deployment by its description, a stage by its name.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from understudy.manifests.model import DesiredResource, JsonMap
from understudy.reconcile import convert
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import FixedManager, ResourceManager, text, touched
from understudy.reconcile.model import Change, ObservedResource
from understudy.reconcile.services import api_search, apigateway, rest_patches
from understudy.reconcile.services.api_search import Listed

_STAGED = "a deployment is a snapshot here; a Stage says what is live, and how"


class RestApiManager(ResourceManager):
    """Kind RestAPI, found by the tags of its stack, or by its name while nobody's tags are on it."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            "apiKeySource",
            "binaryMediaTypes",
            "description",
            "disableExecuteAPIEndpoint",
            "endpointConfiguration",
            "minimumCompressionSize",
            "name",
            "policy",
            "tags",
        ]
    )
    refused: ClassVar[Mapping[str, str]] = {
        "cloneFrom": "what was cloned cannot be told from what is there; write Resources and Methods",
        "version": "it cannot be changed later",
    }
    defaults: ClassVar[JsonMap] = {
        "binaryMediaTypes": None,
        "disableExecuteAPIEndpoint": False,
        "minimumCompressionSize": None,
        "policy": None,
    }
    unnamed: ClassVar[bool] = True

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The API, or None when there is none of that name.

        Raises:
            AmbiguousError: several APIs could be meant.
        """
        found = api_search.only(_apis(aws), desired)
        if found is None:
            return None
        spec = convert.spec("RestAPI", found.answer)
        if "policy" in spec:
            spec["policy"] = _policy(str(spec["policy"]), found.id, text(desired.spec, "policy"))
        status = {"id": found.id, "rootResourceID": _root(aws, found)}
        return ObservedResource(key=desired.key, spec=spec, status=status)

    def create(self, aws: Aws, desired: DesiredResource) -> Mapping[str, str]:
        """Creates the API with its tags, by which it is found again among others of its name."""
        params = convert.create_params("RestAPI", desired.spec)
        return {"id": aws.call(aws.apigateway().create_rest_api, **params)["id"]}

    def rivals(self, aws: Aws, desired: DesiredResource, ids: Mapping[str, str]) -> bool:
        """Whether another API could be meant."""
        return any(one.id != ids["id"] for one in api_search.meant(_apis(aws), desired))

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed."""
        fields, api = touched(changes), observed.status["id"]
        patch = rest_patches.operations("RestAPI", desired.spec, observed.spec, fields - {"tags"})
        if patch:
            aws.call(aws.apigateway().update_rest_api, restApiId=api, patchOperations=patch)
        if "tags" in fields:
            apigateway.tag(aws, f"/restapis/{api}", desired.spec.get("tags"), observed.spec.get("tags"))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the API with everything below it."""
        aws.find(aws.apigateway().delete_rest_api, restApiId=observed.status["id"])


def _apis(aws: Aws) -> list[Listed]:
    pages = aws.apigateway().get_paginator("get_rest_apis").paginate()
    return [
        Listed(id=item["id"], name=item["name"], tags=item.get("tags", {}), answer=item)
        for page in aws.pages(pages)
        for item in page.get("items", ())
    ]


def _root(aws: Aws, api: Listed) -> str:
    """The id of the API's path `/`; some endpoints leave it out of the answer."""
    told = api.answer.get("rootResourceId")
    return str(told or next(item["id"] for item in _resources(aws, api.id) if item.get("path") == "/"))


def _policy(answer: str, api: str, wanted: str) -> str:
    """A policy as it was written: AWS answers in escapes, and writes `execute-api:/` out as the API's ARN."""
    told = json.loads(f'"{answer}"') if answer.startswith('{\\"') else answer
    if '"execute-api:/' in wanted:
        told = re.sub(rf"arn:aws[a-z-]*:execute-api:[^:]*:\d*:{re.escape(api)}/", "execute-api:/", told)
    return str(told)


def _resources(aws: Aws, api: str) -> list[Mapping[str, Any]]:
    pages = aws.apigateway().get_paginator("get_resources").paginate(restApiId=api)
    return [item for page in aws.pages(pages) for item in page.get("items", ())]


class ResourcePathManager(FixedManager):
    """Kind Resource, one part of a path, which its parent has once."""

    another: ClassVar[str] = "pathPart"
    supported: ClassVar[frozenset[str]] = frozenset(["parentID", "pathPart", "restAPIID"])
    immutable: ClassVar[frozenset[str]] = supported

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The resource with that path part below that parent."""
        api, spec = text(desired.spec, "restAPIID"), desired.spec
        found = next(
            (
                item
                for item in _resources(aws, api)
                if item.get("parentId") == spec["parentID"] and item.get("pathPart") == spec["pathPart"]
            ),
            None,
        )
        if found is None:
            return None
        known = {**convert.spec("Resource", found), "restAPIID": api}
        status = {"id": str(found["id"]), "restAPIID": api}
        return ObservedResource(key=desired.key, spec=known, status=status)

    def create(self, aws: Aws, desired: DesiredResource) -> Mapping[str, str]:
        """Creates the resource."""
        params = convert.create_params("Resource", desired.spec)
        return {"id": aws.call(aws.apigateway().create_resource, **params)["id"]}

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the resource with everything below it."""
        where = {"restApiId": observed.status["restAPIID"], "resourceId": observed.status["id"]}
        aws.find(aws.apigateway().delete_resource, **where)


class RestDeploymentManager(FixedManager):
    """Kind Deployment of a REST API, which never changes: found by its description."""

    another: ClassVar[str] = "description"
    supported: ClassVar[frozenset[str]] = frozenset(["description", "restAPIID"])
    refused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (
            "cacheClusterEnabled",
            "cacheClusterSize",
            "canarySettings",
            "stageDescription",
            "stageName",
            "tracingEnabled",
            "variables",
        ),
        _STAGED,
    )
    immutable: ClassVar[frozenset[str]] = supported
    unnamed: ClassVar[bool] = True

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The deployment with that description, the first of several."""
        api = text(desired.spec, "restAPIID")
        found = sorted(self._described(aws, desired))
        if not found:
            return None
        return ObservedResource(key=desired.key, spec=desired.spec, status={"id": found[0], "restAPIID": api})

    def create(self, aws: Aws, desired: DesiredResource) -> Mapping[str, str]:
        """Takes the snapshot."""
        params = convert.create_params("RestDeployment", desired.spec)
        return {"id": aws.call(aws.apigateway().create_deployment, **params)["id"]}

    def rivals(self, aws: Aws, desired: DesiredResource, ids: Mapping[str, str]) -> bool:
        """Whether another deployment has that description."""
        return any(one != ids["id"] for one in self._described(aws, desired))

    @staticmethod
    def _described(aws: Aws, desired: DesiredResource) -> list[str]:
        api, wanted = text(desired.spec, "restAPIID"), text(desired.spec, "description")
        pages = aws.apigateway().get_paginator("get_deployments").paginate(restApiId=api)
        listed = [item for page in aws.pages(pages) for item in page.get("items", ())]
        return [str(item["id"]) for item in listed if item.get("description", "") == wanted]

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the deployment; the stages that show it go first."""
        where = {"restApiId": observed.status["restAPIID"], "deploymentId": observed.status["id"]}
        aws.find(aws.apigateway().delete_deployment, **where)


class RestStageManager(ResourceManager):
    """Kind Stage of a REST API, found by its name in its API."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            "cacheClusterEnabled",
            "cacheClusterSize",
            "deploymentID",
            "description",
            "restAPIID",
            "stageName",
            "tags",
            "tracingEnabled",
            "variables",
        ]
    )
    refused: ClassVar[Mapping[str, str]] = {
        "canarySettings": "the alias of the function carries canaries here",
    }
    defaults: ClassVar[JsonMap] = {"cacheClusterEnabled": False, "tracingEnabled": False, "variables": None}
    immutable: ClassVar[frozenset[str]] = frozenset({"restAPIID", "stageName"})

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The stage of that name."""
        api, name = text(desired.spec, "restAPIID"), text(desired.spec, "stageName")
        found = aws.find(aws.apigateway().get_stage, restApiId=api, stageName=name)
        if found is None:
            return None
        spec = {**convert.spec("RestStage", found), "restAPIID": api}
        return ObservedResource(key=desired.key, spec=spec, status={"restAPIID": api, "stageName": name})

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the stage."""
        aws.call(aws.apigateway().create_stage, **convert.create_params("RestStage", desired.spec))

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed."""
        fields, where = touched(changes), _stage(observed)
        patch = rest_patches.operations("RestStage", desired.spec, observed.spec, fields - {"tags"})
        if patch:
            aws.call(aws.apigateway().update_stage, **where, patchOperations=patch)
        if "tags" in fields:
            path = f"/restapis/{where['restApiId']}/stages/{where['stageName']}"
            apigateway.tag(aws, path, desired.spec.get("tags"), observed.spec.get("tags"))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the stage."""
        aws.find(aws.apigateway().delete_stage, **_stage(observed))


def _stage(observed: ObservedResource) -> dict[str, str]:
    return {"restApiId": observed.status["restAPIID"], "stageName": observed.status["stageName"]}
