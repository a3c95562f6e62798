"""Lambda, ECR and logs behind a real HTTP server with the real sandbox, inside the test's event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import uvicorn

from tests.contract.lambda_image import put_runtime_image
from understudy.engine.app import Engine, respond
from understudy.engine.ecr import EcrService, Registry, Repositories, Repository, Uploads, manifests
from understudy.engine.executeapi.access_log import AccessLog
from understudy.engine.executeapi.outbound import Outbound
from understudy.engine.executeapi.store import ApiStore
from understudy.engine.functions import LambdaConfig, LambdaService
from understudy.engine.httpapi import HttpApiGateway, HttpApiService
from understudy.engine.logs import LogsService, LogStore
from understudy.engine.protocol import HttpResponse, Receive, Router, Scope, Send, Service
from understudy.engine.restapi import RestApiGateway, RestApiService
from understudy.engine.state import State
from understudy.engine.urls import FunctionUrlGateway
from understudy.image.store import Store
from understudy.sandbox import executors

ROLE = "arn:aws:iam::000000000000:role/dash"
URI = "000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566/dash"


class _Nothing:
    def matches(self, scope: Scope) -> bool:
        return False

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, HttpResponse(status=599, body=scope["path"].encode()))


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaServer:
    """A running engine and how to talk to it."""

    url: str
    store: Store
    repositories: Repositories
    service: LambdaService
    threads: ThreadPoolExecutor
    sdk: Any

    def client(self, name: str = "lambda") -> Any:
        """A real SDK client; its calls block, so wrap them with `asyncio.to_thread`."""
        return _client(name, self.url)

    async def push(self, tag: str, text: str, **options: Any) -> str:
        """The digest of a runnable image tagged `tag` in the repository `dash`."""
        digest = await asyncio.to_thread(lambda: put_runtime_image(self.store, text, **options))
        image = self.store.image(digest)
        repository = self.repositories.get(Registry(), "dash")
        manifest = manifests.parse(image.manifest.raw, image.manifest.media_type)
        await self.repositories.put_image(repository, manifest, tag)
        return digest

    async def call(self, work: Callable[[Any], Any]) -> Any:
        """What `work` returns; it gets a client and runs in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, lambda: work(self.sdk))

    async def active(self, **params: Any) -> dict[str, Any]:
        """A function `dash` of the image tagged `1`, created and waited for as users do."""

        def create(client: Any) -> Any:
            base = {"FunctionName": "dash", "Role": ROLE, "PackageType": "Image", "Timeout": 10}
            client.create_function(**{**base, "Code": {"ImageUri": f"{URI}:1"}, **params})
            client.get_waiter("function_active_v2").wait(
                FunctionName="dash", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
            )
            return client.get_function(FunctionName="dash")

        return dict(await self.call(create))


def _listener() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    return listener


def _client(name: str, url: str) -> Any:
    return boto3.client(
        name,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=botocore.config.Config(retries={"max_attempts": 0}, max_pool_connections=32),
    )


@asynccontextmanager
async def _served(engine: Engine, listener: socket.socket) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(engine, log_level="warning", lifespan="off"))
    server.install_signal_handlers = lambda: None
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await running


def _apis(
    state: State, service: LambdaService, log: AccessLog, outbound: Outbound
) -> tuple[list[Service], list[Router]]:
    """Both kinds of APIs: their control planes and their gateways."""
    apis, rest_apis = ApiStore(state), ApiStore(state, "apigateway", "restapi")
    apis.open()
    rest_apis.open()
    return (
        [HttpApiService(apis, endpoint="http://{}.execute-api.localhost".format), RestApiService(rest_apis)],
        [RestApiGateway(rest_apis, service, log, outbound), HttpApiGateway(apis, service, log, outbound)],
    )


@asynccontextmanager
async def serving(
    root: Path, config: LambdaConfig | None = None, executor_name: str = executors.NAMESPACES
) -> AsyncIterator[LambdaServer]:
    """A server whose state is under `root`; everything is ended on the way out."""
    state = State(root / "engine.sqlite").open()
    logs = LogStore(root / "logs.sqlite").open()
    store = Store(root / "store").open()
    repositories = Repositories(state, store).open()
    uploads = Uploads(repositories)
    executor = executors.make(executor_name, root)
    await executor.open()
    listener = _listener()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    service = LambdaService(state, store, repositories, logs, executor, url, config)
    await service.start()
    outbound = Outbound()
    api_services, gateways = _apis(state, service, AccessLog(logs.append), outbound)
    engine = Engine(
        services=[service, EcrService(repositories, uploads), LogsService(logs), *api_services],
        routers=[*gateways, FunctionUrlGateway(service)],
        endpoints=_Nothing(),
        fallback=_Nothing(),
    )
    try:
        async with _served(engine, listener):
            if not any(each.name == "dash" for each in repositories.all_of(Registry())):
                repositories.create(Repository(name="dash", registry=Registry(), created_at=0.0))
            with ThreadPoolExecutor(16) as threads:
                yield LambdaServer(
                    url=url,
                    store=store,
                    repositories=repositories,
                    service=service,
                    threads=threads,
                    sdk=_client("lambda", url),
                )
    finally:
        await outbound.close()
        await service.close()
        await executor.close()
        await uploads.close()
        logs.close()
        state.close()
