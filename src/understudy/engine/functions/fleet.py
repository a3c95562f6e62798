"""Every pool of execution environments, and the routes by which requests reach them.

A route is what a function reference means at this moment: which versions may serve it, with which share,
under which limit. Routes are kept until a record changes, so that an invocation reads no table.
Pools follow the records: one for each version that can be invoked, retired when its content is gone.
"""

import functools
import random
from collections.abc import Set
from dataclasses import dataclass
from typing import Protocol

from understudy.engine.functions import aliases, errors, names
from understudy.engine.functions.budget import Budget
from understudy.engine.functions.concurrency import Concurrency, Counter
from understudy.engine.functions.model import LATEST, Alias, Function, FunctionId, Version
from understudy.engine.functions.names import Target
from understudy.engine.functions.pool import Environment, Pool
from understudy.engine.functions.provisioned import Provisioned
from understudy.engine.functions.table import FunctionTable
from understudy.sandbox.model import InvokeRequest, InvokeResult


class MakeEnvironment(Protocol):
    """Makes an environment of a version, not started yet."""

    def __call__(self, function: Function, version: Version, *, provisioned: bool = False) -> Environment:
        """The environment; `provisioned` is what it shall say of itself."""
        ...


@dataclass(frozen=True, slots=True)
class Servers:
    """What serves one version on one way: environments kept ready first, then those made on demand."""

    pool: Pool
    kept: Provisioned | None = None

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """Runs `request` in the first environment that is free for it.

        Raises:
            ApiError: there is no place for another environment.
        """
        if self.kept is not None and self.kept.ready():
            return await self.kept.invoke(request)
        return await self.pool.invoke(request)


@dataclass(frozen=True, slots=True)
class Route:
    """What one function reference means until something changes.

    Attributes:
        arn: as the function sees itself invoked.
        pools: what serves it, by version number; more than one only for an alias with weights.
        number: the version when there is no choice.
        alias: the alias that has a choice to make.
    """

    id: FunctionId
    arn: str
    counter: Counter
    pools: dict[str, Servers]
    timeouts_s: dict[str, int]
    number: str
    alias: Alias | None

    def choose(self) -> str:
        """The version that serves the next request."""
        if self.alias is None:
            return self.number
        # Shares of traffic, not secrets.
        return aliases.chosen(self.alias, random.random())  # noqa: S311


class Fleet:
    """Pools by version, routes by reference."""

    def __init__(
        self,
        table: FunctionTable,
        make: MakeEnvironment,
        concurrency: Concurrency,
        budget: Budget,
        *,
        idle_s: float,
        prewarm: bool,
    ) -> None:
        self._table = table
        self._make = make
        self._concurrency = concurrency
        self._budget = budget
        self._idle_s = idle_s
        self._prewarm = prewarm
        self._pools: dict[tuple[FunctionId, str, str], Pool] = {}
        self._kept: dict[tuple[FunctionId, str, str], Provisioned] = {}
        self._routes: dict[Target, Route] = {}
        table.on_change(self._changed)

    def route(self, target: Target) -> Route:
        """Where requests to `target` go now.

        Raises:
            ApiError: there is no such function, version or alias, or it is not active.
        """
        found = self._routes.get(target)
        if found is None:
            found = self._routes[target] = self._plan(target)
        return found

    def warm(self, function: Function, number: str) -> None:
        """Starts an environment of an active version that has none, unless that is switched off."""
        version = function.serving_version(number)
        if self._prewarm and version is not None and version.state == "Active" and function.reserved != 0:
            self._pool(function, version).prewarm()

    def had_traffic(self, function: Function, number: str) -> bool:
        """Whether some content of version `number` has environments."""
        return any(
            pool.size > 0 for key, pool in self._pools.items() if key[0] == function.id and key[1] == number
        )

    def provisioned(self, function: Function, number: str) -> Provisioned | None:
        """The environments kept ready for version `number`; None where none are wanted."""
        version = function.versions.get(number)
        return self._kept.get((function.id, number, version.content_id)) if version else None

    def provision(self, function: Function) -> None:
        """Brings the environments kept ready to the numbers that `function` asks for."""
        wanted = {
            (function.id, version.number, version.content_id): (version, count)
            for version in function.versions.values()
            if version.state == "Active" and (count := function.provisioned_count(version.number))
        }
        for key, (version, count) in wanted.items():
            if key not in self._kept:
                self._kept[key] = Provisioned(
                    functools.partial(self._make, function, version, provisioned=True), self._budget
                )
            if self._kept[key].wanted != count or self._kept[key].problem:
                self._kept[key].resize(count)
        self._drop(function.id, set(wanted))

    def _drop(self, function: FunctionId, wanted: Set[tuple[FunctionId, str, str]]) -> None:
        for key in [key for key in self._kept if key[0] == function and key not in wanted]:
            self._kept.pop(key).resize(0)

    def environments(self) -> int:
        """How many environments there are."""
        return self._budget.used

    async def close(self) -> None:
        """Ends every environment."""
        self._routes.clear()
        for pool in self._pools.values():
            pool.retire()
        self._pools.clear()
        for kept in self._kept.values():
            kept.resize(0)
        self._kept.clear()
        await self._budget.background.settle()

    def _plan(self, target: Target) -> Route:
        function = self._table.get(target.id)
        if function is None:
            raise errors.function_not_found(names.arn(target.id, target.qualifier or LATEST))
        alias = function.aliases.get(target.qualifier or LATEST)
        number = alias.version if alias else target.qualifier or LATEST
        pools: dict[str, Servers] = {}
        timeouts_s: dict[str, int] = {}
        for each in (number, *(alias.weights if alias else ())):
            version = function.serving_version(each)
            if version is None:
                raise errors.function_not_found(target.arn)
            if version.state != "Active":
                raise errors.wrong_state(version.state)
            # What an alias keeps ready serves the alias alone.
            ready = not {target.qualifier, each}.isdisjoint(function.provisioned)
            kept = self.provisioned(function, each) if ready else None
            pools[each] = Servers(self._pool(function, version), kept)
            timeouts_s[each] = version.settings.timeout_s
        siblings = self._table.within(target.id.account_id, target.id.region)
        return Route(
            id=target.id,
            arn=target.arn,
            counter=self._concurrency.counter(function, siblings),
            pools=pools,
            timeouts_s=timeouts_s,
            number=number,
            alias=alias if alias and alias.weights else None,
        )

    def _pool(self, function: Function, version: Version) -> Pool:
        key = (function.id, version.number, version.content_id)
        found = self._pools.get(key)
        if found is None:
            found = self._pools[key] = Pool(
                lambda: self._make(function, version), self._budget, idle_s=self._idle_s
            )
        return found

    def _changed(self, changed: FunctionId) -> None:
        # A reservation changes what is left for every other function, so no route is kept.
        self._routes.clear()
        function = self._table.get(changed)
        wanted = _contents(function) if function else set()
        for key in [key for key in self._pools if key[0] == changed and key[1:] not in wanted]:
            self._pools.pop(key).retire()
        if function:
            self.provision(function)
        else:
            self._drop(changed, set())


def _contents(function: Function) -> set[tuple[str, str]]:
    serving = function.serving_version(LATEST)
    found = {
        (version.number, version.content_id)
        for version in function.versions.values()
        if version.number != LATEST
    }
    if serving is not None:
        found.add((LATEST, serving.content_id))
    return found
