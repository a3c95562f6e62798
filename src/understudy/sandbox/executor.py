"""The seam between an execution environment and whatever isolates its process.

Two executors fit behind it, namespaces and Docker; a test's fake fits too. Refuses to know the Runtime API.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence

    from understudy.sandbox.isolation import Isolation
    from understudy.sandbox.model import ExitStatus, SandboxSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Peek:
    """A running process, as the kernel shows it.

    Attributes:
        executable: path of the program file inside the sandbox.
        argv: command line.
        environment: as it was at exec.
        working_dir: now.
    """

    executable: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    working_dir: str


class Doorway(Protocol):
    """Where the processes of a sandbox reach the Runtime API, when that is no socket of this machine."""

    @property
    def address(self) -> str:
        """Value of AWS_LAMBDA_RUNTIME_API inside, host and port."""
        ...

    def serve(self, connection: Callable[[], asyncio.Protocol]) -> None:
        """Has every connection that a process opens served by a `connection` of its own."""
        ...


class Process(Protocol):
    """One run of the image's entry point."""

    async def wait(self) -> ExitStatus:
        """Returns how the process ended, once its output has been delivered."""
        ...

    def kill(self) -> None:
        """Kills the process and everything it started."""
        ...

    def signal(self, number: int) -> None:
        """Sends a signal to it and to everything it started."""
        ...

    def drain(self) -> None:
        """Delivers the output written so far, so that it precedes what the caller logs next."""
        ...

    def memory_peak_bytes(self) -> int:
        """Highest resident memory of the running processes, summed."""
        ...

    def check_memory(self) -> None:
        """Enforces the memory limit where the kernel does not do all of it; called while work is going on."""
        ...

    async def peek(self) -> Peek | None:
        """Looks at the running process; `None` when it is gone."""
        ...


class Sandbox(Protocol):
    """A prepared root with its `/tmp`, in which processes run one after another."""

    @property
    def constraints(self) -> Mapping[str, str]:
        """Which of Lambda's constraints are in force here, and by which means."""
        ...

    @property
    def alive(self) -> bool:
        """Whether processes can be started in it; false once it was lost from outside."""
        ...

    @property
    def isolation(self) -> Isolation | None:
        """Its own network; `None` when it shares the host's."""
        ...

    @property
    def doorway(self) -> Doorway | None:
        """How its processes reach the Runtime API; `None` when they connect to a socket of ours."""
        ...

    def start(
        self, argv: Sequence[str], environment: Mapping[str, str], output: Callable[[bytes], None]
    ) -> Process:
        """Starts a process; failing to is told by its exit status.

        Args:
            argv: the command.
            environment: complete.
            output: receives stdout and stderr in the order they were written, in pieces of any size.
        """
        ...

    def limit_cpu(self, vcpus: float | None) -> None:
        """Sets the CPU share from now on; `None` lifts it."""
        ...

    def freeze(self) -> None:
        """Stops every process until `thaw`."""
        ...

    def thaw(self) -> None:
        """Lets the processes go on."""
        ...

    async def close(self) -> None:
        """Ends every process and frees everything; idempotent."""
        ...


class Executor(Protocol):
    """Makes sandboxes."""

    async def prepare(self, spec: SandboxSpec) -> Sandbox:
        """Makes the root, the limits and the namespaces for `spec`; no process of the image runs yet.

        Raises:
            UnderstudyError: this machine cannot isolate.
        """
        ...


class HostExecutor(Executor, Protocol):
    """An executor that takes something of this machine while it is open."""

    async def open(self) -> None:
        """Takes it.

        Raises:
            UnderstudyError: this machine cannot isolate.
        """
        ...

    async def close(self) -> None:
        """Ends every sandbox and gives it back."""
        ...
