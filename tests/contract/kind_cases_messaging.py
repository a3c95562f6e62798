"""The lives of queues and topics; see `kind_case`."""

from tests.contract.kind_case import ACCOUNT, KEY, Case, policy, to_json

_DELEGATED = "the engine hands this service to its delegate, MiniStack, which stands beside it here"
_ARN = f"arn:aws:sqs:us-east-1:{ACCOUNT}:kinds-queue"
_DEAD = f"arn:aws:sqs:us-east-1:{ACCOUNT}:kinds-dead"

_TOPIC_ARN = f"arn:aws:sns:us-east-1:{ACCOUNT}:kinds-topic"

_RETRIES = {"minDelayTarget": 2, "maxDelayTarget": 9, "numRetries": 5}


def _redrive(count: int) -> str:
    return to_json({"deadLetterTargetArn": _DEAD, "maxReceiveCount": count})


QUEUE = Case(
    kind="Queue",
    base={
        "queueName": "kinds-queue",
        "delaySeconds": "1",
        "messageRetentionPeriod": "600",
        "receiveMessageWaitTimeSeconds": "2",
        "visibilityTimeout": "60",
        "maximumMessageSize": "2048",
        "redrivePolicy": _redrive(3),
        "tags": {"a": "1", "b": "2"},
    },
    needs=(("Queue", {"queueName": "kinds-dead"}),),
    steps={
        "hidden for longer": {"visibilityTimeout": "90"},
        "as hidden as any": {"visibilityTimeout": None},
        "given up on later": {"redrivePolicy": _redrive(5)},
        "never given up on": {"redrivePolicy": None},
        "a policy": {
            "policy": policy("sqs:SendMessage", _ARN, Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
        },
        "no policy": {"policy": None},
        "a key": {"kmsMasterKeyID": KEY, "kmsDataKeyReusePeriodSeconds": "600"},
        "sources": {"redriveAllowPolicy": to_json({"redrivePermission": "denyAll"})},
        "any source": {"redriveAllowPolicy": None},
        "other tags": {"tags": {"b": "3", "c": "4"}},
    },
    lacks={
        "moto": {"redriveAllowPolicy": "moto forgets who may redrive"},
        "engine": {"*": _DELEGATED},
    },
)

FIFO = Case(
    name="Queue-fifo",
    kind="Queue",
    base={"queueName": "kinds.fifo", "fifoQueue": "true", "contentBasedDeduplication": "true"},
    steps={
        "by id": {"contentBasedDeduplication": "false"},
        "plain": {"sqsManagedSSEEnabled": "false"},
    },
    lacks={"engine": {"*": _DELEGATED}},
)

TOPIC = Case(
    kind="Topic",
    base={
        "name": "kinds-topic",
        "displayName": "Kinds",
        "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}],
    },
    steps={
        "another name for people": {"displayName": "Others"},
        "none": {"displayName": None},
        "a policy": {
            "policy": policy("sns:Publish", _TOPIC_ARN, Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
        },
        "another signature": {"signatureVersion": "2"},
        "traced": {"tracingConfig": "Active"},
        "more patient": {"deliveryPolicy": to_json({"http": {"defaultHealthyRetryPolicy": _RETRIES}})},
        "a key": {"kmsMasterKeyID": KEY},
        "no key": {"kmsMasterKeyID": None},
        "other tags": {"tags": [{"key": "b", "value": "3"}, {"key": "c", "value": "4"}]},
    },
    lacks={
        "moto": {
            "another signature": "moto knows no SignatureVersion",
            "traced": "moto knows no TracingConfig",
        },
        "engine": {"*": _DELEGATED},
    },
)

FIFO_TOPIC = Case(
    name="Topic-fifo",
    kind="Topic",
    base={"name": "kinds-topic.fifo", "fifoTopic": "true", "contentBasedDeduplication": "true"},
    steps={"by id": {"contentBasedDeduplication": "false"}},
    lacks={"engine": {"*": _DELEGATED}},
)

CASES: tuple[Case, ...] = (QUEUE, FIFO, TOPIC, FIFO_TOPIC)
