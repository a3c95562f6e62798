"""Authorizers of REST APIs: the operations on them."""

from collections.abc import Mapping

from understudy.engine.executeapi.store import ApiRecord, ApiStore, Document, new_id
from understudy.engine.protocol import Call, Operation
from understudy.engine.restapi import patches
from understudy.engine.restapi.lookup import Lookup, bad_request, conflict, page

_MAX_TTL_S = 3600
_FIELDS = patches.Fields(
    scalars={
        "/authorizerCredentials": str,
        "/authorizerResultTtlInSeconds": patches.integer,
        "/authorizerUri": str,
        "/authType": str,
        "/identitySource": str,
        "/identityValidationExpression": str,
        "/name": str,
    },
    valued=frozenset({"/providerARNs"}),
)


class AuthorizerOperations:
    """The operations on authorizers."""

    def __init__(self, apis: ApiStore) -> None:
        self._apis = apis
        self._lookup = Lookup(apis)

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "CreateAuthorizer": self.create,
            "GetAuthorizer": self.get,
            "GetAuthorizers": self.get_all,
            "UpdateAuthorizer": self.update,
            "DeleteAuthorizer": self.delete,
        }

    async def create(self, call: Call) -> Document:
        """Creates an authorizer."""
        record = self._lookup.record(call)
        own = {name: value for name, value in call.params.items() if name != "restApiId"}
        kind = "cognito_user_pools" if own["type"] == "COGNITO_USER_POOLS" else "custom"
        document = {"id": new_id(6), "authType": kind, "authorizerResultTtlInSeconds": 300, **own}
        return self._save(record, document)

    async def get(self, call: Call) -> Document:
        """Returns one authorizer."""
        return self._lookup.child(call, "authorizer", "authorizerId")[1]

    async def get_all(self, call: Call) -> Document:
        """Returns an API's authorizers."""
        return page(list(self._lookup.record(call).authorizers.values()), call)

    async def update(self, call: Call) -> Document:
        """Patches an authorizer."""
        record, document = self._lookup.child(call, "authorizer", "authorizerId")
        return self._save(
            record, patches.applied(document, call.params.get("patchOperations") or (), _FIELDS)
        )

    async def delete(self, call: Call) -> Document:
        """Deletes an authorizer that no method asks."""
        record, document = self._lookup.child(call, "authorizer", "authorizerId")
        methods = [one for item in record.resources.values() for one in item["resourceMethods"].values()]
        if any(method.get("authorizerId") == document["id"] for method in methods):
            raise conflict(f"Cannot delete authorizer '{document['name']}', is referenced in a method")
        self._apis.drop(record, "authorizer", document["id"])
        return {}

    def _save(self, record: ApiRecord, document: Document) -> Document:
        _check(document)
        self._apis.put(record, "authorizer", document["id"], document)
        return document


def _check(document: Document) -> None:
    if document["type"] == "COGNITO_USER_POOLS":
        if not document.get("providerARNs"):
            raise bad_request("An authorizer of type COGNITO_USER_POOLS needs providerARNs")
    elif ":lambda:" not in document.get("authorizerUri", ""):
        raise bad_request("Invalid Authorizer URI: it names no Lambda function")
    ttl_s = document["authorizerResultTtlInSeconds"]
    if not 0 <= ttl_s <= _MAX_TTL_S:
        raise bad_request(f"Authorizer result TTL should be between 0 and {_MAX_TTL_S} seconds")
    if not document.get("identitySource") and (document["type"] == "TOKEN" or ttl_s):
        raise bad_request(
            "An authorizer needs identitySource, unless it is of type REQUEST and keeps no answers"
        )
