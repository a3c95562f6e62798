"""The composition root: every part of the engine, made and joined here and nowhere else.

Order of opening is order of dependence; closing is the reverse.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from understudy.engine.app import Engine
from understudy.engine.config import EngineConfig
from understudy.engine.delegate.supervisor import Delegate
from understudy.engine.ecr import EcrService, Repositories, Uploads
from understudy.engine.ecr.model import LOCAL_DOMAIN
from understudy.engine.executeapi.access_log import AccessLog
from understudy.engine.executeapi.outbound import Outbound
from understudy.engine.executeapi.store import ApiStore
from understudy.engine.functions import LambdaConfig, LambdaService
from understudy.engine.functions.events import EventTimes
from understudy.engine.health import Endpoints
from understudy.engine.hooks import Hooks
from understudy.engine.httpapi import HttpApiGateway, HttpApiService
from understudy.engine.localstack.endpoints import LocalStackEndpoints
from understudy.engine.logs import LogsService, LogStore
from understudy.engine.origin import OriginRule
from understudy.engine.registry import RegistryRouter
from understudy.engine.restapi import RestApiGateway, RestApiService
from understudy.engine.state import State
from understudy.engine.urls import FunctionUrlGateway
from understudy.image.store import Store
from understudy.sandbox import executors
from understudy.sandbox.executor import HostExecutor


class Parts:
    """One engine's parts, around a delegate that is already starting. `open` and `close` are called once."""

    def __init__(
        self, config: EngineConfig, *, port: int, delegate: Delegate, executor: HostExecutor | None = None
    ) -> None:
        data = config.data_dir
        endpoint = f"http://127.0.0.1:{port}"
        self._stack = AsyncExitStack()
        self.hooks = Hooks(config.hooks_dir)
        self._state = State(data / "engine.sqlite")
        self._logs = LogStore(data / "logs.sqlite")
        self._store = Store(data / "store")
        self._executor = executor or executors.make(config.executor, data / "sandboxes")
        self._repositories = Repositories(self._state, self._store)
        uploads = Uploads(self._repositories)
        asked = config.localstack
        public_host = (asked.public and asked.public.host) or LOCAL_DOMAIN
        public_port = (asked.public and asked.public.port) or port
        # A container that is asked for other services alone needs none of the privileges of a sandbox.
        self._runs_functions = asked.services is None or "lambda" in asked.services
        self._ecr = EcrService(self._repositories, uploads, port=public_port)
        self._lambda = LambdaService(
            self._state,
            self._store,
            self._repositories,
            self._logs,
            self._executor,
            endpoint,
            _lambda_config(config, f"{public_host}:{public_port}"),
            behind=delegate.handle,
        )
        self._apis = ApiStore(self._state)
        self._rest_apis = ApiStore(self._state, "apigateway", "restapi")
        self.delegate = delegate
        services = (
            self._ecr,
            self._lambda,
            HttpApiService(
                self._apis, endpoint=lambda api: f"http://{api}.execute-api.{public_host}:{public_port}"
            ),
            RestApiService(self._rest_apis),
            LogsService(self._logs),
        )
        access_log = AccessLog(self._logs.append)
        self._outbound = Outbound()
        routers = (
            RestApiGateway(self._rest_apis, self._lambda, access_log, self._outbound, endpoint),
            HttpApiGateway(self._apis, self._lambda, access_log, self._outbound, endpoint),
            FunctionUrlGateway(self._lambda),
            RegistryRouter(self._repositories, uploads),
        )
        names = tuple(service.name for service in services)
        self.service_names = names
        self.endpoints = Endpoints(
            services=names,
            delegate=self.delegate.status,
            localstack=LocalStackEndpoints(
                enabled=asked.services, delegate=self.delegate.status, hooks=self.hooks
            ),
        )
        self.engine = Engine(
            services=services,
            routers=routers,
            endpoints=self.endpoints,
            fallback=self.delegate,
            origin=OriginRule((*config.allowed_hosts, public_host), asked.origins),
            enabled=asked.services,
        )

    async def open(self) -> None:
        """Opens everything but the delegate, which goes on starting in the background.

        Raises:
            UnderstudyError: a part cannot work on this machine; what was opened is closed again.
        """
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _open(self) -> None:
        self._stack.push_async_callback(self.delegate.stop)
        self._state.open()
        self._stack.callback(self._state.close)
        self._store.open()
        self._logs.open()
        self._stack.callback(self._logs.close)
        self._repositories.open()
        self._stack.push_async_callback(self._ecr.close)
        self._apis.open()
        self._rest_apis.open()
        self._stack.push_async_callback(self._outbound.close)
        if self._runs_functions:
            await self._executor.open()
            self._stack.push_async_callback(self._executor.close)
        await self._lambda.start(working=self._runs_functions)
        self._stack.push_async_callback(self._lambda.close)
        # Only now: the functions have said which images they need.
        self._ecr.start()

    async def close(self) -> None:
        """Stops everything, the delegate's state saved."""
        await self._stack.aclose()


def _lambda_config(config: EngineConfig, authority: str) -> LambdaConfig:
    """What LocalStack's settings change of Lambda."""
    asked, base = config.localstack, LambdaConfig(prewarm=config.prewarm)
    delay_s = asked.retry_base_delay_s
    return replace(
        base,
        authority=authority,
        account_concurrency=base.account_concurrency if asked.concurrency is None else asked.concurrency,
        idle_s=base.idle_s if asked.keepalive_s is None else asked.keepalive_s,
        inject_endpoint_url=asked.inject_endpoint_url,
        event_times=base.event_times if delay_s is None else EventTimes(retries_s=(delay_s, 2 * delay_s)),
    )


async def closing(parts: Parts, within_s: float) -> bool:
    """Closes the parts; returns whether they were done in time."""
    try:
        async with asyncio.timeout(within_s):
            await parts.close()
    except TimeoutError:
        return False
    return True
