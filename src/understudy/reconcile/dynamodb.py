"""Tables of DynamoDB."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, JsonMap
from understudy.reconcile import clock, convert, tags
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, text, touched
from understudy.reconcile.model import Change, ObservedResource

_THROUGHPUT = ("billingMode", "provisionedThroughput", "onDemandThroughput")
# DynamoDB takes one class of change per UpdateTable.
_CLASSES: tuple[tuple[str, ...], ...] = (
    _THROUGHPUT,
    ("tableClass",),
    ("deletionProtectionEnabled",),
    ("streamSpecification",),
    ("sseSpecification",),
)


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
            "sseSpecification",
            "streamSpecification",
            "tableClass",
            "tableName",
            "tags",
            "timeToLive",
        ]
    )
    immutable: ClassVar[frozenset[str]] = frozenset({"keySchema", "localSecondaryIndexes"})
    defaults: ClassVar[JsonMap] = {
        "billingMode": "PROVISIONED",
        "tableClass": "STANDARD",
        "deletionProtectionEnabled": False,
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
        if "tags" in desired.spec:
            listed = aws.call(aws.dynamodb().list_tags_of_resource, ResourceArn=table["TableArn"])
            spec["tags"] = [{"key": tag["Key"], "value": tag["Value"]} for tag in listed.get("Tags", [])]
        if "timeToLive" in desired.spec:
            ttl = aws.call(aws.dynamodb().describe_time_to_live, TableName=name)["TimeToLiveDescription"]
            enabled = ttl.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
            spec["timeToLive"] = {"enabled": enabled, "attributeName": ttl.get("AttributeName")}
        if "continuousBackups" in desired.spec:
            backups = aws.call(aws.dynamodb().describe_continuous_backups, TableName=name)
            state = backups["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
            enabled = state.get("PointInTimeRecoveryStatus") == "ENABLED"
            spec["continuousBackups"] = {"pointInTimeRecoveryEnabled": enabled}
        status = table["TableStatus"]
        return ObservedResource(
            key=desired.key,
            spec=spec,
            status={"arn": table["TableArn"], "tableStatus": status, **_stream(table)},
            ready=status == "ACTIVE",
            reason="" if status == "ACTIVE" else f"table is {status}",
        )

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the table and waits until it is ACTIVE."""
        aws.call(aws.dynamodb().create_table, **convert.create_params("Table", desired.spec))
        self.settle(aws, desired)
        self._beside(aws, desired, frozenset(desired.spec))

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed, one class of change at a time, waiting in between."""
        fields, name = touched(changes), text(desired.spec, "tableName")
        self.settle(aws, desired)
        for group in _CLASSES:
            if fields & set(group):
                params = convert.params("Table", {**self.defaults, **desired.spec}, group)
                self._change(aws, desired, TableName=name, **params)
        if fields & {"globalSecondaryIndexes", "attributeDefinitions"}:
            self._indexes(aws, desired, observed)
        self._beside(aws, desired, fields)
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
        """Deletes the table with its items and waits until it is gone."""
        name = text(observed.spec, "tableName")
        aws.find(aws.dynamodb().delete_table, TableName=name)
        clock.until(
            lambda: True if aws.find(aws.dynamodb().describe_table, TableName=name) is None else None,
            what=f"deletion of table {name}",
            clock=aws.clock,
        )

    def settle(self, aws: Aws, desired: DesiredResource) -> None:
        """Waits until the table is ACTIVE."""
        name = text(desired.spec, "tableName")

        def active() -> bool | None:
            table = aws.call(aws.dynamodb().describe_table, TableName=name)["Table"]
            indexes = [
                index.get("IndexStatus", "ACTIVE") for index in table.get("GlobalSecondaryIndexes", [])
            ]
            return True if {table["TableStatus"], *indexes} == {"ACTIVE"} else None

        clock.until(active, what=f"table {name} becoming ACTIVE", clock=aws.clock)

    def _change(self, aws: Aws, desired: DesiredResource, **params: Any) -> None:  # noqa: ANN401 - as botocore takes them
        aws.call(aws.dynamodb().update_table, **params)
        self.settle(aws, desired)

    def _beside(self, aws: Aws, desired: DesiredResource, fields: frozenset[str]) -> None:
        """What is no part of the table itself."""
        name, spec = text(desired.spec, "tableName"), desired.spec
        if "timeToLive" in fields and "timeToLive" in spec:
            value = convert.value("Table", "timeToLive", spec["timeToLive"])
            aws.call(aws.dynamodb().update_time_to_live, TableName=name, TimeToLiveSpecification=value)
        if "continuousBackups" in fields and "continuousBackups" in spec:
            value = convert.value("Table", "continuousBackups", spec["continuousBackups"])
            aws.call(
                aws.dynamodb().update_continuous_backups,
                TableName=name,
                PointInTimeRecoverySpecification=value,
            )

    def _indexes(self, aws: Aws, desired: DesiredResource, observed: ObservedResource) -> None:
        """Creates and deletes indexes, one per UpdateTable as DynamoDB demands."""
        name = text(desired.spec, "tableName")
        wanted, have = _indexes(desired.spec), _indexes(observed.spec)
        for index in have.keys() - wanted.keys():
            self._change(
                aws, desired, TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": index}}]
            )
        attributes = convert.value("Table", "attributeDefinitions", desired.spec["attributeDefinitions"])
        for index, definition in wanted.items():
            if index in have and have[index].get("keySchema") != definition.get("keySchema"):
                raise UnderstudyError(
                    "index-immutable",
                    f"index {index} of table {name} cannot change its keys",
                    hint="give the index a new name",
                )
            if index not in have:
                creation = convert.value("Table", "globalSecondaryIndexes", [definition])[0]
                self._change(
                    aws,
                    desired,
                    TableName=name,
                    AttributeDefinitions=attributes,
                    GlobalSecondaryIndexUpdates=[{"Create": creation}],
                )


def _indexes(spec: JsonMap) -> dict[str, JsonMap]:
    found = spec.get("globalSecondaryIndexes")
    items = found if isinstance(found, list | tuple) else ()
    return {str(item["indexName"]): item for item in items if isinstance(item, Mapping)}


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
            "Enabled": sse.get("Status") in ("ENABLED", "ENABLING"),
            "SSEType": sse.get("SSEType"),
            "KMSMasterKeyId": sse.get("KMSMasterKeyArn"),
        }
    if billing == "PAY_PER_REQUEST":
        table.pop("ProvisionedThroughput", None)
    return table
