"""Finds what a call of the control plane names, in AWS's words where it is not there."""

from collections.abc import Callable, Sequence
from typing import Any

from understudy.engine.executeapi.store import ApiRecord, ApiStore, Document
from understudy.engine.protocol import ApiError, Call

_PAGE = 25
"""https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html, "limit"."""


def bad_request(message: str) -> ApiError:
    """Returns the refusal of a request that cannot be."""
    return ApiError("BadRequestException", message)


def conflict(message: str) -> ApiError:
    """Returns the refusal of what is there already, or in use."""
    return ApiError("ConflictException", message, status=409)


def not_found(label: str) -> ApiError:
    """Returns the refusal of an identifier that names nothing."""
    return ApiError("NotFoundException", f"Invalid {label} specified", status=404)


class Lookup:
    """The APIs of the store as calls name them."""

    def __init__(self, apis: ApiStore) -> None:
        self.apis = apis

    def record(self, call: Call) -> ApiRecord:
        """Returns the API that a call names.

        Raises:
            ApiError: NotFoundException, as every look-up here.
        """
        api_id = call.params["restApiId"]
        record = self.apis.find(api_id)
        if record is None or (record.account_id, record.region) != (call.account_id, call.region):
            text = f"Invalid API identifier specified {call.account_id}:{api_id}"
            raise ApiError("NotFoundException", text, status=404)
        return record

    def child(self, call: Call, kind: str, member: str) -> tuple[ApiRecord, Document]:
        """Returns what a call names below its API, such as ``stage`` by ``stageName``."""
        record = self.record(call)
        found = record.children[kind].get(call.params[member])
        if found is None:
            raise not_found(f"{kind.capitalize()} identifier")
        return record, found

    def resource(self, call: Call) -> tuple[ApiRecord, Document]:
        """Returns the resource that a call names."""
        return self.child(call, "resource", "resourceId")

    def method(self, call: Call) -> tuple[ApiRecord, Document, Document]:
        """Returns the method that a call names, and its resource."""
        record, resource = self.resource(call)
        method = resource["resourceMethods"].get(call.params["httpMethod"])
        if method is None:
            raise not_found("Method identifier")
        return record, resource, method

    def integration(self, call: Call) -> tuple[ApiRecord, Document, Document]:
        """Returns the integration that a call names, and its resource."""
        record, resource, method = self.method(call)
        integration = method.get("methodIntegration")
        if integration is None:
            raise not_found("Integration identifier")
        return record, resource, integration

    def save_method(self, record: ApiRecord, resource: Document, method: Document) -> Document:
        """Writes a method of a resource; returns it."""
        methods = resource["resourceMethods"] | {method["httpMethod"]: method}
        self.apis.put(record, "resource", resource["id"], resource | {"resourceMethods": methods})
        return method


def page(items: Sequence[Document], call: Call, show: Callable[[Document], Any] = dict) -> Document:
    """Returns one page of a list, as the call's limit and position ask for."""
    limit, start = int(call.params.get("limit") or _PAGE), int(call.params.get("position") or 0)
    answer: Document = {"items": [show(item) for item in items[start : start + limit]]}
    if start + limit < len(items):
        answer["position"] = str(start + limit)
    return answer
