"""Log groups of CloudWatch Logs."""

from collections.abc import Sequence
from typing import ClassVar

from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile import convert, tags
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, items, same_key, text, touched
from understudy.reconcile.model import Change, ObservedResource


class LogGroupManager(ResourceManager):
    """Kind LogGroup, found by its name."""

    supported: ClassVar[frozenset[str]] = frozenset(
        ["kmsKeyID", "name", "retentionDays", "subscriptionFilters", "tags"]
    )
    defaults: ClassVar[JsonMap] = {"kmsKeyID": None, "retentionDays": 0, "subscriptionFilters": []}

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The log group; DescribeLogGroups searches by prefix, so the exact name is picked out."""
        name = text(desired.spec, "name")
        pages = aws.logs().get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
        found = next(
            (
                group
                for page in aws.pages(pages)
                for group in page["logGroups"]
                if group["logGroupName"] == name
            ),
            None,
        )
        if found is None:
            return None
        arn = found["arn"].removesuffix(":*")
        spec = convert.spec("LogGroup", found)
        spec["retentionDays"] = found.get("retentionInDays", 0)
        spec["kmsKeyID"] = same_key(desired.spec.get("kmsKeyID"), found.get("kmsKeyId"))
        spec["subscriptionFilters"] = self._filters(aws, name)
        if "tags" in desired.spec:
            answer = aws.call(aws.logs().list_tags_for_resource, resourceArn=arn)
            spec["tags"] = dict(answer.get("tags", {}))
        return ObservedResource(key=desired.key, spec=spec, status={"arn": arn})

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the log group, then its retention and subscriptions."""
        aws.call(aws.logs().create_log_group, **convert.create_params("LogGroup", desired.spec))
        if desired.spec.get("retentionDays"):
            self._retention(aws, desired.spec)
        self._subscribe(aws, desired.spec, {})

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed."""
        fields, arn = touched(changes), observed.status["arn"]
        if "retentionDays" in fields:
            self._retention(aws, desired.spec)
        if "kmsKeyID" in fields:
            self._key(aws, desired.spec)
        if "subscriptionFilters" in fields:
            self._subscribe(aws, desired.spec, observed.spec)
        if "tags" in fields:
            delta = tags.delta(desired.spec.get("tags"), observed.spec.get("tags"))
            if delta.put:
                aws.call(aws.logs().tag_resource, resourceArn=arn, tags=dict(delta.put))
            if delta.remove:
                aws.call(aws.logs().untag_resource, resourceArn=arn, tagKeys=list(delta.remove))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the log group with its events."""
        aws.find(aws.logs().delete_log_group, logGroupName=text(observed.spec, "name"))

    @staticmethod
    def _retention(aws: Aws, spec: JsonMap) -> None:
        name = text(spec, "name")
        if spec.get("retentionDays"):
            days = spec["retentionDays"]
            aws.call(aws.logs().put_retention_policy, logGroupName=name, retentionInDays=days)
        else:
            aws.find(aws.logs().delete_retention_policy, logGroupName=name)

    @staticmethod
    def _key(aws: Aws, spec: JsonMap) -> None:
        name, key = text(spec, "name"), text(spec, "kmsKeyID")
        if key:
            aws.call(aws.logs().associate_kms_key, logGroupName=name, kmsKeyId=key)
        else:
            aws.call(aws.logs().disassociate_kms_key, logGroupName=name)

    @staticmethod
    def _filters(aws: Aws, name: str) -> list[Json]:
        pages = aws.logs().get_paginator("describe_subscription_filters").paginate(logGroupName=name)
        found = [item for page in aws.pages(pages) for item in page.get("subscriptionFilters", [])]
        filters = convert.read("LogGroup", "subscriptionFilters", found)
        return list(filters) if isinstance(filters, list) else []

    @staticmethod
    def _subscribe(aws: Aws, spec: JsonMap, observed: JsonMap) -> None:
        """Takes away first: a log group has room for two."""
        name = text(spec, "name")
        wanted, have = _by_name(spec), _by_name(observed)
        for filter_name in have.keys() - wanted.keys():
            aws.find(aws.logs().delete_subscription_filter, logGroupName=name, filterName=filter_name)
        for filter_name, item in wanted.items():
            if {**have.get(filter_name, {}), **item} != have.get(filter_name):
                params = convert.value("LogGroup", "subscriptionFilters", [item])[0]
                aws.call(aws.logs().put_subscription_filter, logGroupName=name, **params)


def _by_name(spec: JsonMap) -> dict[str, JsonMap]:
    return {text(item, "filterName"): item for item in items(spec.get("subscriptionFilters"))}
