"""Event source mappings: Lambda's pollers of queues, streams and topics.

AWS chooses their ids, and nothing of ours stores them: a mapping is found by its function and its source.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile import clock, convert
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, text, touched
from understudy.reconcile.model import Change, ObservedResource

_KIND = "EventSourceMapping"
_STANDING = ("Enabled", "Disabled")
_ON = ("Enabled", "Enabling")
_OFF = ("Disabled", "Disabling")
_SOURCE = ("eventSourceARN", "selfManagedEventSource", "topics", "queues")
# What takes a setting away; Lambda leaves alone what an update does not mention.
_NOTHING: Mapping[str, Any] = {
    "destinationConfig": {"OnFailure": {"Destination": ""}},
    "filterCriteria": {"Filters": []},
    "functionResponseTypes": [],
    "scalingConfig": {},
    "sourceAccessConfigurations": [],
}


class EventSourceMappingManager(ResourceManager):
    """Kind EventSourceMapping, found by its function and its source."""

    unnamed: ClassVar[bool] = True
    immutable: ClassVar[frozenset[str]] = frozenset(
        [*_SOURCE, "startingPosition", "startingPositionTimestamp"]
    )
    supported: ClassVar[frozenset[str]] = immutable | {
        "amazonManagedKafkaEventSourceConfig",
        "batchSize",
        "bisectBatchOnFunctionError",
        "enabled",
        "functionName",
        "maximumBatchingWindowInSeconds",
        "maximumRecordAgeInSeconds",
        "maximumRetryAttempts",
        "parallelizationFactor",
        "selfManagedKafkaEventSourceConfig",
        "tumblingWindowInSeconds",
        *_NOTHING,
    }
    defaults: ClassVar[JsonMap] = {"enabled": True, **dict.fromkeys(_NOTHING)}

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The mapping from that source to that function.

        Raises:
            UnderstudyError: several mappings could be meant.
        """
        found = _meant([item for item in _listed(aws, desired) if item.get("State") != "Deleting"], desired)
        if found is None:
            return None
        spec = convert.spec(_KIND, found)
        state = str(found.get("State", "Enabled"))
        wanted = desired.spec.get("enabled", True)
        spec["enabled"] = True if state in _ON else False if state in _OFF else wanted
        name = text(desired.spec, "functionName")
        same = _function(str(found["FunctionArn"])) == _function(name)
        spec["functionName"] = name if same else found["FunctionArn"]
        # It was found by them; AWS lists brokers and topics in an order of its own.
        spec.update({field: desired.spec[field] for field in _SOURCE if field in desired.spec})
        for field in ("startingPosition", "startingPositionTimestamp"):
            # Emulators leave it out of the answer, and it counts once, when the mapping is made.
            spec.setdefault(field, desired.spec.get(field))
        return ObservedResource(
            key=desired.key,
            spec=spec,
            status={"uuid": str(found["UUID"]), "state": state},
            ready=state in _STANDING,
            reason=str(found.get("StateTransitionReason") or state),
        )

    def create(self, aws: Aws, desired: DesiredResource) -> Mapping[str, str]:
        """Creates the mapping and waits until it stands; one that is still going has gone first."""
        clock.until(
            lambda: None if any(item.get("State") == "Deleting" for item in _listed(aws, desired)) else True,
            what=f"the end of the former {desired.key}",
            clock=aws.clock,
        )
        params = convert.create_params(_KIND, desired.spec)
        uuid = aws.call(aws.lambda_().create_event_source_mapping, **params)["UUID"]
        _settled(aws, uuid)
        return {"uuid": uuid}

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed, and waits before and after: Lambda takes one change at a time."""
        fields, uuid = touched(changes), observed.status["uuid"]
        gone = {
            name: value for name, value in _NOTHING.items() if name in fields and name not in desired.spec
        }
        members = {name: convert.member(_KIND, name) for name in gone}
        params = convert.params(_KIND, desired.spec, sorted(fields - gone.keys()))
        _settled(aws, uuid)
        aws.call(
            aws.lambda_().update_event_source_mapping,
            UUID=uuid,
            **params,
            **{members[name]: value for name, value in gone.items()},
        )
        _settled(aws, uuid)

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the mapping and waits until it is gone; its source keeps what was not read."""
        uuid, client = observed.status["uuid"], aws.lambda_()
        if _settled(aws, uuid) is None:
            return
        aws.find(client.delete_event_source_mapping, UUID=uuid)
        clock.until(
            lambda: True if aws.find(client.get_event_source_mapping, UUID=uuid) is None else None,
            what=f"deletion of event source mapping {uuid}",
            clock=aws.clock,
        )

    def settle(self, aws: Aws, desired: DesiredResource) -> None:
        """Waits until the mapping stands."""
        observed = self.observe(aws, desired)
        if observed:
            _settled(aws, observed.status["uuid"])


def _settled(aws: Aws, uuid: str) -> Mapping[str, Any] | None:
    """The mapping once its state stands still; None when it is gone."""

    def probe() -> Mapping[str, Any] | None:
        found: Mapping[str, Any] = aws.find(aws.lambda_().get_event_source_mapping, UUID=uuid) or {}
        return found if not found or found.get("State", "Enabled") in _STANDING else None

    return clock.until(probe, what=f"event source mapping {uuid} settling", clock=aws.clock) or None


def _listed(aws: Aws, desired: DesiredResource) -> list[Mapping[str, Any]]:
    """The mappings from the manifest's source to its function, whatever the qualifier."""
    source = text(desired.spec, "eventSourceARN")
    asked: dict[str, Any] = (
        {"EventSourceArn": source} if source else {"FunctionName": text(desired.spec, "functionName")}
    )
    pages = aws.lambda_().get_paginator("list_event_source_mappings").paginate(**asked)
    listed: list[Mapping[str, Any]] = [
        item for page in aws.pages(pages) for item in page["EventSourceMappings"]
    ]
    name = _function(text(desired.spec, "functionName"))[0]
    return [
        item
        for item in listed
        if _function(str(item["FunctionArn"]))[0] == name and _same_source(item, desired.spec)
    ]


def _same_source(item: Mapping[str, Any], wanted: JsonMap) -> bool:
    found = convert.spec(_KIND, item)
    return all(_plain(found.get(name)) == _plain(wanted.get(name)) for name in _SOURCE)


def _plain(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _plain(child) for key, child in value.items()}
    return sorted(str(item) for item in value) if isinstance(value, list | tuple) else value or None


def _meant(listed: Sequence[Mapping[str, Any]], desired: DesiredResource) -> Mapping[str, Any] | None:
    wanted = _function(text(desired.spec, "functionName"))
    exact = [item for item in listed if _function(str(item["FunctionArn"])) == wanted]
    found = exact or list(listed)
    if len(found) > 1:
        ids = ", ".join(sorted(str(item["UUID"]) for item in found))
        raise UnderstudyError(
            "mapping-ambiguous",
            f"{desired.key} could be any of the event source mappings {ids}",
            hint="delete all but one: aws lambda delete-event-source-mapping --uuid ...",
            where=desired.where,
        )
    return found[0] if found else None


def _function(reference: str) -> tuple[str, str]:
    """Name and qualifier of a function, from any of the forms that Lambda takes."""
    _, found, rest = reference.rpartition("function:")
    name, _, qualifier = (rest if found else reference).partition(":")
    return name, qualifier
