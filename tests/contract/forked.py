"""Applies in processes that may be killed: each forked from one that has everything imported and made.

A process of its own because the tests' has threads, and forking those is asking for trouble.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.contract import reconcile_servers as servers
from tests.contract.reconcile_servers import ROOT, World
from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, Stack
from understudy.reconcile import adoption, apply, observe, plan, removal
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import text
from understudy.reconcile.model import ObservedResource
from understudy.reconcile.rollout import aliases

_REFUSED = 3
_WROTE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended.

    Attributes:
        killed: whether it was killed.
        message: what it said, where it failed; empty when it claims success.
    """

    killed: bool
    message: str


class Forked:
    """A process that runs commands in forks of itself.

    Args:
        kind: `moto` or `engine`.
        url: the endpoint.
        folder: for its files.
        pace: how many times faster than real time it sleeps.
    """

    def __init__(self, kind: str, url: str, folder: Path, *, pace: float = 1.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._said = folder / "said.txt"
        self._argv = [sys.executable, "-m", "tests.contract.forked", kind, url, str(folder), str(pace)]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Starts it."""
        self._process = subprocess.Popen(
            self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self._line() == "ready"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it."""
        if self._process and self._process.stdin and self._process.stdout:
            self._process.stdin.close()
            self._process.wait(timeout=60)
            self._process.stdout.close()

    def run(self, command: str, on_pid: Callable[[int], None] = lambda _: None) -> Outcome:
        """How a command of `Commands` ended; `on_pid` is told its process while it runs."""
        self._said.write_text("")
        assert self._process
        assert self._process.stdin
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        on_pid(int(self._line()))
        status = int(self._line())
        code = os.waitstatus_to_exitcode(status)
        message = self._said.read_text()
        assert code in (0, -9, _REFUSED), f"{command} ended with {code}: {message}"
        return Outcome(killed=code == -9, message=message)

    def _line(self) -> str:
        assert self._process
        assert self._process.stdout
        return self._process.stdout.readline().strip()


@dataclass(frozen=True, slots=True)
class _FastClock:
    pace: float

    def now(self) -> float:
        return time.monotonic() * self.pace

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self.pace)


class _Canary:
    """Moves an alias as a rollout does, with a part of the traffic first."""

    def move(self, aws: Aws, desired: DesiredResource, observed: ObservedResource) -> None:
        version = text(desired.spec, "functionVersion")
        before = aliases.get(aws, text(observed.spec, "functionName"), text(desired.spec, "name"))
        if before.weights:
            before = aliases.point(aws, before, before.version)
        if before.version != version:
            before = aliases.point(aws, before, before.version, {version: 0.1})
        aliases.point(aws, before, version)


class Commands:
    """What may be run: `deploy`, `update` and `rollout` apply, `delete` deletes; `idle ...` may not write."""

    def __init__(self, world: World) -> None:
        self._world = world
        first, second = world.stack(), world.stack(world.images[1], memorySize=2048)
        self._stacks = {"deploy": first, "update": second, "rollout": second, "delete": second}
        aws = world.aws
        for client in (
            aws.ecr,
            aws.iam,
            aws.dynamodb,
            aws.s3,
            aws.logs,
            aws.lambda_,
            aws.apigatewayv2,
        ):
            client()

    def run(self, command: str) -> int:
        """Exit code; raises what the command raises."""
        name = command.removeprefix("idle ")
        desired = self._stacks[name]
        self._world.calls.clear()
        if name == "delete":
            self._delete(desired)
        else:
            mover = _Canary() if name == "rollout" else None
            planned = plan.plan(desired, observe.observe(desired, self._world.aws))
            adoption.check(planned)  # as for AWS: what a crash leaves must be known as ours
            apply.apply(planned, self._world.aws, pusher=self._world.pusher, mover=mover)
        if name != command and self._world.writes:
            raise AssertionError(f"wrote {self._world.writes}")
        return 0

    def _delete(self, desired: Stack) -> None:
        aws = self._world.aws
        allowed = [one.key for one in desired]
        apply.apply(removal.deletion(desired, observe.observe(desired, aws), allowed=allowed), aws)


def _child(commands: Commands, command: str, said: Path) -> int:
    try:
        return commands.run(command)
    except UnderstudyError as exc:
        said.write_text(f"{exc}")
        return _REFUSED
    except AssertionError as exc:
        said.write_text(f"{exc}")
        return _WROTE


def _say(value: object) -> None:
    sys.stdout.write(f"{value}\n")
    sys.stdout.flush()


def _serve(kind: str, url: str, folder: Path, pace: float) -> None:
    clock = _FastClock(pace)
    world = servers.moto_world(url, clock) if kind == "moto" else servers.engine_world(url, folder, clock)
    commands = Commands(world)
    _say("ready")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(_child(commands, line.strip(), folder / "said.txt"))
        _say(pid)
        _say(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]))
