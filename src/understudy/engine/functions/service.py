"""The Lambda service: its parts put together, started and stopped.

Image functions only; a Zip package is refused by name. Control plane state is in SQLite, environments live
as long as the engine does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from understudy.engine import identifiers
from understudy.engine.functions import names
from understudy.engine.functions import policy as policies
from understudy.engine.functions.absent import AbsentOperations
from understudy.engine.functions.attachments import AttachmentOperations
from understudy.engine.functions.background import Background, Clock
from understudy.engine.functions.budget import Budget
from understudy.engine.functions.calls import App, AwsCalls, nothing_behind
from understudy.engine.functions.concurrency import ACCOUNT_LIMIT, Concurrency
from understudy.engine.functions.deliveries import Deliveries
from understudy.engine.functions.environments import CreateEnvironment, EnvironmentMaker
from understudy.engine.functions.event import Event
from understudy.engine.functions.events import EventQueue, EventTimes, EventWork
from understudy.engine.functions.fleet import Fleet
from understudy.engine.functions.functions import FunctionOperations
from understudy.engine.functions.images import Images, ImageSource
from understudy.engine.functions.invoke import (
    Invocation,
    InvokeOperations,
    InvokeOutcome,
    Invoker,
    Streaming,
)
from understudy.engine.functions.lifecycle import Lifecycle
from understudy.engine.functions.logs import Append
from understudy.engine.functions.lookup import Lookup
from understudy.engine.functions.model import LATEST, Function, FunctionId, FunctionUrl
from understudy.engine.functions.names import Target
from understudy.engine.functions.permissions import PermissionOperations
from understudy.engine.functions.provisioning import ProvisioningOperations
from understudy.engine.functions.sources import MappingOperations, MappingTable, Pollers, PollTimes, Tools
from understudy.engine.functions.table import MIGRATIONS, FunctionTable
from understudy.engine.functions.tagging import TagOperations
from understudy.engine.functions.urls import FunctionUrls
from understudy.engine.functions.versions import VersionOperations
from understudy.engine.protocol import DEFAULT_ACCOUNT_ID, DEFAULT_REGION, Operation
from understudy.engine.state import State
from understudy.image.store import Store
from understudy.sandbox.environment import ExecutionEnvironment
from understudy.sandbox.executor import Executor
from understudy.sandbox.model import SandboxSpec


class Logs(Protocol):
    """The part of the log store that Lambda writes to."""

    @property
    def append(self) -> Append:
        """Stores lines of one stream."""
        ...


class Repositories(ImageSource, Protocol):
    """The part of ECR that Lambda talks to."""

    def add_roots(self, roots: Callable[[], set[str]]) -> None:
        """Lets image collection spare what `roots` returns."""
        ...

    async def refresh_pins(self) -> None:
        """Tells the image store that the roots have changed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaConfig:
    """What may differ between installations.

    Attributes:
        account_concurrency: AWS's quota of concurrent executions, per account and region.
        max_environments: how many environments this machine may hold; an idle one makes room for another.
        idle_s: how long an environment waits for another request.
        prewarm: whether a version about to receive traffic gets an environment ahead of its first request.
        event_times: pauses between asynchronous attempts; AWS waits one and two minutes.
        poll_times: how often event sources are looked at.
        authority: host and port that function URLs end with.
        inject_endpoint_url: whether functions get AWS_ENDPOINT_URL unless they set it themselves.
        log_delay_s: how long a log line may wait for others.
    """

    account_concurrency: int = ACCOUNT_LIMIT
    max_environments: int = 50
    idle_s: float = 600.0
    prewarm: bool = True
    event_times: EventTimes = field(default_factory=EventTimes)
    poll_times: PollTimes = field(default_factory=PollTimes)
    authority: str = "localhost.localstack.cloud:4566"
    inject_endpoint_url: bool = True
    log_delay_s: float = 0.05


