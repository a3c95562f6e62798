"""Kinds of SQS."""

from understudy.manifests.kind import ExtraField, Kind, RefField

# ACK writes the attributes of CreateQueue and SetQueueAttributes as fields of their own, each a text.
# https://github.com/aws-controllers-k8s/sqs-controller, generator.yaml
_ATTRIBUTES = (
    "contentBasedDeduplication",
    "delaySeconds",
    "fifoQueue",
    "kmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyID",
    "maximumMessageSize",
    "messageRetentionPeriod",
    "policy",
    "receiveMessageWaitTimeSeconds",
    "redriveAllowPolicy",
    "redrivePolicy",
    "sqsManagedSSEEnabled",
    "visibilityTimeout",
)

_QUEUE = Kind(
    name="Queue",
    group="sqs.services.k8s.aws",
    service="sqs",
    create="CreateQueue",
    found_by=("queueName",),
    identity="queueName",
    absent=frozenset({"Attributes"}),
    extra={name: ExtraField(simple="string") for name in _ATTRIBUTES},
    refs={"kmsMasterKeyRef": RefField(value="kmsMasterKeyID", kind="Key", result="arn")},
    required=("queueName",),
    documents=frozenset({"policy", "redriveAllowPolicy", "redrivePolicy"}),
)

KINDS = (_QUEUE,)
