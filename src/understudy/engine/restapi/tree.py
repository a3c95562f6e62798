"""Resources of a REST API, their methods, and what methods call: the operations on them."""

from collections.abc import Mapping

from understudy.engine.executeapi.store import ApiRecord, ApiStore, Document, new_id
from understudy.engine.protocol import Call, Operation
from understudy.engine.restapi import checks, mock, patches
from understudy.engine.restapi.lookup import Lookup, bad_request, conflict, not_found, page

_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY")
_PLACE = frozenset({"restApiId", "resourceId", "httpMethod", "statusCode"})


class TreeOperations:
    """The operations on resources, methods, integrations and their responses."""

    def __init__(self, apis: ApiStore) -> None:
        self._apis = apis
        self._lookup = Lookup(apis)

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "GetResources": self.get_resources,
            "GetResource": self.get_resource,
            "CreateResource": self.create_resource,
            "DeleteResource": self.delete_resource,
            "PutMethod": self.put_method,
            "GetMethod": self.get_method,
            "UpdateMethod": self.update_method,
            "DeleteMethod": self.delete_method,
            "PutIntegration": self.put_integration,
            "GetIntegration": self.get_integration,
            "UpdateIntegration": self.update_integration,
            "DeleteIntegration": self.delete_integration,
            "PutMethodResponse": self.put_method_response,
            "GetMethodResponse": self.get_method_response,
            "UpdateMethodResponse": self.update_method_response,
            "DeleteMethodResponse": self.delete_method_response,
            "PutIntegrationResponse": self.put_integration_response,
            "GetIntegrationResponse": self.get_integration_response,
            "UpdateIntegrationResponse": self.update_integration_response,
            "DeleteIntegrationResponse": self.delete_integration_response,
        }

    async def get_resources(self, call: Call) -> Document:
        """Returns the resources of an API, their methods whole with ``embed=methods``."""
        whole = "methods" in (call.params.get("embed") or ())
        items = sorted(self._lookup.record(call).resources.values(), key=lambda item: str(item["path"]))
        return page(items, call, lambda item: _shown(item, whole=whole))

    async def get_resource(self, call: Call) -> Document:
        """Returns one resource."""
        return _shown(self._lookup.resource(call)[1], whole="methods" in (call.params.get("embed") or ()))

    async def create_resource(self, call: Call) -> Document:
        """Creates a resource below another one."""
        record, part = self._lookup.record(call), call.params["pathPart"]
        parent = record.resources.get(call.params["parentId"])
        if parent is None:
            raise not_found("Resource identifier")
        checks.check_part(record, parent, part)
        resource = {
            "id": new_id(6),
            "parentId": parent["id"],
            "pathPart": part,
            "path": f"{parent['path'].rstrip('/')}/{part}",
            "resourceMethods": {},
        }
        self._apis.put(record, "resource", resource["id"], resource)
        return _shown(resource, whole=False)

    async def delete_resource(self, call: Call) -> Document:
        """Deletes a resource with all below it."""
        record, resource = self._lookup.resource(call)
        if "parentId" not in resource:
            raise bad_request("A resource may not be deleted if it is the root resource")
        gone = [resource["id"]]
        for parent in gone:
            gone += [one["id"] for one in record.resources.values() if one.get("parentId") == parent]
        for identifier in gone:
            self._apis.drop(record, "resource", identifier)
        return {}

    async def put_method(self, call: Call) -> Document:
        """Creates a method."""
        record, resource = self._lookup.resource(call)
        name = call.params["httpMethod"]
        if name not in _METHODS:
            raise bad_request(f"Invalid HttpMethod specified. Valid options are {','.join(_METHODS)}")
        if name in resource["resourceMethods"]:
            raise conflict("Method already exists for this resource")
        method = {"apiKeyRequired": False, **_own(call), "httpMethod": name}
        checks.check_method(record, method)
        return self._lookup.save_method(record, resource, method)

    async def get_method(self, call: Call) -> Document:
        """Returns a method with its integration and responses."""
        return self._lookup.method(call)[2]

    async def update_method(self, call: Call) -> Document:
        """Patches a method."""
        record, resource, method = self._lookup.method(call)
        changed = patches.applied(method, call.params.get("patchOperations") or (), patches.METHOD)
        checks.check_method(record, changed)
        return self._lookup.save_method(record, resource, changed)

    async def delete_method(self, call: Call) -> Document:
        """Deletes a method with its integration."""
        record, resource, method = self._lookup.method(call)
        kept = {
            name: one for name, one in resource["resourceMethods"].items() if name != method["httpMethod"]
        }
        self._apis.put(record, "resource", resource["id"], resource | {"resourceMethods": kept})
        return {}

    async def put_integration(self, call: Call) -> Document:
        """Sets what a method calls."""
        record, resource, method = self._lookup.method(call)
        own = _own(call)
        sent = own.pop("integrationHttpMethod", None)
        integration = {
            "cacheKeyParameters": [],
            "cacheNamespace": resource["id"],
            "passthroughBehavior": "WHEN_NO_MATCH",
            "timeoutInMillis": checks.MAX_TIMEOUT_MS,
            **own,
            **({"httpMethod": sent} if sent else {}),
        }
        checks.check_integration(integration)
        self._lookup.save_method(record, resource, method | {"methodIntegration": integration})
        return integration

    async def get_integration(self, call: Call) -> Document:
        """Returns what a method calls."""
        return self._lookup.integration(call)[2]

    async def update_integration(self, call: Call) -> Document:
        """Patches what a method calls."""
        record, resource, integration = self._lookup.integration(call)
        patched = patches.applied(integration, call.params.get("patchOperations") or (), patches.INTEGRATION)
        checks.check_integration(patched)
        self._set_integration(call, record, resource, patched)
        return patched

    async def delete_integration(self, call: Call) -> Document:
        """Lets a method call nothing."""
        record, resource, _ = self._lookup.integration(call)
        self._set_integration(call, record, resource, None)
        return {}

    async def put_method_response(self, call: Call) -> Document:
        """Declares a status that a method answers with."""
        record, resource, method = self._lookup.method(call)
        responses = dict(method.get("methodResponses") or {})
        if call.params["statusCode"] in responses:
            raise conflict("Response already exists for this resource")
        responses[call.params["statusCode"]] = made = {
            **_own(call),
            "statusCode": call.params["statusCode"],
        }
        self._lookup.save_method(record, resource, method | {"methodResponses": responses})
        return made

    async def get_method_response(self, call: Call) -> Document:
        """Returns a declared status of a method."""
        return _response(self._lookup.method(call)[2].get("methodResponses"), call)

    async def update_method_response(self, call: Call) -> Document:
        """Patches a declared status of a method."""
        record, resource, method = self._lookup.method(call)
        changed = _patched_response(method.get("methodResponses"), call, patches.METHOD_RESPONSE)
        responses = {**method["methodResponses"], call.params["statusCode"]: changed}
        self._lookup.save_method(record, resource, method | {"methodResponses": responses})
        return changed

    async def delete_method_response(self, call: Call) -> Document:
        """Takes a declared status of a method back."""
        record, resource, method = self._lookup.method(call)
        gone = _response(method.get("methodResponses"), call)
        kept = {code: one for code, one in method["methodResponses"].items() if one is not gone}
        self._lookup.save_method(record, resource, method | {"methodResponses": kept})
        return {}

    async def put_integration_response(self, call: Call) -> Document:
        """Says how an integration's answer becomes the method's."""
        record, resource, integration = self._lookup.integration(call)
        code = call.params["statusCode"]
        if code not in (self._lookup.method(call)[2].get("methodResponses") or {}):
            raise not_found("Response status code")
        made = {**_own(call), "statusCode": code}
        mock.check_templates(made.get("responseTemplates"))
        responses = {**(integration.get("integrationResponses") or {}), code: made}
        self._set_integration(call, record, resource, integration | {"integrationResponses": responses})
        return made

    async def get_integration_response(self, call: Call) -> Document:
        """Returns how an integration's answer becomes the method's."""
        return _response(self._lookup.integration(call)[2].get("integrationResponses"), call)

    async def update_integration_response(self, call: Call) -> Document:
        """Patches how an integration's answer becomes the method's."""
        record, resource, integration = self._lookup.integration(call)
        changed = _patched_response(
            integration.get("integrationResponses"), call, patches.INTEGRATION_RESPONSE
        )
        mock.check_templates(changed.get("responseTemplates"))
        responses = {**integration["integrationResponses"], call.params["statusCode"]: changed}
        self._set_integration(call, record, resource, integration | {"integrationResponses": responses})
        return changed

    async def delete_integration_response(self, call: Call) -> Document:
        """Takes the answer of one status away from an integration."""
        record, resource, integration = self._lookup.integration(call)
        gone = _response(integration.get("integrationResponses"), call)
        kept = {code: one for code, one in integration["integrationResponses"].items() if one is not gone}
        self._set_integration(call, record, resource, integration | {"integrationResponses": kept})
        return {}

    def _set_integration(
        self, call: Call, record: ApiRecord, resource: Document, integration: Document | None
    ) -> None:
        method = {
            name: value
            for name, value in resource["resourceMethods"][call.params["httpMethod"]].items()
            if name != "methodIntegration"
        }
        if integration is not None:
            method["methodIntegration"] = integration
        self._lookup.save_method(record, resource, method)


def _shown(resource: Document, *, whole: bool) -> Document:
    """A resource as AWS shows it: methods only where there are some, empty unless they are asked for."""
    methods = resource["resourceMethods"]
    shown = {name: value for name, value in resource.items() if name != "resourceMethods"}
    return {
        **shown,
        **({"resourceMethods": methods if whole else {name: {} for name in methods}} if methods else {}),
    }


def _own(call: Call) -> Document:
    return {name: value for name, value in call.params.items() if name not in _PLACE}


def _response(responses: Mapping[str, Document] | None, call: Call) -> Document:
    found = (responses or {}).get(call.params["statusCode"])
    if found is None:
        raise not_found("Response status code")
    return found


def _patched_response(
    responses: Mapping[str, Document] | None, call: Call, fields: patches.Fields
) -> Document:
    return patches.applied(_response(responses, call), call.params.get("patchOperations") or (), fields)
