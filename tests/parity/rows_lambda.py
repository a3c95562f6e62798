"""ECR, image functions, and the hosts and paths under which functions and APIs are reached."""

import json
import re
import socket
import uuid
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.contract.engine_process import eventually
from tests.parity.model import Row
from tests.parity.world import World, create_function, invoke, logs_of, refusal

AREA = "Functions"
_DOMAIN = "localhost.localstack.cloud"
_PATIENCE_S = 60.0


def _repository(world: World) -> str:
    world.image()
    uri: str = world.client("ecr").describe_repositories(repositoryNames=["parity"])["repositories"][0][
        "repositoryUri"
    ]
    return uri.replace(f":{world.port}", ":4566")


def _create(world: World) -> str:
    code = world.client("lambda").get_function(FunctionName=world.function())["Code"]
    resolved = code.get("ResolvedImageUri", "")
    return "by digest" if resolved.endswith(world.image().partition("@")[2]) else resolved


def _create_by(world: World, host: str) -> str:
    digest = world.image().partition("@")[2]
    arn = create_function(world.client("lambda"), f"{host}:{world.port}/parity@{digest}")
    return f"runs, {invoke(world.client('lambda'), arn, {})['calls']} call"


def _invoked(world: World) -> str:
    return f"answers {invoke(world.client('lambda'), world.function(), {'a': 1})['event']}"


def _environment(world: World, *names: str) -> str:
    seen = invoke(world.client("lambda"), world.function(), {})["environment"]
    return " ".join(f"{name} {'set' if name in seen else 'unset'}" for name in names)


def _endpoint_in_function(world: World) -> str:
    seen = invoke(world.client("lambda"), world.function(), {})["environment"]
    return "set" if seen.get("AWS_ENDPOINT_URL", "").startswith("http") else "unset"


def _zip(world: World) -> str:
    def create() -> Any:
        return world.client("lambda").create_function(
            FunctionName=world.name(),
            Runtime="python3.13",
            Handler="app.handler",
            Role="arn:aws:iam::000000000000:role/parity",
            Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        )

    return refusal(create)


def _layers(world: World) -> str:
    return refusal(world.client("lambda").list_layers)


def _http_api(world: World) -> dict[str, Any]:
    created: dict[str, Any] = world.client("apigatewayv2").create_api(
        Name=world.name(), ProtocolType="HTTP", Target=world.function()
    )
    _permit(world, "apigateway.amazonaws.com")
    return created


def _permit(world: World, principal: str) -> None:
    world.client("lambda").add_permission(
        FunctionName=world.function(),
        StatementId=world.name(),
        Action="lambda:InvokeFunction",
        Principal=principal,
    )


def _reached(answer: httpx.Response) -> str:
    if answer.status_code != 200 or "event" not in answer.text:
        return f"{answer.status_code} {answer.text[:120]}"
    event = answer.json()["event"]
    return f"payload {event.get('version', '1.0')}, path {event.get('rawPath') or event.get('path')}"


def _http_api_host(world: World, suffix: str) -> str:
    api = _http_api(world)["ApiId"]
    return _reached(world.http("GET", "/health", host=f"{api}.execute-api.{suffix}"))


def _http_api_path(world: World) -> str:
    return _reached(world.http("GET", f"/_aws/execute-api/{_http_api(world)['ApiId']}/$default/health"))


def _http_api_endpoint(world: World) -> str:
    created = _http_api(world)
    told = created["ApiEndpoint"].replace(created["ApiId"], "API").replace(f":{world.port}", ":4566")
    return str(told)


def _rest_api(world: World) -> str:
    """The id of a deployed REST API that hands everything to the function, stage ``dev``."""
    client = world.client("apigateway")
    api: str = client.create_rest_api(name=world.name())["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    proxy = client.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
    where = {"restApiId": api, "resourceId": proxy, "httpMethod": "ANY"}
    client.put_method(**where, authorizationType="NONE")
    client.put_integration(
        **where,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{world.function()}/invocations",
    )
    client.create_deployment(restApiId=api, stageName="dev")
    _permit(world, "apigateway.amazonaws.com")
    return api


def _rest_api_at(world: World, host: str | None, path: str) -> str:
    api = _rest_api(world)
    named = host.format(api=api) if host else None
    return _reached(world.http("GET", path.format(api=api), host=named))


def _function_url(world: World, mode: str = "BUFFERED") -> str:
    client, arn = world.client("lambda"), create_function(world.client("lambda"), world.image())
    answer = client.create_function_url_config(FunctionName=arn, AuthType="NONE", InvokeMode=mode)
    # Both are asked for since October 2025: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    client.add_permission(
        FunctionName=arn,
        StatementId="url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    client.add_permission(
        FunctionName=arn,
        StatementId="function",
        Action="lambda:InvokeFunction",
        Principal="*",
        InvokedViaFunctionUrl=True,
    )
    return str(answer["FunctionUrl"])


