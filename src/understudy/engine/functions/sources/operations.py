"""CreateEventSourceMapping and its sisters.

A mapping is recorded in a state of transition and settles in the background, as on AWS: what asks again while
it does is told that it is in use.
"""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.engine.functions import errors, names
from understudy.engine.functions import render as pages
from understudy.engine.functions.arns import Arn
from understudy.engine.functions.calls import AwsCalls, CallError, Place
from understudy.engine.functions.lookup import Lookup
from understudy.engine.functions.names import Target
from understudy.engine.functions.sources import render, settings
from understudy.engine.functions.sources.model import NOTHING_YET, SETTLED, SourceMapping, State
from understudy.engine.functions.sources.pollers import Pollers
from understudy.engine.functions.sources.table import MappingTable
from understudy.engine.protocol import ApiError, Call, Operation

_MOST_ITEMS = 100


class MappingOperations:
    """The operations on event source mappings."""

    def __init__(self, lookup: Lookup, table: MappingTable, pollers: Pollers, calls: AwsCalls) -> None:
        self._lookup = lookup
        self._table = table
        self._pollers = pollers
        self._calls = calls

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "CreateEventSourceMapping": self.create,
            "GetEventSourceMapping": self.get,
            "ListEventSourceMappings": self.list,
            "UpdateEventSourceMapping": self.update,
            "DeleteEventSourceMapping": self.delete,
        }

    async def create(self, call: Call) -> dict[str, Any]:
        """CreateEventSourceMapping."""
        source = settings.source(call.params)
        position = settings.position(call.params, source)
        configured = settings.created(call.params, source)
        target = self._target(call)
        await self._check_source(source, target)
        self._check_unique(target, source)
        mapping = SourceMapping(
            uuid=str(uuid.uuid4()),
            source=source,
            function=target.id,
            qualifier=target.qualifier,
            settings=configured,
            position=position,
            state="Creating",
            modified_at=self._lookup.now(),
            result=None if source.service == "sqs" else NOTHING_YET,
            tags=call.params.get("Tags") or {},
        )
        return self._change(mapping)

    async def get(self, call: Call) -> dict[str, Any]:
        """GetEventSourceMapping."""
        return render.mapping(self._found(call))

    async def list(self, call: Call) -> dict[str, Any]:
        """ListEventSourceMappings; the function it asks about need not exist, as on AWS."""
        params = call.params
        wanted = None
        if params.get("FunctionName"):
            wanted = names.parse(params["FunctionName"], None, account_id=call.account_id, region=call.region)
        found = [
            item
            for item in sorted(self._table.all(), key=lambda item: item.uuid)
            if (item.function.account_id, item.function.region) == (call.account_id, call.region)
            and params.get("EventSourceArn") in (None, item.source.text)
            and (wanted is None or item.target == wanted)
        ]
        shown, marker = pages.page(
            [render.mapping(item) for item in found],
            [item.uuid for item in found],
            params.get("Marker"),
            params.get("MaxItems"),
            _MOST_ITEMS,
        )
        return {"EventSourceMappings": shown, **({"NextMarker": marker} if marker else {})}

    async def update(self, call: Call) -> dict[str, Any]:
        """UpdateEventSourceMapping."""
        found = self._settled(call, "update")
        target = self._target(call) if call.params.get("FunctionName") else found.target
        configured = settings.updated(found.settings, call.params, found.source)
        state: State = "Updating"
        if configured.enabled != found.settings.enabled:
            state = "Enabling" if configured.enabled else "Disabling"
        return self._change(
            replace(
                found,
                function=target.id,
                qualifier=target.qualifier,
                settings=configured,
                state=state,
                modified_at=self._lookup.now(),
            )
        )

    async def delete(self, call: Call) -> dict[str, Any]:
        """DeleteEventSourceMapping; the mapping is shown until its last batch is done."""
        return self._change(replace(self._settled(call, "delete"), state="Deleting"))

    def _change(self, mapping: SourceMapping) -> dict[str, Any]:
        self._table.put(mapping)
        self._pollers.change(mapping)
        return render.mapping(mapping)

    def _found(self, call: Call) -> SourceMapping:
        found = self._table.get(call.params["UUID"])
        place = (call.account_id, call.region)
        if found is None or (found.function.account_id, found.function.region) != place:
            raise errors.not_found("The resource you requested does not exist.")
        return found

    def _settled(self, call: Call, verb: str) -> SourceMapping:
        found = self._found(call)
        if found.state not in SETTLED:
            raise ApiError(
                "ResourceInUseException",
                f"Cannot {verb} the event source mapping because it is in use.",
                fields={"Type": "User"},
            )
        return found

    def _target(self, call: Call) -> Target:
        target = names.parse(
            call.params["FunctionName"], None, account_id=call.account_id, region=call.region
        )
        try:
            self._lookup.version(target)
        except ApiError as exc:
            raise errors.invalid_parameter("Function does not exist") from exc
        return target

    def _check_unique(self, target: Target, source: Arn) -> None:
        for item in self._table.all():
            if item.target != target or item.source != source:
                continue
            name = target.id.name
            subject = (
                f'An event source mapping with SQS arn (" {source.text} ") and function (" {name} ")'
                if source.service == "sqs"
                else f'The event source arn (" {source.text} ") and function (" {name} ") provided mapping'
            )
            raise errors.conflict(
                f"{subject} already exists. Please update or delete the existing mapping "
                f"with UUID {item.uuid}"
            )

    async def _check_source(self, source: Arn, target: Target) -> None:
        place = Place(account_id=source.account_id, region=source.region)
        if source.service == "sqs":
            await self._check_queue(place, source, target)
            return
        try:
            await self._calls.json(place, "dynamodbstreams", "DescribeStream", {"StreamArn": source.text})
        except CallError as exc:
            raise errors.invalid_parameter(f"Stream not found: {source.text}") from exc

    async def _check_queue(self, place: Place, source: Arn, target: Target) -> None:
        """A message must stay hidden for as long as the function may work on it."""
        try:
            url = await self._calls.json(place, "sqs", "GetQueueUrl", {"QueueName": source.resource})
            asked = {"QueueUrl": url["QueueUrl"], "AttributeNames": ["VisibilityTimeout"]}
            answer = await self._calls.json(place, "sqs", "GetQueueAttributes", asked)
        except CallError as exc:
            raise errors.invalid_parameter(
                f"Error occurred while ReceiveMessage. SQS Error Code: {exc.code}. "
                f"SQS Error Message: {exc.message}"
            ) from exc
        hidden_s = int(answer.get("Attributes", {}).get("VisibilityTimeout", 30))
        _, version = self._lookup.version(target)
        if hidden_s < version.settings.timeout_s:
            raise errors.invalid_parameter(
                f"Queue visibility timeout: {hidden_s} seconds is less than Function timeout: "
                f"{version.settings.timeout_s} seconds"
            )
