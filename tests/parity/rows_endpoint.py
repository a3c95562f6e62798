"""The one port, the names below ``localhost.localstack.cloud``, accounts, regions and browsers."""

import ssl
from functools import partial

import httpx

from tests.parity.model import Row
from tests.parity.world import World, refusal, words
from understudy.engine import config

AREA = "The endpoint"
_EVIL = "https://evil.example"
_SERVICES = ("apigatewayv2", "dynamodb", "ecr", "iam", "lambda", "logs", "s3", "sqs", "sts")


def _port(world: World) -> str:
    if world.is_ours:
        return str(config.parse(["--data-dir", str(world.folder)]).port)
    return str(world.port)


def _one_port(world: World) -> str:
    calls = {
        "apigatewayv2": "get_apis",
        "dynamodb": "list_tables",
        "ecr": "describe_repositories",
        "iam": "list_roles",
        "lambda": "list_functions",
        "logs": "describe_log_groups",
        "s3": "list_buckets",
        "sqs": "list_queues",
        "sts": "get_caller_identity",
    }
    return " ".join(name for name in _SERVICES if refusal(getattr(world.client(name), calls[name])) == "200")


def _https(world: World) -> str:
    try:
        answer = httpx.get(f"{world.endpoint.replace('http:', 'https:')}/_localstack/health", verify=False)
    except (httpx.TransportError, ssl.SSLError):
        return "only HTTP"
    return f"HTTPS answers {answer.status_code}"


def _host(world: World, host: str) -> str:
    answer = world.http("GET", "/_localstack/health", host=host)
    return f"answers {answer.status_code}"


def _service_host(world: World) -> str:
    form = {"Action": "ListQueues", "Version": "2012-11-05"}
    answer = world.http("POST", "/", host="sqs.us-east-1.localhost.localstack.cloud", data=form)
    return f"{answer.status_code} {'a list of queues' if 'ListQueuesResult' in answer.text else answer.text}"


def _marked(world: World) -> str:
    marker = world.http("GET", "/_localstack/health").headers.get("x-localstack")
    return "absent" if marker is None else f"x-localstack: {marker}"


def _account(world: World) -> str:
    default = world.client("sts").get_caller_identity()["Account"]
    chosen = world.client("sts", account="123456789012").get_caller_identity()["Account"]
    return f"{default} by default, {chosen} for that access key"


def _separate(world: World) -> str:
    name = world.name()
    world.client("sqs", account="111111111111").create_queue(QueueName=name)
    world.client("logs", account="111111111111").create_log_group(logGroupName=name)
    others = [
        *world.client("sqs", account="222222222222").list_queues(QueueNamePrefix=name).get("QueueUrls", []),
        *world.client("logs", account="222222222222").describe_log_groups(logGroupNamePrefix=name)[
            "logGroups"
        ],
        *world.client("sqs", account="111111111111", region="eu-west-1")
        .list_queues(QueueNamePrefix=name)
        .get("QueueUrls", []),
        *world.client("logs", account="111111111111", region="eu-west-1").describe_log_groups(
            logGroupNamePrefix=name
        )["logGroups"],
    ]
    return "seen by another" if others else "each its own"


def _unknown_region(world: World) -> str:
    answers = {refusal(world.client(name, region="xx-nowhere-1").list_queues) for name in ("sqs",)}
    answers |= {refusal(world.client("lambda", region="xx-nowhere-1").list_functions)}
    return ", ".join(sorted(answers))


def _preflight(world: World, origin: str) -> str:
    answer = world.http(
        "OPTIONS",
        "/2015-03-31/functions/",
        headers={
            "origin": origin,
            "access-control-request-method": "GET",
            "access-control-request-headers": "authorization",
        },
    )
    allowed = answer.headers.get("access-control-allow-origin")
    return f"{answer.status_code}, {'allowed' if allowed in (origin, '*') else 'not allowed'}"


def _called(world: World, origin: str) -> str:
    answer = world.http("GET", "/2015-03-31/functions/", headers={"origin": origin})
    if "ForeignOriginException" in answer.text and origin != _EVIL:
        return words(answer)
    allowed = answer.headers.get("access-control-allow-origin")
    return f"{answer.status_code}, {'readable' if allowed in (origin, '*') else 'unreadable'}"


ROWS = (
    Row(area=AREA, name="the edge port", localstack="4566", observe=_port, documented=True),
    Row(
        area=AREA,
        name="one port for all services",
        localstack=" ".join(_SERVICES),
        observe=_one_port,
        documented=True,
    ),
    Row(area=AREA, name="HTTPS on the same port", localstack="HTTPS answers 200", observe=_https),
    *(
        Row(
            area=AREA,
            name=f"the name `{host}`",
            localstack="answers 200",
            observe=partial(_host, host=host),
        )
        for host in ("localhost", "localhost.localstack.cloud", "lambda.us-east-1.localhost.localstack.cloud")
    ),
    Row(
        area=AREA,
        name="`sqs.us-east-1.localhost.localstack.cloud` names the service of an unsigned request",
        localstack="200 a list of queues",
        observe=_service_host,
    ),
    Row(area=AREA, name="the header of every answer", localstack="x-localstack: true", observe=_marked),
    Row(
        area=AREA,
        name="an access key of twelve digits is the account",
        localstack="000000000000 by default, 123456789012 for that access key",
        observe=_account,
    ),
    Row(area=AREA, name="accounts and regions", localstack="each its own", observe=_separate),
    Row(area=AREA, name="a region that AWS does not have", localstack="200", observe=_unknown_region),
    Row(
        area=AREA,
        name="CORS preflight of a page at `http://localhost:3000`",
        localstack="403, not allowed",
        observe=partial(_preflight, origin="http://localhost:3000"),
    ),
    Row(
        area=AREA,
        name="a call of a page at `http://localhost:3000`",
        localstack="403, unreadable",
        observe=partial(_called, origin="http://localhost:3000"),
    ),
    Row(
        area=AREA,
        name="a call of a page at `https://app.localstack.cloud`",
        localstack="200, readable",
        observe=partial(_called, origin="https://app.localstack.cloud"),
    ),
    Row(
        area=AREA,
        name="a call of a page at `https://evil.example`",
        localstack="403, unreadable",
        observe=partial(_called, origin=_EVIL),
    ),
)