def _url_form(world: World) -> str:
    url = _function_url(world).replace(f":{world.port}", ":4566")
    return re.sub(r"//[a-z0-9]+\.", "//ID.", url)


def _url_host(world: World) -> str:
    return _reached(world.http("GET", "/health", host=urlsplit(_function_url(world)).hostname))


def _url_streams(world: World) -> str:
    """Whether the first part is here before the function, waiting for word from here, writes another."""
    url = _function_url(world, "RESPONSE_STREAM")
    with socket.create_server(("127.0.0.1", 0)) as told:
        path = f"{world.endpoint}/stream?port={told.getsockname()[1]}"
        headers = {"host": urlsplit(url).netloc}
        with httpx.stream("GET", path, headers=headers, timeout=_PATIENCE_S) as answer:
            parts = answer.iter_raw()
            try:
                first = next(parts).decode()
            except httpx.ReadTimeout:
                return "whole, at the end"
            connection, _ = told.accept()
            with connection:
                connection.sendall(b"second")
            return f"{first}, then {b''.join(parts).decode()}"


def _streamed(world: World) -> str:
    answer = world.client("lambda").invoke_with_response_stream(FunctionName=world.function(), Payload=b"{}")
    chunks = [event["PayloadChunk"]["Payload"] for event in answer["EventStream"] if "PayloadChunk" in event]
    return f"answers {json.loads(b''.join(chunks))['statusCode']}"


def _mapping(world: World) -> str:
    arn = create_function(world.client("lambda"), world.image())
    queue = world.client("sqs").create_queue(QueueName=world.name(), Attributes={"VisibilityTimeout": "60"})
    attributes = world.client("sqs").get_queue_attributes(
        QueueUrl=queue["QueueUrl"], AttributeNames=["QueueArn"]
    )

    def create() -> Any:
        return world.client("lambda").create_event_source_mapping(
            FunctionName=arn, EventSourceArn=attributes["Attributes"]["QueueArn"]
        )

    told = refusal(create)
    world.client("sqs").send_message(QueueUrl=queue["QueueUrl"], MessageBody="text")
    group = f"/aws/lambda/{arn.rpartition(':')[2]}"
    eventually(lambda: logs_of(world.client("logs"), group, "called"), f"{group} tells of a call")
    return f"{told}, and the function is called"


def _cors(world: World, origin: str) -> str:
    client = world.client("apigatewayv2")
    made = client.create_api(
        Name=world.name(),
        ProtocolType="HTTP",
        Target=world.function(),
        CorsConfiguration={"AllowOrigins": ["https://app.example"], "AllowMethods": ["GET"]},
    )
    asked = {"origin": origin, "access-control-request-method": "GET"}
    host = f"{made['ApiId']}.execute-api.{_DOMAIN}"
    answer = world.http("OPTIONS", "/health", host=host, headers=asked)
    allowed = answer.headers.get("access-control-allow-origin") in (origin, "*")
    return f"{answer.status_code}, {'allowed' if allowed else 'not allowed'}"


def _custom_id(world: World) -> str:
    name = f"p{uuid.uuid4().hex[:9]}"
    made: str = world.client("apigatewayv2").create_api(
        Name=name, ProtocolType="HTTP", Tags={"_custom_id_": name}
    )["ApiId"]
    return "is the id" if made == name else "is a tag"


def _logs(world: World) -> str:
    arn = create_function(world.client("lambda"), world.image())
    invoke(world.client("lambda"), arn, {})
    group = f"/aws/lambda/{arn.rpartition(':')[2]}"
    client = world.client("logs")
    eventually(lambda: logs_of(client, group, "REPORT"), f"{group} has a REPORT")
    kinds = {event["message"].split(maxsplit=1)[0].rstrip(":") for event in logs_of(client, group, "")}
    return f"{group.rpartition('/')[0]}: {' '.join(sorted(kinds & {'START', 'END', 'REPORT', 'called'}))}"


