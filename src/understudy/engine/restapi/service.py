"""The control plane of REST APIs (botocore service ``apigateway``): the API itself, its tags, and the rest.

Keys, usage plans, models, validators, domain names and imports of OpenAPI are not here: a call
for one answers with a named error.
"""

import json
from collections.abc import Mapping

from understudy.engine.executeapi import store
from understudy.engine.executeapi.store import ApiRecord, ApiStore, Document, new_id, now
from understudy.engine.protocol import Call, Operation
from understudy.engine.restapi import patches
from understudy.engine.restapi.authorizers import AuthorizerOperations
from understudy.engine.restapi.lookup import Lookup, bad_request, not_found, page
from understudy.engine.restapi.release import ReleaseOperations
from understudy.engine.restapi.tree import TreeOperations
from understudy.engine.restapi.wording import WordingOperations

_MEMBERS = (
    "apiKeySource",
    "binaryMediaTypes",
    "description",
    "disableExecuteApiEndpoint",
    "minimumCompressionSize",
    "name",
    "tags",
    "version",
)
_SHORT = '"execute-api:/'


class RestApiService:
    """The operations over an `ApiStore`."""

    name = "apigateway"

    def __init__(self, apis: ApiStore) -> None:
        self._apis = apis
        self._lookup = Lookup(apis)
        self.operations: Mapping[str, Operation] = {
            "CreateRestApi": self.create_rest_api,
            "GetRestApi": self.get_rest_api,
            "GetRestApis": self.get_rest_apis,
            "UpdateRestApi": self.update_rest_api,
            "DeleteRestApi": self.delete_rest_api,
            "GetTags": self.get_tags,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            **TreeOperations(apis).operations,
            **ReleaseOperations(apis).operations,
            **AuthorizerOperations(apis).operations,
            **WordingOperations(apis).operations,
        }

    async def create_rest_api(self, call: Call) -> Document:
        """Creates an API with its root resource."""
        params = call.params
        if params.get("cloneFrom"):
            raise bad_request("understudy clones no REST APIs")
        root, api_id = new_id(10), store.api_id(params.get("tags"), self._apis)
        given = {name: params[name] for name in _MEMBERS if params.get(name) is not None}
        endpoint = {"types": ["EDGE"], "ipAddressType": "ipv4"} | (params.get("endpointConfiguration") or {})
        document = {
            "apiKeySource": "HEADER",
            "createdDate": now(),
            "disableExecuteApiEndpoint": False,
            **given,
            "endpointConfiguration": endpoint,
            "id": api_id,
            "rootResourceId": root,
        }
        record = ApiRecord(api_id=api_id, account_id=call.account_id, region=call.region, document=document)
        if params.get("policy"):
            document["policy"] = _long(params["policy"], record)
        _check(document)
        self._apis.add(record)
        self._apis.put(record, "resource", root, {"id": root, "path": "/", "resourceMethods": {}})
        return _shown(record.document)

    async def get_rest_api(self, call: Call) -> Document:
        """Returns one API."""
        return _shown(self._lookup.record(call).document)

    async def get_rest_apis(self, call: Call) -> Document:
        """Returns the account's APIs of the region."""
        owned = [record.document for record in self._apis.owned(call.account_id, call.region)]
        return page(owned, call, _shown)

    async def update_rest_api(self, call: Call) -> Document:
        """Patches an API."""
        record = self._lookup.record(call)
        changed = patches.applied(record.document, call.params.get("patchOperations") or (), patches.REST_API)
        if "policy" in changed:
            changed["policy"] = _long(changed["policy"], record)
        _check(changed)
        self._apis.put(record, "api", record.api_id, changed)
        return _shown(changed)

    async def delete_rest_api(self, call: Call) -> Document:
        """Deletes an API with everything below it."""
        self._apis.remove(self._lookup.record(call))
        return {}

    async def get_tags(self, call: Call) -> Document:
        """Returns the tags of an API or a stage, named by its ARN."""
        return {"tags": self._tagged(call)[2].get("tags") or {}}

    async def tag_resource(self, call: Call) -> Document:
        """Adds tags to an API or a stage."""
        record, kind, document = self._tagged(call)
        tags = (document.get("tags") or {}) | call.params.get("tags", {})
        self._put_tags(record, kind, document, tags)
        return {}

    async def untag_resource(self, call: Call) -> Document:
        """Takes tags of an API or a stage away by their keys."""
        record, kind, document = self._tagged(call)
        gone = set(call.params["tagKeys"])
        tags = {key: one for key, one in (document.get("tags") or {}).items() if key not in gone}
        self._put_tags(record, kind, document, tags)
        return {}

    def _put_tags(self, record: ApiRecord, kind: str, document: Document, tags: Mapping[str, str]) -> None:
        identifier = record.api_id if kind == "api" else document["stageName"]
        self._apis.put(record, kind, identifier, document | {"tags": dict(tags)})

    def _tagged(self, call: Call) -> tuple[ApiRecord, str, Document]:
        """What an ARN such as ``arn:aws:apigateway:REGION::/restapis/ID/stages/NAME`` names."""
        parts = call.params["resourceArn"].partition("::/")[2].split("/")
        record = self._apis.find(parts[1]) if len(parts) in (2, 4) and parts[0] == "restapis" else None
        if record is None or record.account_id != call.account_id:
            raise not_found("API identifier")
        if len(parts) == 2:
            return record, "api", record.document
        if parts[2] != "stages" or parts[3] not in record.stages:
            raise not_found("Stage identifier")
        return record, "stage", record.stages[parts[3]]


def _check(document: Document) -> None:
    """Passes when understudy can serve the API.

    Raises:
        ApiError: BadRequestException.
    """
    kinds = document["endpointConfiguration"]["types"]
    if kinds not in (["REGIONAL"], ["EDGE"]):
        raise bad_request(f"understudy serves REGIONAL and EDGE endpoints; got {', '.join(kinds)}")
    size = document.get("minimumCompressionSize")
    if size is not None and not 0 <= size <= 10_485_760:
        raise bad_request("Invalid minimum compression size, must be between 0 and 10485760")


def _long(policy: str, record: ApiRecord) -> str:
    """A policy with its short resources written out, as AWS keeps them."""
    arn = f"arn:aws:execute-api:{record.region}:{record.account_id}:{record.api_id}/"
    return policy.replace(_SHORT, f'"{arn}')


def _shown(document: Document) -> Document:
    """An API as AWS shows it: the policy in escapes."""
    if "policy" not in document:
        return document
    return document | {"policy": json.dumps(document["policy"])[1:-1]}
