"""From `Pending` to `Active` and from `InProgress` to `Successful`: the real work of a change.

A change is recorded first and carried out here in the background, so that an engine killed in between takes
it up again at its next start. While it lasts `$LATEST` is served as it was before.
"""

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from understudy.engine.functions import lookup as lookups
from understudy.engine.functions.background import Background
from understudy.engine.functions.images import Images, ImageUnusableError
from understudy.engine.functions.model import Function, FunctionId, Version
from understudy.engine.functions.table import FunctionTable

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)


class Warmer(Protocol):
    """Starts environments ahead of requests."""

    def warm(self, function: Function, number: str) -> None:
        """Sees to it that version `number` has an environment under way."""
        ...

    def had_traffic(self, function: Function, number: str) -> bool:
        """Whether version `number` has environments, of whatever content."""
        ...

    def provision(self, function: Function) -> None:
        """Brings the environments kept ready to the numbers that `function` asks for."""
        ...


class Lifecycle:
    """Carries recorded changes out."""

    def __init__(self, table: FunctionTable, images: Images, background: Background, warmer: Warmer) -> None:
        self._table = table
        self._images = images
        self._background = background
        self._warmer = warmer
        self.settled: Callable[[FunctionId], None] = _ignore

    def begin(self, function: Function) -> None:
        """Carries out the change of `$LATEST` that `function` records, in the background."""
        self._background.spawn(self._settle(function.id, function.latest.content_id))

    def resume(self) -> None:
        """Takes up what was under way when the engine ended, and makes active images ready again."""
        for function in self._table.all():
            if any(version.in_transition for version in function.versions.values()):
                self.begin(function)
            digests = {version.code.digest for version in function.versions.values()}
            self._background.spawn(self._ready(function.id, digests))

    def warm(self, function: Function, number: str) -> None:
        """Starts an environment of a version that an alias now sends traffic to."""
        self._warmer.warm(function, number)

    async def _ready(self, key: FunctionId, digests: set[str]) -> None:
        for digest in digests:
            try:
                await self._images.prepare(digest)
            except ImageUnusableError as exc:
                _log.warning("image %s of a function cannot be prepared: %s", digest, exc.message)
        function = self._table.get(key)
        if function is not None:
            self._warmer.provision(function)

    async def _settle(self, key: FunctionId, content_id: str) -> None:
        function = self._table.get(key)
        if function is None or function.latest.content_id != content_id:
            return
        failure: ImageUnusableError | None = None
        try:
            await self._images.prepare(function.latest.code.digest)
        except ImageUnusableError as exc:
            failure = exc
        function = self._table.get(key)
        if function is None or function.latest.content_id != content_id:
            return
        if failure is None:
            self._activate(function)
        else:
            self._fail(function, failure)
        self.settled(key)

    def _activate(self, function: Function) -> None:
        warm = self._warmer.had_traffic(function, function.latest.number)
        latest = function.latest.activated(lookups.revision())
        changed = replace(function.with_version(latest), serving=latest)
        for version in _waiting(changed):
            changed = changed.with_version(version.activated(lookups.revision()))
        self._table.put(changed)
        if warm:
            self._warmer.warm(changed, latest.number)

    def _fail(self, function: Function, failure: ImageUnusableError) -> None:
        revision = lookups.revision()
        latest = function.latest.failed(revision, failure.reason_code, failure.message)
        changed = function.with_version(latest)
        for version in _waiting(changed):
            changed = changed.with_version(version.failed(revision, failure.reason_code, failure.message))
        self._table.put(changed)


def _waiting(function: Function) -> list[Version]:
    return [
        version
        for version in function.versions.values()
        if version.state == "Pending" and version.number != function.latest.number
    ]


def _ignore(_: FunctionId) -> None:
    return
