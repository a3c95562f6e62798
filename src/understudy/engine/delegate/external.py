"""An emulator of somebody else, LocalStack for one: waited for, watched and forwarded to, never started.

It keeps its own state and settings. Two of them must fit the engine's address, because the emulator writes it
into answers: LocalStack's ``LOCALSTACK_HOST`` (queue URLs, default ``localhost.localstack.cloud:4566``) and,
for moto's server, nothing. Requests arrive there with their host, path and signature as the client sent them.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy.engine.delegate import door
from understudy.engine.delegate.address import Address
from understudy.engine.delegate.door import Door
from understudy.engine.delegate.proxy import HttpProxy
from understudy.engine.delegate.supervisor import DelegateState, DelegateStatus
from understudy.engine.protocol import Message, Receive, Scope, Send

# An SDK gives up reading after 60 s: it shall be told before.
ANSWERS_WITHIN_S = 50.0
_HEALTH_PATH = "/_localstack/health"
_KNOCK_EVERY_S = 0.2
_LOOK_EVERY_S = 5.0
_SAY_EVERY_S = 10.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an emulator says of itself.

    Attributes:
        name: its name and version; ``external`` for one that does not say.
        services: the state of each of its services, in its words.
        fault: why it cannot be the delegate, or None.
    """

    name: str
    services: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None


def found(status: int, body: bytes) -> Found | None:
    """Returns what an answer to ``/_localstack/health`` says; None where nobody answers, or not yet.

    Any answer below 500 counts, because other emulators do not have that path.
    """
    if not 0 < status < 500:
        return None
    try:
        document = json.loads(body)
        services = {str(name): str(state) for name, state in document["services"].items()}
        edition, version = str(document["edition"]), str(document["version"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return Found(name="external")
    if edition == "understudy":
        return Found(name=edition, fault="an understudy engine answers there, which may be this one")
    return Found(name=f"localstack {version}", services=services)


class ExternalDelegate:
    """Forwards to an emulator at an address; requests wait while it does not answer."""

    def __init__(self, address: Address, *, answers_within_s: float = ANSWERS_WITHIN_S) -> None:
        self._url = address.url
        self._proxy = HttpProxy(address.host, address.port)
        self._door = Door(where=f"the emulator at {address.url} (--delegate-url)", wait_s=answers_within_s)
        self._state: DelegateState = "stopped"
        self._found = Found(name="external")
        self._restarts = 0
        self._failed = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to look for the emulator; returns at once."""
        self._state = "starting"
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Stops looking; the emulator stays as it is."""
        self._state = "stopped"
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        self._door.close()

    def status(self) -> DelegateStatus:
        """Returns what was seen last; a look every 5 s, and one at once when a request fails."""
        return DelegateStatus(
            name=self._found.name,
            state=self._state,
            restarts=self._restarts,
            url=self._url,
            services=self._found.services,
        )

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forwards a request, or says after a while where no emulator answers."""

        async def _observed(message: Message) -> None:
            if message.get("status", 200) >= 500:
                self._failed.set()
            await send(message)

        await self._door.handle(scope, receive, _observed)

    async def _watch(self) -> None:
        await self._look_until_found()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._failed.wait()
            self._failed.clear()
            if await self._look():
                continue
            self._door.close()
            self._state = "unreachable"
            logger.error("the delegate at %s does not answer any more", self._url)
            await self._look_until_found()
            self._restarts += 1

    async def _look_until_found(self) -> None:
        began = said = time.monotonic()
        logger.info("waiting for the delegate at %s", self._url)
        while not await self._look():
            if time.monotonic() - said > _SAY_EVERY_S:
                said = time.monotonic()
                reason = self._found.fault or "nobody answers there"
                logger.warning("no delegate at %s for %.0f s: %s", self._url, said - began, reason)
            await asyncio.sleep(_KNOCK_EVERY_S)
        logger.info("the delegate %s answers at %s", self._found.name, self._url)
        self._state = "running"
        self._door.open(self._proxy)

    async def _look(self) -> bool:
        """Whether an emulator that can be the delegate answers; remembers what it says of itself."""
        answer = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY_S):
                answer = found(*await door.ask(self._proxy, _HEALTH_PATH))
        if answer is not None:
            self._found = answer
            self._door.reason = answer.fault or "the delegate does not answer any more"
        return answer is not None and answer.fault is None
