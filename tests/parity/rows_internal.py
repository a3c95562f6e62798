"""Endpoints below ``/_localstack/`` and ``/_aws/``."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.parity.model import Row, SkippedError
from tests.parity.world import World, words

AREA = "Endpoints of its own"
# What the community edition lists; ECR and HTTP APIs of API Gateway are in the paid ones.
_LISTED = frozenset(
    """
    acm apigateway cloudformation cloudwatch config dynamodb dynamodbstreams ec2 es events firehose iam
    kinesis kms lambda logs opensearch redshift resource-groups resourcegroupstaggingapi route53
    route53resolver s3 s3control scheduler secretsmanager ses sns sqs ssm stepfunctions sts support swf
    transcribe
    """.split()  # noqa: SIM905 - LocalStack's own list, as its health document has it
)
_STATES = frozenset(("available", "running", "starting", "disabled", "error"))


def _document(world: World, path: str) -> dict[str, Any]:
    answer = world.http("GET", path)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    document = answer.json()
    assert isinstance(document, dict)
    return document


def _keys(world: World, path: str) -> str:
    return " ".join(sorted(_document(world, path)))


def _states(world: World) -> str:
    states = set(_document(world, "/_localstack/health")["services"].values())
    return "as documented" if states <= _STATES else f"{sorted(states - _STATES)}"


def _missing(world: World) -> str:
    missing = sorted(_LISTED - set(_document(world, "/_localstack/health")["services"]))
    return f"without {' '.join(missing)}" if missing else "all of the community edition"


def _edition(world: World) -> str:
    edition = str(_document(world, "/_localstack/health")["edition"])
    return "community" if edition in ("community", "unknown", "pro") else edition


def _health(world: World, method: str, body: Mapping[str, str] | None = None) -> str:
    return _told(world, method, "/_localstack/health", body)


def _restart(world: World) -> str:
    """What an engine of ours says; another endpoint is not restarted under the other rows."""
    if not world.is_ours:
        raise SkippedError("would restart the endpoint")
    return _health(world, "POST", {"action": "restart"})


def _put(world: World) -> str:
    world.http("PUT", "/_localstack/health", json={"features:initScripts": "initialized"})
    return f"features {_document(world, '/_localstack/health').get('features')}"


def _init(world: World) -> str:
    document = _document(world, "/_localstack/init")
    return f"{' '.join(document)}: {' '.join(document['completed'])}"


def _stage(world: World) -> str:
    document = _document(world, "/_localstack/init/ready")
    return f"completed {document['completed']}, {type(document['scripts']).__name__} of scripts"


def _told(world: World, method: str, path: str, body: Mapping[str, str] | None = None) -> str:
    """Status and, of a refusal, the words."""
    answer = world.http(method, path, **({} if body is None else {"json": body}))
    if answer.status_code == 501:
        return words(answer)
    is_text = "text/plain" in answer.headers.get("content-type", "")
    return f"{answer.status_code} {answer.text if is_text else ''}".strip()


def _messages(world: World) -> str:
    client = world.client("sqs")
    url = client.create_queue(QueueName=world.name())["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="text")
    answer = world.http(
        "GET", "/_aws/sqs/messages", params={"QueueUrl": url}, headers={"accept": "application/json"}
    )
    if answer.status_code == 501:
        return words(answer)
    return f"{answer.status_code}, the message {'is' if 'text' in answer.text else 'is not'} shown"


def _mails(world: World) -> str:
    client, sender = world.client("ses"), f"{world.name()}@example.com"
    client.verify_email_identity(EmailAddress=sender)
    client.send_email(
        Source=sender,
        Destination={"ToAddresses": ["to@example.com"]},
        Message={"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}},
    )
    answer = world.http("GET", "/_aws/ses")
    if answer.status_code == 501:
        return words(answer)
    return f"{answer.status_code}, the mail {'is' if sender in answer.text else 'is not'} shown"


def _queue_url(world: World) -> str:
    url: str = world.client("sqs").create_queue(QueueName="named")["QueueUrl"]
    return url.replace(f":{world.port}", ":4566")


_PAID = "paid editions only"
ROWS = (
    Row(
        area=AREA,
        name="`GET /_localstack/health`",
        localstack="edition services version",
        observe=partial(_keys, path="/_localstack/health"),
    ),
    Row(
        area=AREA, name="health: the words for a service's state", localstack="as documented", observe=_states
    ),
    Row(area=AREA, name="health: the services", localstack="all of the community edition", observe=_missing),
    Row(area=AREA, name="health: `edition` says who answers", localstack="community", observe=_edition),
    Row(
        area=AREA,
        name="`HEAD /_localstack/health`",
        localstack="200",
        observe=partial(_health, method="HEAD"),
    ),
    Row(
        area=AREA,
        name="`PUT /_localstack/health` adds to the document",
        localstack="features {'initScripts': 'initialized'}",
        observe=_put,
    ),
    Row(
        area=AREA,
        name='`POST /_localstack/health` with `{"action": "restart"}`',
        localstack="200",
        observe=_restart,
    ),
    Row(
        area=AREA,
        name="`GET /_localstack/info`",
        localstack="edition is_docker is_license_activated machine_id server_time_utc session_id system "
        "uptime version",
        observe=partial(_keys, path="/_localstack/info"),
    ),
    Row(
        area=AREA,
        name="`GET /_localstack/init`",
        localstack="completed scripts: BOOT START READY SHUTDOWN",
        observe=_init,
    ),
    Row(
        area=AREA,
        name="`GET /_localstack/init/ready`",
        localstack="completed True, list of scripts",
        observe=_stage,
    ),
    Row(
        area=AREA,
        name="`GET /_localstack/init/nonsense`",
        localstack="404 no such stage nonsense",
        observe=partial(_told, method="GET", path="/_localstack/init/nonsense"),
    ),
    Row(
        area=AREA,
        name="`GET /_localstack/plugins`",
        localstack="200",
        observe=partial(_told, method="GET", path="/_localstack/plugins"),
    ),
    Row(
        area=AREA,
        name="`GET /_localstack/swagger`",
        localstack="200",
        observe=partial(_told, method="GET", path="/_localstack/swagger"),
    ),
    *(
        Row(
            area=AREA,
            name=f"`GET /_localstack/{name}`, which is off unless asked for",
            localstack="404",
            observe=partial(_told, method="GET", path=f"/_localstack/{name}"),
        )
        for name in ("config", "diagnose", "usage")
    ),
    *(
        Row(
            area=AREA,
            name=f"`{method} /_localstack/{path}`",
            localstack=_PAID,
            observe=partial(_told, method=method, path=f"/_localstack/{path}"),
            documented=True,
        )
        for method, path in (("POST", "state/reset"), ("POST", "state/save"), ("GET", "pods/state"))
    ),
    Row(
        area=AREA,
        name="`GET /_aws/sqs/messages` looks into a queue",
        localstack="200, the message is shown",
        observe=_messages,
    ),
    Row(
        area=AREA,
        name="`GET /_aws/ses` shows sent mails",
        localstack="200, the mail is shown",
        observe=_mails,
    ),
    Row(
        area=AREA,
        name="`GET /_aws/lambda/runtimes`",
        localstack="200",
        observe=partial(_told, method="GET", path="/_aws/lambda/runtimes"),
    ),
    Row(
        area=AREA,
        name="queue URLs",
        localstack="http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/named",
        observe=_queue_url,
    ),
)
