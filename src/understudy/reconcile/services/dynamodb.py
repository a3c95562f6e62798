"""Tables of DynamoDB."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile import clock, convert, tags
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, items, mapping, same_key, text, touched
from understudy.reconcile.model import Change, ObservedResource
from understudy.reconcile.services import dynamodb_indexes as indexes

_THROUGHPUT = ("billingMode", "provisionedThroughput", "onDemandThroughput")
# DynamoDB takes one class of change per UpdateTable; streams and indexes have rules of their own.
_CLASSES: tuple[tuple[str, ...], ...] = (
    _THROUGHPUT,
    ("tableClass",),
    ("deletionProtectionEnabled",),
    ("sseSpecification",),
)
_INDEX_BUDGET_S = 3600.0  # DynamoDB fills a new index from the table's items first


class TableManager(ResourceManager):
    """Kind Table, found by its name."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            "attributeDefinitions",
            "billingMode",
            "continuousBackups",
            "deletionProtectionEnabled",
            "globalSecondaryIndexes",
            "keySchema",
            "localSecondaryIndexes",
            "onDemandThroughput",
            "provisionedThroughput",
            "resourcePolicy",
            "sseSpecification",
            "streamSpecification",
            "tableClass",
            "tableName",
            "tags",
            "timeToLive",
        ]
    )
    refused: ClassVar[Mapping[str, str]] = {
        "tableReplicas": "replicas span regions, and a target is one region",
    }
    immutable: ClassVar[frozenset[str]] = frozenset({"keySchema", "localSecondaryIndexes"})
    defaults: ClassVar[JsonMap] = {
        "billingMode": "PROVISIONED",
        "deletionProtectionEnabled": False,
        "globalSecondaryIndexes": None,
        "resourcePolicy": None,
        "streamSpecification": None,
        "tableClass": "STANDARD",
        "timeToLive": None,
    }
    holds_data: ClassVar[bool] = True

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The table with the tags, expiry and backups that the manifest mentions."""
        name = text(desired.spec, "tableName")
        answer = aws.find(aws.dynamodb().describe_table, TableName=name)
        if answer is None:
            return None
        table = answer["Table"]
        spec = convert.spec("Table", _flat(dict(table)))
        _as_written(spec, desired.spec)
        if "tags" in desired.spec:
            pages = (
                aws.dynamodb().get_paginator("list_tags_of_resource").paginate(ResourceArn=table["TableArn"])
            )
            listed = [tag for page in aws.pages(pages) for tag in page.get("Tags", [])]
            spec["tags"] = [{"key": tag["Key"], "value": tag["Value"]} for tag in listed]
        spec["timeToLive"] = self._expiry(aws, name, desired.spec.get("timeToLive"))
        policy = aws.find(aws.dynamodb().get_resource_policy, ResourceArn=table["TableArn"])
        spec["resourcePolicy"] = policy.get("Policy") if policy else None
        if "continuousBackups" in desired.spec:
            spec["continuousBackups"] = {"pointInTimeRecoveryEnabled": self._backups(aws, name)}
        status = table["TableStatus"]
        busy = _busy(table)
        return ObservedResource(
            key=desired.key,
            spec=spec,
            status={"arn": table["TableArn"], "tableStatus": status, **_stream(table)},
            ready=not busy,
            reason=busy,
        )

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the table and waits until it is ACTIVE."""
        aws.call(aws.dynamodb().create_table, **convert.create_params("Table", desired.spec))
        self.settle(aws, desired)
        self._beside(aws, desired, {}, frozenset(desired.spec) - {"resourcePolicy"})

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed, one class of change at a time, waiting in between."""
        fields, name = touched(changes), text(desired.spec, "tableName")
        self.settle(aws, desired)
        _check_attributes(desired, changes)
        for group in _CLASSES:
            if fields & set(group):
                params = convert.params("Table", {**self.defaults, **desired.spec}, group)
                provisioned = group is _THROUGHPUT
                more = indexes.when_provisioned(desired.spec, observed.spec) if provisioned else {}
                self._change(aws, desired, TableName=name, **params, **more)
        if "streamSpecification" in fields:
            self._stream(aws, desired, observed)
        if "globalSecondaryIndexes" in fields:
            self._indexes(aws, desired)
        self._beside(aws, desired, observed.spec, fields)
        if "tags" in fields:
            arn, delta = (
                observed.status["arn"],
                tags.delta(desired.spec.get("tags"), observed.spec.get("tags")),
            )
            if delta.put:
                aws.call(aws.dynamodb().tag_resource, ResourceArn=arn, Tags=tags.pairs(delta.put))
            if delta.remove:
                aws.call(aws.dynamodb().untag_resource, ResourceArn=arn, TagKeys=list(delta.remove))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the table with its items and waits until it is gone.

        Raises:
            UnderstudyError: the table is protected from that.
        """
        name = text(observed.spec, "tableName")
        if observed.spec.get("deletionProtectionEnabled") is True:
            raise UnderstudyError(
                "table-protected",
                f"table {name} is protected from deletion",
                hint="set deletionProtectionEnabled: false, apply, then delete it",
            )
        aws.find(aws.dynamodb().delete_table, TableName=name)
        clock.until(
            lambda: True if aws.find(aws.dynamodb().describe_table, TableName=name) is None else None,
            what=f"deletion of table {name}",
            clock=aws.clock,
        )

    def settle(self, aws: Aws, desired: DesiredResource) -> None:
        """Waits until the table and its indexes are ACTIVE."""
        name = text(desired.spec, "tableName")

        def active() -> bool | None:
            return None if _busy(aws.call(aws.dynamodb().describe_table, TableName=name)["Table"]) else True

        clock.until(active, what=f"table {name} becoming ACTIVE", clock=aws.clock, budget_s=_INDEX_BUDGET_S)

    def _change(self, aws: Aws, desired: DesiredResource, **params: Any) -> None:  # noqa: ANN401 - as botocore takes them
        aws.call(aws.dynamodb().update_table, **params)
        self.settle(aws, desired)

    def _stream(self, aws: Aws, desired: DesiredResource, observed: ObservedResource) -> None:
        """Starts or stops the stream; another view needs another stream."""
        name = text(desired.spec, "tableName")
        wanted = mapping(desired.spec.get("streamSpecification"))
        if mapping(observed.spec.get("streamSpecification")).get("streamEnabled"):
            self._change(aws, desired, TableName=name, StreamSpecification={"StreamEnabled": False})
        if wanted.get("streamEnabled"):
            value = convert.value("Table", "streamSpecification", wanted)
            self._change(aws, desired, TableName=name, StreamSpecification=value)

    def _beside(self, aws: Aws, desired: DesiredResource, observed: JsonMap, fields: frozenset[str]) -> None:
        """What is no part of the table itself."""
        name, spec, client = text(desired.spec, "tableName"), desired.spec, aws.dynamodb()
        if "timeToLive" in fields:
            self._expire(aws, name, spec.get("timeToLive"), mapping(observed.get("timeToLive")))
        if "continuousBackups" in fields:
            value = convert.value("Table", "continuousBackups", spec["continuousBackups"])
            aws.call(client.update_continuous_backups, TableName=name, PointInTimeRecoverySpecification=value)
        if "resourcePolicy" in fields:
            arn = aws.call(client.describe_table, TableName=name)["Table"]["TableArn"]
            policy = text(spec, "resourcePolicy")
            if policy:
                aws.call(client.put_resource_policy, ResourceArn=arn, Policy=policy)
            else:
                aws.find(client.delete_resource_policy, ResourceArn=arn)

    @staticmethod
    def _expiry(aws: Aws, name: str, wanted: Json) -> Json:
        answer = aws.find(aws.dynamodb().describe_time_to_live, TableName=name)
        found = answer.get("TimeToLiveDescription", {}) if answer else {}
        if found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING"):
            return {"enabled": True, "attributeName": found.get("AttributeName")}
        # DynamoDB forgets the attribute of an expiry that is off.
        return wanted if not mapping(wanted).get("enabled") else None

    @staticmethod
    def _expire(aws: Aws, name: str, wanted: Json, observed: JsonMap) -> None:
        """Switches expiry; DynamoDB lets no attribute take another's place, and one change an hour."""
        client = aws.dynamodb()
        if observed.get("enabled"):
            off = {"Enabled": False, "AttributeName": text(observed, "attributeName")}
            aws.call(client.update_time_to_live, TableName=name, TimeToLiveSpecification=off)
        if mapping(wanted).get("enabled"):
            clock.until(
                lambda: None if _switching(aws, name) else True,
                what=f"the end of table {name}'s former expiry, which can take an hour,",
                clock=aws.clock,
            )
            value = convert.value("Table", "timeToLive", wanted)
            aws.call(client.update_time_to_live, TableName=name, TimeToLiveSpecification=value)

    @staticmethod
    def _backups(aws: Aws, name: str) -> bool:
        answer = aws.find(aws.dynamodb().describe_continuous_backups, TableName=name)
        found: Mapping[str, Any] = answer.get("ContinuousBackupsDescription", {}) if answer else {}
        state = found.get("PointInTimeRecoveryDescription", {})
        return state.get("PointInTimeRecoveryStatus") in ("ENABLED", "ENABLING")

    def _indexes(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates, changes and deletes indexes, one per UpdateTable as DynamoDB demands.

        Raises:
            UnderstudyError: an index would have to be another one.
        """
        name = text(desired.spec, "tableName")
        # Read again: one that was on its way out when the plan was made is gone now.
        table = aws.call(aws.dynamodb().describe_table, TableName=name)["Table"]
        wanted, have = (
            indexes.named(desired.spec),
            indexes.named(convert.spec("Table", _flat(dict(table)))),
        )
        for index, definition in wanted.items():
            indexes.check(name, definition, have.get(index, definition))
        for index in have.keys() - wanted.keys():
            self._index(aws, desired, {"Delete": {"IndexName": index}})
        for index, definition in wanted.items():
            if index not in have:
                attributes = convert.params("Table", desired.spec, ["attributeDefinitions"])
                self._index(aws, desired, indexes.creation(definition), **attributes)
            elif indexes.throughput_differs(definition, have[index]):
                self._index(aws, desired, indexes.throughput(definition))

    def _index(self, aws: Aws, desired: DesiredResource, change: Any, **more: Any) -> None:  # noqa: ANN401 - as botocore takes them
        name = text(desired.spec, "tableName")
        self._change(aws, desired, TableName=name, GlobalSecondaryIndexUpdates=[change], **more)


def _busy(table: Mapping[str, Any]) -> str:
    """What the table is busy with; empty when it can be used and changed."""
    if table["TableStatus"] != "ACTIVE":
        return f"table is {table['TableStatus']}"
    for index in table.get("GlobalSecondaryIndexes", []):
        if index.get("IndexStatus", "ACTIVE") != "ACTIVE":
            return f"index {index['IndexName']} is {index['IndexStatus']}"
    return ""


def _switching(aws: Aws, name: str) -> bool:
    answer = aws.call(aws.dynamodb().describe_time_to_live, TableName=name)
    status = answer.get("TimeToLiveDescription", {}).get("TimeToLiveStatus")
    return status in ("DISABLING", "ENABLING")


def _check_attributes(desired: DesiredResource, changes: Sequence[Change]) -> None:
    for change in changes:
        if change.field == "attributeDefinitions" and change.path.endswith("attributeType"):
            raise UnderstudyError(
                "attribute-immutable",
                f"{change.path} of {desired.key} cannot change from {change.old} to {change.new}",
                hint="key another attribute, in an index with a new name",
                where=desired.where,
            )


def _as_written(spec: dict[str, Json], wanted: JsonMap) -> None:
    """Says what DynamoDB keeps in other words as the manifest says it."""
    used = {
        text(key, "attributeName")
        for holder in (
            spec,
            *items(spec.get("globalSecondaryIndexes")),
            *items(spec.get("localSecondaryIndexes")),
        )
        for key in items(holder.get("keySchema"))
    }
    # A definition whose index is gone may stay behind; nobody can take it away.
    spec["attributeDefinitions"] = [
        item for item in items(spec.get("attributeDefinitions")) if text(item, "attributeName") in used
    ]
    if not mapping(spec.get("streamSpecification")).get("streamEnabled"):
        asked = wanted.get("streamSpecification")
        spec["streamSpecification"] = None if mapping(asked).get("streamEnabled") else asked
    asked, found = mapping(wanted.get("sseSpecification")), mapping(spec.get("sseSpecification"))
    if "kmsMasterKeyID" in asked:
        key = same_key(asked["kmsMasterKeyID"], found.get("kmsMasterKeyID"))
        spec["sseSpecification"] = {**found, "kmsMasterKeyID": key}


def _stream(table: Mapping[str, Any]) -> dict[str, str]:
    return {"latestStreamARN": table["LatestStreamArn"]} if "LatestStreamArn" in table else {}


def _flat(table: dict[str, Any]) -> dict[str, Any]:
    """DescribeTable's answer with the names that CreateTable uses."""
    billing = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    table["BillingMode"] = billing
    table["TableClass"] = table.get("TableClassSummary", {}).get("TableClass", "STANDARD")
    sse = table.pop("SSEDescription", None)
    if sse:
        table["SSESpecification"] = {
            "Enabled": sse.get("Status") in ("ENABLED", "ENABLING", "UPDATING"),
            "SSEType": sse.get("SSEType"),
            "KMSMasterKeyId": sse.get("KMSMasterKeyArn"),
        }
    if billing == "PAY_PER_REQUEST":
        table.pop("ProvisionedThroughput", None)
    return table
