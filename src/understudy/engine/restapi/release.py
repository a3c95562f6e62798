"""Deployments of a REST API and the stages that serve them: the operations on them."""

import copy
from collections.abc import Callable, Mapping

from understudy.engine.executeapi import access_log
from understudy.engine.executeapi.store import ApiRecord, ApiStore, Document, new_id, now
from understudy.engine.protocol import ApiError, Call, Operation
from understudy.engine.restapi import patches
from understudy.engine.restapi.lookup import Lookup, bad_request, conflict, not_found, page

# Where the last parts of a patch's path lead in a method's settings, and the values that AWS begins with.
_SETTINGS: Mapping[str, tuple[str, Callable[[str], object], object]] = {
    "caching/dataEncrypted": ("cacheDataEncrypted", patches.boolean, False),
    "caching/enabled": ("cachingEnabled", patches.boolean, False),
    "caching/requireAuthorizationForCacheControl": (
        "requireAuthorizationForCacheControl",
        patches.boolean,
        True,
    ),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", patches.integer, 300),
    "caching/unauthorizedCacheControlHeaderStrategy": (
        "unauthorizedCacheControlHeaderStrategy",
        str,
        "SUCCEED_WITH_RESPONSE_HEADER",
    ),
    "logging/dataTrace": ("dataTraceEnabled", patches.boolean, False),
    "logging/loglevel": ("loggingLevel", str, "OFF"),
    "metrics/enabled": ("metricsEnabled", patches.boolean, False),
    "throttling/burstLimit": ("throttlingBurstLimit", patches.integer, 5000),
    "throttling/rateLimit": ("throttlingRateLimit", float, 10000.0),
}
_STAGE_MEMBERS = (
    "cacheClusterEnabled",
    "cacheClusterSize",
    "description",
    "documentationVersion",
    "tags",
    "tracingEnabled",
    "variables",
)


