"""Command line tools and libraries, run as their users run them."""

import json
from functools import partial

from tests.parity.model import Row
from tests.parity.world import World

AREA = "Tools"
_CALLS = {
    "lambda": "list-functions",
    "s3": "ls",
    "dynamodb": "list-tables",
    "ecr": "describe-repositories",
    "apigatewayv2": "get-apis",
    "logs": "describe-log-groups",
    "sts": "get-caller-identity",
    "sqs": "list-queues",
}


def _awslocal(world: World, service: str) -> str:
    world.run(["awslocal", service, _CALLS[service]], {"AWS_ENDPOINT_URL": world.endpoint})
    return "works"


def _awslocal_host(world: World) -> str:
    host = world.endpoint.partition("//")[2]
    answer = world.run(["awslocal", "sts", "get-caller-identity"], {"LOCALSTACK_HOST": host})
    return f"account {json.loads(answer)['Account']}"


def _endpoint_url(world: World) -> str:
    command = ["aws", "sts", "get-caller-identity", "--query", "Account", "--output", "text"]
    return f"account {world.run(command, {'AWS_ENDPOINT_URL': world.endpoint}).strip()}"


def _endpoint_url_of_a_service(world: World) -> str:
    name = world.bucket()
    elsewhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": world.endpoint}
    listed = world.run(["aws", "s3api", "list-buckets", "--query", "Buckets[].Name"], elsewhere)
    return "works" if name in listed else "another's buckets"


def _status(world: World, form: str) -> str:
    host = world.endpoint.partition("//")[2]
    command = [str(world.tools / "localstack"), "status", "services", "--format", form]
    told = world.run(command, {"LOCALSTACK_HOST": host})
    return "lists lambda and s3" if "lambda" in told and "s3" in told else told


def _s3_sync(world: World) -> str:
    name, folder = world.bucket(), world.folder / world.name()
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "file").write_text("text")
    environ = {"AWS_ENDPOINT_URL": world.endpoint}
    world.run(["awslocal", "s3", "sync", str(folder), f"s3://{name}/"], environ)
    return world.run(["awslocal", "s3", "cp", f"s3://{name}/sub/file", "-"], environ)


ROWS = (
    *(
        Row(
            area=AREA,
            name=f"`awslocal {name} {call}`",
            localstack="works",
            observe=partial(_awslocal, service=name),
            documented=name in ("dynamodb", "ecr", "apigatewayv2"),
        )
        for name, call in _CALLS.items()
    ),
    Row(
        area=AREA,
        name="`awslocal` with LOCALSTACK_HOST",
        localstack="account 000000000000",
        observe=_awslocal_host,
    ),
    Row(area=AREA, name="`awslocal s3 sync` and `s3 cp`", localstack="text", observe=_s3_sync),
    Row(
        area=AREA,
        name="`aws` with AWS_ENDPOINT_URL",
        localstack="account 000000000000",
        observe=_endpoint_url,
    ),
    Row(
        area=AREA,
        name="`aws` with AWS_ENDPOINT_URL_S3",
        localstack="works",
        observe=_endpoint_url_of_a_service,
    ),
    *(
        Row(
            area=AREA,
            name=f"`localstack status services --format {form}`",
            localstack="lists lambda and s3",
            observe=partial(_status, form=form),
        )
        for form in ("table", "json")
    ),
)
