"""Lambda with functions of this process before the real delegate: real queues, streams and buckets."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import boto3
import uvicorn
from botocore.config import Config

from tests.contract.engine_process import delegate_python
from tests.fakes.lambda_world import World
from understudy.engine.app import Engine, respond
from understudy.engine.delegate.launch import MiniStack
from understudy.engine.delegate.supervisor import SupervisedDelegate
from understudy.engine.functions import LambdaConfig
from understudy.engine.functions.events import EventTimes
from understudy.engine.functions.sources import PollTimes
from understudy.engine.protocol import HttpResponse, Receive, Scope, Send
from understudy.sandbox.model import InvokeRequest, SandboxSpec

_QUICK = LambdaConfig(
    event_times=EventTimes(retries_s=(0.05, 0.1), first_backoff_s=0.05),
    poll_times=PollTimes(idle_s=0.05, retry_s=0.05, trouble_s=0.2),
)


class _Nothing:
    def matches(self, scope: Scope) -> bool:
        return False

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, HttpResponse(status=599))


class Functions:
    """What the functions of this process were given, and what they answer, by name."""

    def __init__(self) -> None:
        self.given: dict[str, list[dict[str, Any]]] = {}
        self.code: dict[str, Callable[[dict[str, Any]], object]] = {}

    async def __call__(self, spec: SandboxSpec, request: InvokeRequest) -> bytes:
        """Runs the function's code, which may raise."""
        event = json.loads(request.payload)
        self.given.setdefault(spec.function_name, []).append(event)
        return json.dumps(self.code.get(spec.function_name, lambda _: None)(event)).encode()

    def records(self, name: str) -> list[dict[str, Any]]:
        """Every record that the function was given, in order."""
        return [record for event in self.given.get(name, []) for record in event["Records"]]


class EventWorld:
    """The service, the functions' code, and real SDK clients whose calls run in threads."""

    def __init__(self, world: World, url: str) -> None:
        self.lambda_ = world
        self.functions = Functions()
        self._url = url
        self._clients: dict[str, Any] = {}

    async def call(self, service: str, operation: str, **params: Any) -> Any:
        """The answer of an operation, by the SDK and over HTTP."""
        client = self._clients.get(service) or self._clients.setdefault(service, self._client(service))
        return await asyncio.to_thread(lambda: getattr(client, operation)(**params))

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self._url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}, max_pool_connections=16),
        )

    async def function(self, name: str, code: Callable[[dict[str, Any]], object], **params: Any) -> str:
        """The ARN of an active function that runs `code`."""
        self.functions.code[name] = code
        return str((await self.lambda_.active(FunctionName=name, **params))["FunctionArn"])

    async def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """URL and ARN of a new queue."""
        url = (await self.call("sqs", "create_queue", QueueName=name, Attributes=attributes))["QueueUrl"]
        return url, f"arn:aws:sqs:us-east-1:000000000000:{name}"

    async def message(self, url: str) -> dict[str, Any]:
        """The next message of a queue, taken from it."""
        for _ in range(20):
            answer = await self.call(
                "sqs", "receive_message", QueueUrl=url, WaitTimeSeconds=1, MessageAttributeNames=["All"]
            )
            for message in answer.get("Messages", []):
                handle = message["ReceiptHandle"]
                await self.call("sqs", "delete_message", QueueUrl=url, ReceiptHandle=handle)
                return dict(message)
        raise AssertionError(f"nothing came to {url}")

    async def stream(self, name: str) -> str:
        """The ARN of the stream of a new table whose key is `id`."""
        answer = await self.call(
            "dynamodb",
            "create_table",
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        return str(answer["TableDescription"]["LatestStreamArn"])

    async def put(self, table: str, *identities: str) -> None:
        """Writes items."""
        for identity in identities:
            await self.call("dynamodb", "put_item", TableName=table, Item={"id": {"S": identity}})

    async def mapping(self, **params: Any) -> str:
        """The id of a mapping that is enabled."""
        uuid = str((await self.call("lambda", "create_event_source_mapping", **params))["UUID"])
        await self.settled(uuid)
        return uuid

    async def settled(self, uuid: str) -> dict[str, Any]:
        """The mapping once it is enabled or disabled."""
        return await eventually(lambda: self._settled(uuid), f"mapping {uuid} stands")

    async def _settled(self, uuid: str) -> Any:
        found = await self.call("lambda", "get_event_source_mapping", UUID=uuid)
        return found if found["State"] in ("Enabled", "Disabled") else None


async def eventually(condition: Callable[[], Any], what: str) -> Any:
    """What `condition` returns once it is true, awaited when it can be; fails the test when it never is."""
    for _ in range(1200):
        found = condition()
        found = await found if asyncio.iscoroutine(found) else found
        if found:
            return found
        await asyncio.sleep(0.025)
    raise AssertionError(f"never happened: {what}")


@asynccontextmanager
async def serving(root: Path) -> AsyncIterator[EventWorld]:
    """Everything under `root`, ended on the way out."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    port = listener.getsockname()[1]
    emulator = MiniStack(python=delegate_python(), data_dir=root / "delegate", engine_port=port)
    delegate = SupervisedDelegate(emulator, log_path=root / "delegate.log")
    await delegate.start()
    world = await World(root, config=_QUICK, behind=delegate.handle).start()
    engine = Engine(services=[world.service], routers=[], endpoints=_Nothing(), fallback=delegate)
    server = uvicorn.Server(uvicorn.Config(engine, log_level="warning", lifespan="off"))
    server.install_signal_handlers = lambda: None
    running = asyncio.create_task(server.serve(sockets=[listener]))
    made = EventWorld(world, f"http://127.0.0.1:{port}")
    world.fleet.handler = made.functions
    try:
        yield made
    finally:
        server.should_exit = True
        await running
        await world.close()
        await delegate.stop()