class ReleaseOperations:
    """The operations on deployments and stages."""

    def __init__(self, apis: ApiStore) -> None:
        self._apis = apis
        self._lookup = Lookup(apis)

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "CreateDeployment": self.create_deployment,
            "GetDeployment": self.get_deployment,
            "GetDeployments": self.get_deployments,
            "UpdateDeployment": self.update_deployment,
            "DeleteDeployment": self.delete_deployment,
            "CreateStage": self.create_stage,
            "GetStage": self.get_stage,
            "GetStages": self.get_stages,
            "UpdateStage": self.update_stage,
            "DeleteStage": self.delete_stage,
        }

    async def create_deployment(self, call: Call) -> Document:
        """Freezes what the API is now; with ``stageName`` puts it live there."""
        record = self._lookup.record(call)
        methods = [one for item in record.resources.values() for one in item["resourceMethods"].values()]
        if not methods:
            raise bad_request("The REST API doesn't contain any methods")
        if any("methodIntegration" not in method for method in methods):
            raise bad_request("No integration defined for method")
        _check_canary(call)
        document: Document = {
            "id": new_id(6),
            "createdDate": now(),
            "Snapshot": {
                "authorizers": copy.deepcopy(record.authorizers),
                "resources": copy.deepcopy(record.resources),
                "worded": copy.deepcopy(record.children["gatewayresponse"]),
                "binaryMediaTypes": record.document.get("binaryMediaTypes", []),
                "minimumCompressionSize": record.document.get("minimumCompressionSize"),
            },
        }
        if call.params.get("description"):
            document["description"] = call.params["description"]
        self._apis.put(record, "deployment", document["id"], document)
        name = call.params.get("stageName")
        if name:
            params = {**call.params, "description": call.params.get("stageDescription")}
            self._put_stage(record, name, document["id"], params)
        return _public(document)

    async def get_deployment(self, call: Call) -> Document:
        """Returns one deployment."""
        return _public(self._lookup.child(call, "deployment", "deploymentId")[1])

    async def get_deployments(self, call: Call) -> Document:
        """Returns an API's deployments."""
        return page(list(self._lookup.record(call).deployments.values()), call, _public)

    async def update_deployment(self, call: Call) -> Document:
        """Patches a deployment's description."""
        record, document = self._lookup.child(call, "deployment", "deploymentId")
        changed = patches.applied(document, call.params.get("patchOperations") or (), patches.DEPLOYMENT)
        self._apis.put(record, "deployment", document["id"], changed)
        return _public(changed)

    async def delete_deployment(self, call: Call) -> Document:
        """Deletes a deployment that no stage serves."""
        record, document = self._lookup.child(call, "deployment", "deploymentId")
        if any(stage["deploymentId"] == document["id"] for stage in record.stages.values()):
            raise bad_request("Active stages pointing to this deployment must be moved or deleted")
        self._apis.drop(record, "deployment", document["id"])
        return {}

    async def create_stage(self, call: Call) -> Document:
        """Creates a stage of a deployment."""
        record, name = self._lookup.record(call), call.params["stageName"]
        if name in record.stages:
            raise conflict("Stage already exists")
        if call.params["deploymentId"] not in record.deployments:
            raise not_found("Deployment identifier")
        _check_canary(call)
        return self._put_stage(record, name, call.params["deploymentId"], call.params)

    async def get_stage(self, call: Call) -> Document:
        """Returns one stage."""
        return self._lookup.child(call, "stage", "stageName")[1]

    async def get_stages(self, call: Call) -> Document:
        """Returns an API's stages, those of one deployment if it is named."""
        wanted = call.params.get("deploymentId")
        stages = self._lookup.record(call).stages.values()
        return {"item": [one for one in stages if wanted is None or one["deploymentId"] == wanted]}

    async def update_stage(self, call: Call) -> Document:
        """Patches a stage: its deployment, variables, log and the settings of its methods."""
        record, stage = self._lookup.child(call, "stage", "stageName")
        settings = copy.deepcopy(stage["methodSettings"])
        given = call.params.get("patchOperations") or ()
        own = [patch for patch in given if not _set_method(settings, patch)]
        changed = patches.applied(stage, own, patches.STAGE) | {"methodSettings": settings}
        if changed["deploymentId"] not in record.deployments:
            raise not_found("Deployment identifier")
        return self._save_stage(record, changed)

    async def delete_stage(self, call: Call) -> Document:
        """Deletes a stage."""
        record, stage = self._lookup.child(call, "stage", "stageName")
        self._apis.drop(record, "stage", stage["stageName"])
        return {}

    def _put_stage(
        self, record: ApiRecord, name: str, deployment_id: str, params: Mapping[str, object]
    ) -> Document:
        fresh = {"stageName": name, "createdDate": now(), "methodSettings": {}}
        given = {key: params[key] for key in _STAGE_MEMBERS if params.get(key) is not None}
        return self._save_stage(
            record, record.stages.get(name, fresh) | given | {"deploymentId": deployment_id}
        )

    def _save_stage(self, record: ApiRecord, stage: Document) -> Document:
        cached = bool(stage.get("cacheClusterEnabled"))
        log = stage.get("accessLogSettings")
        if log and "destinationArn" in log and "format" in log:
            access_log.check(log["destinationArn"], log["format"])
        whole: Document = {
            "tracingEnabled": False,
            **stage,
            "cacheClusterEnabled": cached,
            "cacheClusterStatus": "AVAILABLE" if cached else "NOT_AVAILABLE",
            "lastUpdatedDate": now(),
        }
        self._apis.put(record, "stage", stage["stageName"], whole)
        return whole


def _public(deployment: Document) -> Document:
    return {name: value for name, value in deployment.items() if name != "Snapshot"}


def _check_canary(call: Call) -> None:
    if call.params.get("canarySettings"):
        raise bad_request("understudy has no canaries of stages; shift traffic by the weights of an alias")


def _set_method(settings: dict[str, Document], patch: patches.Patch) -> bool:
    """Applies a patch of one method's settings; False when it is not of that kind.

    The path is ``/{resource path}/{method}/throttling/rateLimit``, ``/*/*/...`` for every method.
    """
    parts = patches.parts_of(patch.get("path", ""))
    if len(parts) == 2 and patch.get("op") == "remove" and "/".join(parts) in settings:
        del settings["/".join(parts)]
        return True
    known = _SETTINGS.get("/".join(parts[-2:])) if len(parts) >= 4 else None
    if known is None:
        return False
    name, convert, _ = known
    key = "/".join(parts[:-2]).lstrip("/")
    defaults = {member: first for member, _, first in _SETTINGS.values()}
    try:
        value = convert(patch.get("value", ""))
    except ValueError as exc:
        raise ApiError("BadRequestException", f"Invalid value of {patch['path']}") from exc
    settings[key] = settings.get(key, defaults) | {name: value}
    return True
