"""Log groups of CloudWatch Logs."""

from collections.abc import Sequence
from typing import ClassVar

from understudy.manifests.model import DesiredResource, JsonMap
from understudy.reconcile import convert, tags
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, text, touched
from understudy.reconcile.model import Change, ObservedResource


class LogGroupManager(ResourceManager):
    """Kind LogGroup, found by its name."""

    supported: ClassVar[frozenset[str]] = frozenset(["kmsKeyID", "name", "retentionDays", "tags"])
    defaults: ClassVar[JsonMap] = {"retentionDays": 0}

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
        if "tags" in desired.spec:
            answer = aws.call(aws.logs().list_tags_for_resource, resourceArn=arn)
            spec["tags"] = dict(answer.get("tags", {}))
        return ObservedResource(key=desired.key, spec=spec, status={"arn": arn})

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the log group and sets its retention."""
        aws.call(aws.logs().create_log_group, **convert.create_params("LogGroup", desired.spec))
        if desired.spec.get("retentionDays"):
            self._retention(aws, desired.spec)

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed."""
        fields, name, arn = touched(changes), text(desired.spec, "name"), observed.status["arn"]
        if "retentionDays" in fields:
            self._retention(aws, desired.spec)
        if "kmsKeyID" in fields:
            key = text(desired.spec, "kmsKeyID")
            aws.call(aws.logs().associate_kms_key, logGroupName=name, kmsKeyId=key)
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
