"""What goes wrong between a client and AWS, as hooks: a client that dies, and faults by a seed.

`python -m tests.doubles.proxy URL --port N --seed S --probability P` puts faults in front of an endpoint.
"""

import argparse
import asyncio
import hashlib
import os
import queue
import random
import signal
import sys
import threading
from dataclasses import dataclass, field

from tests.doubles import wire
from tests.doubles.server import Double, Dropped, Forward
from tests.doubles.wire import Call, Message

_THROTTLES = {
    "apigatewayv2": ("TooManyRequestsException", 429),
    "dynamodb": ("ThrottlingException", 400),
    "ecr": ("ThrottlingException", 400),
    "iam": ("Throttling", 400),
    "lambda": ("TooManyRequestsException", 429),
    "logs": ("ThrottlingException", 400),
    "s3": ("SlowDown", 503),
    "sts": ("Throttling", 400),
}
_BROKEN = {
    "apigatewayv2": ("InternalServerErrorException", 500),
    "dynamodb": ("InternalServerError", 500),
    "ecr": ("ServerException", 500),
    "iam": ("ServiceFailure", 500),
    "lambda": ("ServiceException", 500),
    "logs": ("ServiceUnavailableException", 503),
    "s3": ("InternalError", 500),
    "sts": ("InternalFailure", 500),
}


@dataclass(slots=True, kw_only=True)
class Kill:
    """Ends the client with its n-th call, as kill -9 does.

    Attributes:
        call: number of the call.
        after_effect: lets the call have its effect first; its answer arrives in neither case.
        pid: tells the client's process id, once it is known.
        hit: the call, once it came.
    """

    call: int
    after_effect: bool
    pid: "queue.SimpleQueue[int]" = field(default_factory=queue.SimpleQueue)
    hit: Call | None = None

    async def __call__(self, call: Call, forward: Forward) -> Message:
        """Forwards what comes before the n-th call, and of what comes then only what was on its way."""
        if call.number < self.call:
            return await forward(call)
        if call.number == self.call:
            self.hit = call
            if self.after_effect:
                await forward(call)
            os.kill(await asyncio.to_thread(self.pid.get), signal.SIGKILL)
        raise Dropped


@dataclass(slots=True, kw_only=True)
class Faults:
    """Faults with a probability, the same ones for the same seed and order of calls.

    Attributes:
        seed: of the choices.
        probability: that a call is not simply answered.
        told: how often each fault happened.
    """

    seed: int
    probability: float
    told: dict[str, int] = field(default_factory=dict)
    _random: random.Random = field(init=False)
    _last: dict[str, Message] = field(default_factory=dict)
    _stale: dict[str, tuple[Message, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Starts the choices."""
        self._random = random.Random(self.seed)

    async def __call__(self, call: Call, forward: Forward) -> Message:
        """The call with what goes wrong with it."""
        if not call.operation:
            return await forward(call)
        answer = await (self._write if call.writes else self._read)(call, forward)
        if answer is None:
            raise Dropped
        return answer

    async def _write(self, call: Call, forward: Forward) -> Message | None:
        fault = self._choose("throttle", "broken before", "broken after", "cut before", "cut after", "slow")
        if fault == "throttle":
            return _throttle(call)
        if fault == "broken before":
            return _broken(call)
        if fault == "cut before":
            return None
        answer = await forward(call)
        if self._random.random() < self.probability:
            self._note("lag")
            for key, before in self._last.items():
                if key.startswith(f"{call.service} "):
                    self._stale[key] = (before, self._random.randint(1, 3))
        if fault == "broken after":
            return _broken(call)
        if fault == "cut after":
            return None
        await self._wait(fault)
        return answer

    async def _read(self, call: Call, forward: Forward) -> Message | None:
        key = _key(call)
        fault = self._choose("throttle", "broken", "cut", "slow")
        if fault == "throttle":
            return _throttle(call)
        if fault == "broken":
            return _broken(call)
        if fault == "cut":
            return None
        await self._wait(fault)
        if key in self._stale:
            before, times = self._stale.pop(key)
            if times > 1:
                self._stale[key] = (before, times - 1)
            self._note("stale")
            return before
        self._last[key] = answer = await forward(call)
        return answer

    def _choose(self, *faults: str) -> str:
        if self._random.random() >= self.probability:
            return ""
        fault = self._random.choice(faults)
        self._note(fault)
        return fault

    def _note(self, fault: str) -> None:
        self.told[fault] = self.told.get(fault, 0) + 1

    async def _wait(self, fault: str) -> None:
        if fault == "slow":
            await asyncio.sleep(self._random.uniform(0.005, 0.05))


def _key(call: Call) -> str:
    body = hashlib.sha256(call.request.body).hexdigest()
    return f"{call.service} {call.operation} {call.request.target} {body}"


def _throttle(call: Call) -> Message:
    code, status = _THROTTLES[call.service]
    return wire.refusal(call, code, "Rate exceeded", status)


def _broken(call: Call) -> Message:
    code, status = _BROKEN[call.service]
    return wire.refusal(call, code, "We encountered an internal error. Please try again.", status)


def main() -> None:
    """Serves until it is ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.doubles.proxy")
    parser.add_argument("url")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--probability", type=float, default=0.2)
    given = parser.parse_args()
    faults = Faults(seed=given.seed, probability=given.probability)
    with Double(given.url, faults, port=given.port) as double:
        sys.stdout.write(f"{double.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
