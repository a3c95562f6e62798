"""Kinds of SQS and SNS."""

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

# As above, of CreateTopic and SetTopicAttributes; dataProtectionPolicy is a member of CreateTopic.
# https://github.com/aws-controllers-k8s/sns-controller, config/crd/bases at 4356539
_TOPIC_ATTRIBUTES = (
    "contentBasedDeduplication",
    "deliveryPolicy",
    "displayName",
    "fifoTopic",
    "kmsMasterKeyID",
    "policy",
    "signatureVersion",
    "tracingConfig",
)

_TOPIC = Kind(
    name="Topic",
    group="sns.services.k8s.aws",
    service="sns",
    create="CreateTopic",
    found_by=("arn",),
    identity="name",
    absent=frozenset({"Attributes"}),
    extra={name: ExtraField(simple="string") for name in _TOPIC_ATTRIBUTES},
    refs={"kmsMasterKeyRef": RefField(value="kmsMasterKeyID", kind="Key", result="arn")},
    required=("name",),
    documents=frozenset({"dataProtectionPolicy", "deliveryPolicy", "policy"}),
)

KINDS = (_QUEUE, _TOPIC)