_ECR = f"000000000000.dkr.ecr.us-east-1.{_DOMAIN}"
_V2, _V1 = "payload 2.0, path /health", "payload 1.0, path /health"
ROWS = (
    Row(
        area=AREA,
        name="`repositoryUri` of ECR",
        localstack=f"{_ECR}:4566/parity",
        observe=_repository,
        documented=True,
    ),
    Row(
        area=AREA,
        name="a function of an image in that repository",
        localstack="by digest",
        observe=_create,
        documented=True,
    ),
    *(
        Row(
            area=AREA,
            name=f"an image named as `{host}:4566/...`",
            localstack="runs, 1 call",
            observe=partial(_create_by, host=host),
            documented=True,
        )
        for host in (_ECR, "localhost")
    ),
    Row(area=AREA, name="`Invoke`", localstack="answers {'a': 1}", observe=_invoked, documented=True),
    Row(
        area=AREA,
        name="`InvokeWithResponseStream`",
        localstack="not implemented",
        observe=_streamed,
        documented=True,
    ),
    Row(
        area=AREA,
        name="AWS_ENDPOINT_URL in a function",
        localstack="set",
        observe=_endpoint_in_function,
        documented=True,
    ),
    Row(
        area=AREA,
        name="variables of LocalStack's own in a function",
        localstack="LOCALSTACK_HOSTNAME set EDGE_PORT set",
        observe=lambda world: _environment(world, "LOCALSTACK_HOSTNAME", "EDGE_PORT"),
        documented=True,
    ),
    Row(
        area=AREA,
        name="its log in CloudWatch Logs",
        localstack="/aws/lambda: END REPORT START called",
        observe=_logs,
        documented=True,
    ),
    Row(area=AREA, name="a function of a ZIP archive", localstack="201", observe=_zip),
    Row(area=AREA, name="layers", localstack="200", observe=_layers),
    Row(
        area=AREA,
        name="`ApiEndpoint` of an HTTP API",
        localstack=f"http://API.execute-api.{_DOMAIN}:4566",
        observe=_http_api_endpoint,
        documented=True,
    ),
    *(
        Row(
            area=AREA,
            name=f"an HTTP API at `API.execute-api.{suffix}`",
            localstack=_V2,
            observe=partial(_http_api_host, suffix=suffix),
            documented=True,
        )
        for suffix in (_DOMAIN, "us-east-1.amazonaws.com")
    ),
    Row(
        area=AREA,
        name="an HTTP API at `/_aws/execute-api/API/$default/...`",
        localstack=_V2,
        observe=_http_api_path,
        documented=True,
    ),
    *(
        Row(
            area=AREA,
            name=f"a REST API at `{host or ''}{path}`".replace("{api}", "API"),
            localstack=_V1,
            observe=partial(_rest_api_at, host=host, path=path),
            documented=True,
        )
        for host, path in (
            (f"{{api}}.execute-api.{_DOMAIN}", "/dev/health"),
            (None, "/_aws/execute-api/{api}/dev/health"),
            (None, "/restapis/{api}/dev/_user_request_/health"),
        )
    ),
    Row(
        area=AREA,
        name="the form of a function's URL",
        localstack=f"http://ID.lambda-url.us-east-1.{_DOMAIN}:4566/",
        observe=_url_form,
        documented=True,
    ),
    Row(area=AREA, name="a function behind its URL", localstack=_V2, observe=_url_host, documented=True),
    Row(
        area=AREA,
        name="a function behind its URL, InvokeMode RESPONSE_STREAM",
        localstack="whole, at the end",
        observe=_url_streams,
        documented=True,
    ),
    *(
        Row(
            area=AREA,
            name=f"CORS preflight of a page that an HTTP API {'names' if allowed else 'does not name'}",
            localstack=f"204, {'allowed' if allowed else 'not allowed'}",
            observe=partial(_cors, origin=f"https://{'app' if allowed else 'other'}.example"),
            documented=True,
        )
        for allowed in (True, False)
    ),
    Row(
        area=AREA,
        name="the tag `_custom_id_` of an API",
        localstack="is the id",
        observe=_custom_id,
        documented=True,
    ),
    Row(
        area=AREA,
        name="an event source mapping from SQS",
        localstack="202, and the function is called",
        observe=_mapping,
        documented=True,
    ),
)
