"""The control plane of HTTP APIs (botocore service ``apigatewayv2``): APIs, integrations, routes, stages.

WebSocket APIs, models and domain names are not here: a call for one answers with a named error.
Texts and defaults as API Gateway's reference states them (apigatewayv2 API reference, "CreateApi" and so on).
"""

from collections.abc import Callable, Mapping

from understudy.engine.executeapi import routing, store
from understudy.engine.executeapi.store import ApiRecord, ApiStore, Document, new_id, now
from understudy.engine.httpapi import deployments, documents
from understudy.engine.httpapi.documents import Rules
from understudy.engine.protocol import ApiError, Call, Operation


class HttpApiService:
    """The operations over an `ApiStore`; `endpoint` makes the ``ApiEndpoint`` of an API id."""

    name = "apigatewayv2"

    def __init__(self, apis: ApiStore, *, endpoint: Callable[[str], str]) -> None:
        self._apis = apis
        self._endpoint = endpoint
        self.operations: Mapping[str, Operation] = {
            "CreateApi": self.create_api,
            "GetApi": self.get_api,
            "GetApis": self.get_apis,
            "UpdateApi": self.update_api,
            "DeleteApi": self.delete_api,
            "DeleteCorsConfiguration": self.delete_cors_configuration,
            "CreateStage": self.create_stage,
            "UpdateStage": self.update_stage,
            "DeleteAccessLogSettings": self.delete_access_log_settings,
            "DeleteRouteSettings": self.delete_route_settings,
            "CreateDeployment": self.create_deployment,
            "UpdateDeployment": self.update_deployment,
            "GetTags": self.get_tags,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            **self._plain_operations(),
        }

    def _plain_operations(self) -> dict[str, Operation]:
        """What is the same for every kind below an API, or said of it by `documents`."""
        operations: dict[str, Operation] = {}
        for kind, rules in documents.RULES.items():
            operations[f"Create{documents.LABELS[kind]}"] = self._creator(kind, rules)
            operations[f"Update{documents.LABELS[kind]}"] = self._updater(kind, rules)
        for kind, label in documents.LABELS.items():
            operations[f"Get{label}"] = self._getter(kind)
            operations[f"Get{label}s"] = self._lister(kind)
            operations[f"Delete{label}"] = self._deleter(kind)
        return operations

    async def create_api(self, call: Call) -> Document:
        """Creates an API; with ``Target`` also route, integration and ``$default`` stage (quick create)."""
        params = dict(call.params)
        if params["ProtocolType"] != "HTTP":
            raise documents.bad_request(
                f"understudy runs HTTP APIs only; ProtocolType is {params['ProtocolType']}"
            )
        target, route_key = params.pop("Target", None), params.pop("RouteKey", None)
        credentials = params.pop("CredentialsArn", None)
        documents.check_cors(params.get("CorsConfiguration"))
        api_id = store.api_id(params.get("Tags"), self._apis)
        document = {
            "ApiEndpoint": self._endpoint(api_id),
            "ApiId": api_id,
            "ApiKeySelectionExpression": "$request.header.x-api-key",
            "CreatedDate": now(),
            "DisableExecuteApiEndpoint": False,
            "IpAddressType": "ipv4",
            "RouteSelectionExpression": "$request.method $request.path",
            "Tags": {},
        } | params
        record = ApiRecord(api_id=api_id, account_id=call.account_id, region=call.region, document=document)
        if target:
            documents.parse_route_key(route_key or routing.DEFAULT_ROUTE)
        self._apis.add(record)
        if target:
            self._quick_create(record, target, route_key, credentials)
        return record.document

    def _quick_create(
        self, record: ApiRecord, target: str, route_key: str | None, credentials: str | None
    ) -> None:
        managed = {"ApiGatewayManaged": True}
        integration = documents.integration_defaults() | {
            "IntegrationId": new_id(7),
            "IntegrationType": "AWS_PROXY",
            "IntegrationMethod": "POST",
            "IntegrationUri": target,
            "PayloadFormatVersion": "2.0",
        }
        if credentials:
            integration["CredentialsArn"] = credentials
        self._apis.put(record, "integration", integration["IntegrationId"], integration | managed)
        route = documents.route_defaults() | {
            "RouteId": new_id(7),
            "RouteKey": route_key or routing.DEFAULT_ROUTE,
            "Target": f"integrations/{integration['IntegrationId']}",
        }
        self._apis.put(record, "route", route["RouteId"], route | managed)
        stage = documents.stage_defaults() | {"StageName": "$default", "AutoDeploy": True}
        self._apis.put(record, "stage", "$default", stage | managed)
        deployments.automatic(self._apis, record)

    async def get_api(self, call: Call) -> Document:
        """Returns one API."""
        return self._record(call).document

    async def get_apis(self, call: Call) -> Document:
        """Returns the account's APIs of the region, paginated."""
        items = [record.document for record in self._apis.owned(call.account_id, call.region)]
        return documents.page(items, call)

    async def update_api(self, call: Call) -> Document:
        """Changes the members that were given."""
        record = self._record(call)
        changes = {name: value for name, value in call.params.items() if name != "ApiId"}
        for name in ("Target", "RouteKey", "CredentialsArn"):
            if name in changes:
                raise documents.bad_request(
                    f"{name} of a quick-create API is changed at its route or integration"
                )
        documents.check_cors(changes.get("CorsConfiguration"))
        self._apis.put(record, "api", record.api_id, record.document | changes)
        return record.document

    async def delete_api(self, call: Call) -> Document:
        """Deletes an API with everything below it."""
        self._apis.remove(self._record(call))
        return {}

    async def delete_cors_configuration(self, call: Call) -> Document:
        """Turns the gateway's own CORS off."""
        record = self._record(call)
        document = {name: value for name, value in record.document.items() if name != "CorsConfiguration"}
        self._apis.put(record, "api", record.api_id, document)
        return {}

    async def create_stage(self, call: Call) -> Document:
        """Creates a stage."""
        record = self._record(call)
        if call.params["StageName"] in record.stages:
            raise ApiError("ConflictException", "Stage already exists", status=409)
        document = documents.stage_defaults() | documents.without_api(call.params)
        documents.check_stage(document)
        return self._save(record, "stage", document)

    async def update_stage(self, call: Call) -> Document:
        """Changes a stage's given members."""
        record, document = self._child(call, "stage")
        changed = documents.merged(
            document, documents.without_api(call.params), "RouteSettings", "StageVariables"
        )
        documents.check_stage(changed)
        return self._save(record, "stage", changed | {"LastUpdatedDate": now()})

    async def delete_access_log_settings(self, call: Call) -> Document:
        """Takes a stage's access log away."""
        record, document = self._child(call, "stage")
        self._save(record, "stage", document | {"AccessLogSettings": None, "LastUpdatedDate": now()})
        return {}

    async def delete_route_settings(self, call: Call) -> Document:
        """Takes one route's settings away from a stage."""
        record, document = self._child(call, "stage")
        kept = {key: one for key, one in document["RouteSettings"].items() if key != call.params["RouteKey"]}
        self._save(record, "stage", document | {"RouteSettings": kept, "LastUpdatedDate": now()})
        return {}

    async def create_deployment(self, call: Call) -> Document:
        """Freezes the API's present routes and integrations; with ``StageName`` puts them live there."""
        record = self._record(call)
        stage_name = call.params.get("StageName")
        if stage_name is not None and stage_name not in record.stages:
            raise documents.not_found("Stage", stage_name)
        document = deployments.create(
            self._apis, record, description=call.params.get("Description"), automatic=False
        )
        if stage_name is not None:
            stage = record.stages[stage_name] | {"DeploymentId": document["DeploymentId"]}
            self._apis.put(record, "stage", stage_name, stage)
        return documents.public(document)

    async def update_deployment(self, call: Call) -> Document:
        """Changes a deployment's description."""
        record, document = self._child(call, "deployment")
        document = document | documents.without_api(call.params)
        self._apis.put(record, "deployment", call.params["DeploymentId"], document)
        return documents.public(document)

    async def get_tags(self, call: Call) -> Document:
        """Returns the tags of an API or a stage, named by its ARN."""
        _, _, document = self._tagged(call)
        return {"Tags": document.get("Tags") or {}}

    async def tag_resource(self, call: Call) -> Document:
        """Adds tags to an API or a stage."""
        record, kind, document = self._tagged(call)
        tags = (document.get("Tags") or {}) | call.params.get("Tags", {})
        self._apis.put(record, kind, documents.identifier(record, kind, document), document | {"Tags": tags})
        return {}

    async def untag_resource(self, call: Call) -> Document:
        """Removes tags of an API or a stage by their keys."""
        record, kind, document = self._tagged(call)
        gone = set(call.params["TagKeys"])
        tags = {key: value for key, value in (document.get("Tags") or {}).items() if key not in gone}
        self._apis.put(record, kind, documents.identifier(record, kind, document), document | {"Tags": tags})
        return {}

    def _record(self, call: Call) -> ApiRecord:
        api_id = call.params["ApiId"]
        record = self._apis.find(api_id)
        if record is None or (record.account_id, record.region) != (call.account_id, call.region):
            raise ApiError(
                "NotFoundException",
                f"Invalid API identifier specified {call.account_id}:{api_id}",
                status=404,
            )
        return record

    def _child(self, call: Call, kind: str) -> tuple[ApiRecord, Document]:
        record = self._record(call)
        identifier = call.params[documents.IDS[kind]]
        document = record.children[kind].get(identifier)
        if document is None:
            raise documents.not_found(documents.LABELS[kind], identifier)
        return record, document

    def _save(self, record: ApiRecord, kind: str, document: Document) -> Document:
        self._apis.put(record, kind, document[documents.IDS[kind]], document)
        deployments.automatic(self._apis, record)
        return documents.public(record.children[kind][document[documents.IDS[kind]]])

    def _creator(self, kind: str, rules: Rules) -> Operation:
        async def create(call: Call) -> Document:
            record = self._record(call)
            own = {documents.IDS[kind]: new_id(rules.id_length)}
            document = rules.defaults() | documents.without_api(call.params) | own
            rules.check(record, document)
            return self._save(record, kind, document)

        return create

    def _updater(self, kind: str, rules: Rules) -> Operation:
        async def update(call: Call) -> Document:
            record, document = self._child(call, kind)
            changed = documents.merged(document, documents.without_api(call.params), *rules.maps)
            rules.check(record, changed)
            return self._save(record, kind, changed)

        return update

    def _getter(self, kind: str) -> Operation:
        async def get(call: Call) -> Document:
            return documents.public(self._child(call, kind)[1])

        return get

    def _lister(self, kind: str) -> Operation:
        async def list_(call: Call) -> Document:
            return documents.page(
                [documents.public(item) for item in self._record(call).children[kind].values()], call
            )

        return list_

    def _deleter(self, kind: str) -> Operation:
        async def delete(call: Call) -> Document:
            record, document = self._child(call, kind)
            documents.check_unused(record, kind, document)
            self._apis.drop(record, kind, document[documents.IDS[kind]])
            deployments.automatic(self._apis, record)
            return {}

        return delete

    def _tagged(self, call: Call) -> tuple[ApiRecord, str, Document]:
        """The resource that an ARN such as ``arn:aws:apigateway:REGION::/apis/ID/stages/NAME`` names."""
        parts = call.params["ResourceArn"].partition("::/")[2].split("/")
        record = self._apis.find(parts[1]) if len(parts) in (2, 4) and parts[0] == "apis" else None
        if record is None or record.account_id != call.account_id:
            raise ApiError("NotFoundException", "Invalid resource identifier specified", status=404)
        if len(parts) == 2:
            return record, "api", record.document
        if parts[2] != "stages" or parts[3] not in record.stages:
            raise documents.not_found("Stage", parts[3])
        return record, "stage", record.stages[parts[3]]
