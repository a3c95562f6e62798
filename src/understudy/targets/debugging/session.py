"""One invocation under a debugger, in a sandbox of its own.

It is not the identical image: a layer with debugpy lies over it, timeouts are suspended, the CPU is not
throttled, and debugpy's own memory is added to the function's. All else is the function's: root, user,
environment, handler.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from understudy.engine import identifiers
from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.image.rootfs import Rootfs
from understudy.reconcile.invocation import Invocation
from understudy.sandbox import executors
from understudy.sandbox.environment import ExecutionEnvironment
from understudy.sandbox.model import InvokeRequest, SandboxSpec
from understudy.sandbox.namespaces import NamespaceExecutor
from understudy.targets.debugging import layer
from understudy.targets.debugging.functions import Described

HOST = "127.0.0.1"
_UNTIL_S = 86_400.0
_DEBUGPY_MB = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What of this machine a session needs.

    Attributes:
        debugger: the layer that `layer.install` made.
        state_dir: scratch space of sandboxes.
    """

    debugger: Path
    state_dir: Path


def invoke(
    function: Described, payload: bytes, port: int, place: Place, log: Callable[[bytes], None]
) -> Invocation:
    """Returns the outcome of one invocation that waits for a debugger on `port` before any code runs.

    Args:
        function: which one.
        payload: the event.
        port: on the loopback interface.
        place: what of this machine it needs.
        log: told each line of the log as it comes.

    Raises:
        EnvironmentProblemError: the port is taken, or this machine cannot isolate.
        UnderstudyError: functions run in containers, whose ports are out of a debugger's reach.
    """
    check(port)
    spec = debugged(function.spec, port, place.debugger)
    request = InvokeRequest(
        request_id=identifiers.request_id(), payload=payload, invoked_function_arn=function.arn
    )
    return asyncio.run(_invoke(spec, request, place.state_dir, log))


def check(port: int) -> None:
    """Returns when a debugger could listen on a port of this machine.

    Raises:
        EnvironmentProblemError: somebody listens there.
        UnderstudyError: functions run in containers, whose ports are out of a debugger's reach.
    """
    if executors.chosen(os.environ) != executors.NAMESPACES:
        raise UnderstudyError(
            "debug-executor",
            "a debugger reaches functions of the executor namespaces alone",
            hint=f"on Linux: unset {executors.VARIABLE}, and invoke again",
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as exc:
            raise EnvironmentProblemError(
                "port-taken",
                f"port {port} for the debugger is in use",
                hint=f"--debug {port + 1}, or see who holds it: ss -ltnp 'sport = :{port}'",
                where=f"{HOST}:{port}",
            ) from exc


def debugged(spec: SandboxSpec, port: int, debugger: Path) -> SandboxSpec:
    """The sandbox `spec` with a debugger in it that listens on `port`, and time to use it."""
    before = spec.environment.get("PYTHONPATH", "")
    environment = {
        **spec.environment,
        layer.LISTEN: f"{HOST}:{port}",
        layer.PATH_BEFORE: before,
        "PYTHONPATH": f"{layer.FOLDER}:{before}" if before else layer.FOLDER,
    }
    return replace(
        spec,
        rootfs=Rootfs(layers=(*spec.rootfs.layers, debugger)),
        environment=environment,
        memory_mb=spec.memory_mb + _DEBUGPY_MB,
        timeout_s=_UNTIL_S,
        init_timeout_s=_UNTIL_S,
        cpu="host",
    )


async def _invoke(
    spec: SandboxSpec, request: InvokeRequest, state_dir: Path, log: Callable[[bytes], None]
) -> Invocation:
    executor = NamespaceExecutor(state_dir)
    try:
        await executor.open()
        environment = ExecutionEnvironment(spec, executor=executor, log=log, explain_init_errors=False)
        try:
            await environment.start()
            result = await environment.invoke(request)
        finally:
            await environment.shutdown()
    finally:
        await executor.close()
    return Invocation(
        payload=result.payload,
        function_error=result.function_error or "",
        version=spec.function_version,
        log_tail=result.log_tail.decode(errors="replace"),
        request_id=request.request_id,
    )