class LambdaService:
    """Lambda as the engine serves it; `start` before the first call, `close` after the last."""

    name = "lambda"

    def __init__(  # noqa: PLR0913, PLR0917 - the composition root names every part
        self,
        state: State,
        store: Store,
        repositories: Repositories,
        logs: Logs,
        executor: Executor,
        endpoint_url: str,
        config: LambdaConfig | None = None,
        *,
        behind: App = nothing_behind,
        clock: Clock | None = None,
        create: CreateEnvironment | None = None,
    ) -> None:
        settings, clock = config or LambdaConfig(), clock or Clock()
        self._state = state
        self._repositories = repositories
        self._table = FunctionTable(state)
        self._images = Images(store, repositories)
        self._background = Background()
        budget = Budget(settings.max_environments, self._background)
        self._maker = EnvironmentMaker(
            self._images,
            create or _creator(executor),
            logs.append,
            endpoint_url=endpoint_url if settings.inject_endpoint_url else None,
            log_delay_s=settings.log_delay_s,
            now=clock.now,
        )
        concurrency = Concurrency(settings.account_concurrency)
        self._fleet = Fleet(
            self._table,
            self._maker.make,
            concurrency,
            budget,
            idle_s=settings.idle_s,
            prewarm=settings.prewarm,
        )
        self._lifecycle = Lifecycle(self._table, self._images, self._background, self._fleet)
        self._lifecycle.settled = self._settled
        self._invoker = Invoker(self._fleet, self._background)
        self._now = clock.now
        calls = AwsCalls(behind)
        deliveries = Deliveries(calls, clock, self._accept)
        self._events = EventQueue(
            state,
            self._table,
            self._background,
            EventWork(run=self._run_event, deliver=deliveries.send),
            clock,
            settings.event_times,
        )
        self._mappings = MappingTable(state)
        self._pollers = Pollers(
            Tools(
                calls=calls,
                invoke=self._invoker.invoke,
                deliveries=deliveries,
                table=self._mappings,
                clock=clock,
                times=settings.poll_times,
            ),
            self._background,
        )
        lookup = Lookup(self._table, clock.now)
        self._urls = FunctionUrls(lookup, settings.authority)
        self._operations: dict[str, Operation] = {
            **FunctionOperations(lookup, self._images, self._lifecycle).operations,
            **VersionOperations(lookup, self._lifecycle).operations,
            **PermissionOperations(lookup).operations,
            **AttachmentOperations(lookup, concurrency).operations,
            **ProvisioningOperations(lookup, concurrency, self._fleet).operations,
            **AbsentOperations(lookup).operations,
            **TagOperations(lookup, self._mappings).operations,
            **MappingOperations(lookup, self._mappings, self._pollers, calls).operations,
            **self._urls.operations,
            **InvokeOperations(self._fleet, self._invoker, self._events.accept, clock.now).operations,
        }
        self._targets: dict[str, Target] = {}
        self._verdicts: dict[tuple[str, str, str], bool] = {}
        self._table.on_change(lambda _: self._verdicts.clear())

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return self._operations

    @property
    def environments(self) -> int:
        """How many execution environments there are at this moment."""
        return self._fleet.environments()

    async def start(self, *, working: bool = True) -> None:
        """Reads the records and takes up what was under way when the engine ended.

        Args:
            working: False leaves everything as it is found: no function runs, no event is lost.
        """
        self._state.migrate(self.name, MIGRATIONS)
        self._table.load()
        self._repositories.add_roots(self._digests)
        await self._repositories.refresh_pins()
        self._mappings.load()
        if working:
            self._lifecycle.resume()
            self._events.resume()
            self._pollers.resume()

    async def close(self) -> None:
        """Ends every environment; accepted events are kept for the next start."""
        self._events.stop()
        self._invoker.stop()
        await self._pollers.close()
        await self._fleet.close()
        self._maker.flush()

    async def invoke(
        self,
        arn: str,
        payload: bytes,
        *,
        qualifier: str | None = None,
        request_id: str = "",
        trace_id: str = "",
    ) -> InvokeOutcome:
        """Invokes what `arn` names and waits for the answer; a bare name means the default place.

        Raises:
            ApiError: no such function, not active, or throttled.
        """
        target = self._target(arn) if qualifier is None else self._parse(arn, qualifier)
        return await self._invoker.invoke(
            Invocation(target=target, payload=payload, request_id=request_id, trace_id=trace_id)
        )

    def url(self, url_id: str) -> tuple[Function, FunctionUrl] | None:
        """The function URL whose host name starts with `url_id`, and its function."""
        return self._urls.find(url_id)

    def stream(self, target: Target, payload: bytes, *, request_id: str, trace_id: str) -> Streaming:
        """Invokes `target`; its answer comes as the function writes it.

        Raises:
            ApiError: no such function, or not active.
        """
        return self._invoker.stream(
            Invocation(target=target, payload=payload, request_id=request_id, trace_id=trace_id)
        )

    def permits(self, arn: str, *, principal: str, source_arn: str) -> bool:
        """Whether the resource policy of `arn` lets the service `principal` invoke for `source_arn`.

        Verdicts are kept until a function changes.
        """
        question = (arn, principal, source_arn)
        verdict = self._verdicts.get(question)
        if verdict is None:
            verdict = self._verdicts[question] = self._judge(*question)
        return verdict

    def _judge(self, arn: str, principal: str, source_arn: str) -> bool:
        target = self._target(arn)
        function = self._table.get(target.id)
        if function is None:
            return False
        statements = function.policies.get(target.qualifier or LATEST, ())
        return policies.permits(statements, principal=principal, source_arn=source_arn)

    async def settle(self) -> None:
        """Waits until no change and no accepted event is under way."""
        await self._background.settle()

    async def _run_event(self, event: Event) -> InvokeOutcome:
        return await self._invoker.invoke(
            Invocation(
                target=event.target,
                payload=event.payload,
                request_id=event.request_id,
                client_context=event.client_context,
            )
        )

    def _accept(self, target: Target, payload: bytes) -> None:
        """Takes an asynchronous invocation that no user made: of a function that is a destination."""
        self._events.accept(
            Event(
                function=target.id,
                qualifier=target.qualifier,
                request_id=identifiers.request_id(),
                payload=payload,
                accepted_at=self._now(),
            )
        )

    def _target(self, arn: str) -> Target:
        found = self._targets.get(arn)
        if found is None:
            found = self._targets[arn] = self._parse(arn, None)
        return found

    def _parse(self, reference: str, qualifier: str | None) -> Target:
        parts = reference.split(":")
        if len(parts) >= 7:
            return names.parse(reference, qualifier, account_id=parts[4], region=parts[3])
        return names.parse(reference, qualifier, account_id=DEFAULT_ACCOUNT_ID, region=DEFAULT_REGION)

    def _digests(self) -> set[str]:
        return {
            version.code.digest for function in self._table.all() for version in function.versions.values()
        } | {function.serving.code.digest for function in self._table.all() if function.serving}

    def _settled(self, _: FunctionId) -> None:
        self._background.spawn(self._repin())

    async def _repin(self) -> None:
        used = self._digests()
        self._images.keep_only(used)
        await self._repositories.refresh_pins()


def _creator(executor: Executor) -> CreateEnvironment:
    def create(spec: SandboxSpec, log: Callable[[bytes], None]) -> ExecutionEnvironment:
        return ExecutionEnvironment(spec, executor=executor, log=log)

    return create
