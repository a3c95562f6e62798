"""Gateway responses of a REST API: the operations on them."""

from collections.abc import Mapping

from understudy.engine.executeapi.store import ApiStore, Document
from understudy.engine.protocol import Call, Operation
from understudy.engine.restapi import patches, refusals
from understudy.engine.restapi.lookup import Lookup, bad_request

_FIELDS = patches.Fields(
    scalars={"/statusCode": str}, maps={"/responseParameters": str, "/responseTemplates": str}
)


class WordingOperations:
    """The operations on gateway responses."""

    def __init__(self, apis: ApiStore) -> None:
        self._apis = apis
        self._lookup = Lookup(apis)

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "PutGatewayResponse": self.put,
            "GetGatewayResponse": self.get,
            "GetGatewayResponses": self.get_all,
            "UpdateGatewayResponse": self.update,
            "DeleteGatewayResponse": self.delete,
        }

    async def put(self, call: Call) -> Document:
        """Words the answers of one type."""
        own = {name: value for name, value in call.params.items() if name != "restApiId"}
        return self._save(call, {**refusals.default(call.params["responseType"]), **own})

    async def get(self, call: Call) -> Document:
        """Returns how answers of one type are worded."""
        kind = call.params["responseType"]
        return self._lookup.record(call).children["gatewayresponse"].get(kind) or refusals.default(kind)

    async def get_all(self, call: Call) -> Document:
        """Returns how answers of every type are worded."""
        worded = self._lookup.record(call).children["gatewayresponse"]
        return {"items": [worded.get(kind) or refusals.default(kind) for kind in sorted(refusals.KINDS)]}

    async def update(self, call: Call) -> Document:
        """Patches how answers of one type are worded."""
        return self._save(
            call, patches.applied(await self.get(call), call.params.get("patchOperations") or (), _FIELDS)
        )

    async def delete(self, call: Call) -> Document:
        """Leaves answers of one type to AWS's words."""
        record = self._lookup.record(call)
        if call.params["responseType"] in record.children["gatewayresponse"]:
            self._apis.drop(record, "gatewayresponse", call.params["responseType"])
        return {}

    def _save(self, call: Call, document: Document) -> Document:
        foreign = document.get("responseTemplates", {}).keys() - {"application/json"}
        if foreign:
            raise bad_request(
                f"understudy words gateway responses in application/json; got {', '.join(foreign)}"
            )
        document = {**document, "defaultResponse": False}
        self._apis.put(self._lookup.record(call), "gatewayresponse", document["responseType"], document)
        return document
