"""The boot: an image started under Lambda's constraints with its entrypoint unmodified, then watched.

Two environments, one after the other. The first decides: nothing of ours is in it, and success means that its
process asked for the next invocation and answered events. The second has the observer laid over the image's
``sitecustomize`` and only tells what init does besides importing; nothing it shows makes an image pass, and
it is not measured. Refuses to guess where it cannot look: without isolation, or for an image of another
architecture, the report says why there was no boot.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import platform
import posixpath
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from understudy.errors import EnvironmentProblemError
from understudy.image.rootfs_view import RootfsView
from understudy.sandbox import (
    Endpoint,
    FunctionEnvironment,
    SandboxSpec,
    executors,
    extensions,
    lambda_environment,
)
from understudy.sandbox.model import OUT_OF_MEMORY
from understudy.verify.boot import handlers
from understudy.verify.boot.model import BootReport
from understudy.verify.boot.session import Session
from understudy.verify.boot.watching import Watch

if TYPE_CHECKING:
    from pathlib import Path

    from understudy.sandbox import Executor
    from understudy.verify.boot.model import Attempt, BootRequest, HandlerKind

_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_PROBE_TIMEOUT_S = 0.5
_NEIGHBOURS_AT_MOST = 40


def run(request: BootRequest, *, state_dir: Path) -> BootReport:
    """Boots with an executor of its own and waits.

    Args:
        request: what to boot.
        state_dir: folder for an empty mount point.

    Raises:
        UnderstudyError: the root cannot be assembled, or the endpoint cannot be reached from inside.
    """
    reason = _impossible(request)
    return BootReport(skipped=reason) if reason else asyncio.run(_run(request, state_dir))


async def _run(request: BootRequest, state_dir: Path) -> BootReport:
    try:
        executor = executors.make(executors.chosen(os.environ), state_dir)
    except EnvironmentProblemError as error:
        return BootReport(skipped=_reason(error))
    try:
        await executor.open()
    except EnvironmentProblemError as error:
        await executor.close()
        return BootReport(skipped=_reason(error))
    try:
        return await boot(request, executor=executor)
    finally:
        await executor.close()


async def boot(request: BootRequest, *, executor: Executor) -> BootReport:
    """Boots an image and returns what it showed; a failing image is told by the report, not by an exception.

    Args:
        request: what to boot.
        executor: isolates; it is open.

    Raises:
        UnderstudyError: the root cannot be assembled, or the endpoint cannot be reached from inside.
    """
    reason = _impossible(request)
    if reason:
        return BootReport(skipped=reason)
    started = time.perf_counter()
    endpoint, down = await _endpoint(request)
    files = RootfsView(request.rootfs)
    spec = sandbox_spec(request, endpoint)
    watch = Watch(request, spec, files, executor)
    try:
        report = await _decide(request, spec, files, executor, watch)
        decided = time.perf_counter()
        seen = await watch.result(report.attempts[0])
    except EnvironmentProblemError as error:
        return BootReport(skipped=_reason(error))
    finally:
        await watch.cancel()
    ended = time.perf_counter()
    return dataclasses.replace(
        report,
        network=request.network,
        endpoint=request.endpoint,
        observations=seen,
        endpoint_down=down,
        seconds=ended - started,
        observed_seconds=ended - decided,
    )


def _impossible(request: BootRequest) -> str:
    machine = _MACHINES.get(platform.machine(), platform.machine())
    if request.architecture != machine:
        return f"the image is for {request.architecture}, this machine is {machine}"
    return ""


def _reason(error: EnvironmentProblemError) -> str:
    return f"{error.message}; to change that: {error.hint}"


async def _endpoint(request: BootRequest) -> tuple[Endpoint | None, str]:
    """The endpoint when it answers, and its URL when it does not."""
    if not request.endpoint:
        return None, ""
    parts = urlsplit(request.endpoint)
    endpoint = Endpoint(
        host=parts.hostname or "localhost", port=parts.port or (443 if parts.scheme == "https" else 80)
    )
    try:
        opening = asyncio.open_connection(endpoint.host, endpoint.port)
        _, writer = await asyncio.wait_for(opening, _PROBE_TIMEOUT_S)
    except (OSError, TimeoutError):
        return None, request.endpoint
    writer.close()
    return endpoint, ""


def sandbox_spec(request: BootRequest, endpoint: Endpoint | None = None) -> SandboxSpec:
    """The execution environment that Lambda would make of a request.

    Args:
        request: image and launch.
        endpoint: of this machine, where the sandbox is to reach it without the host's network.
    """
    launch = request.launch
    variables = dict(launch.function_env)
    if request.endpoint:
        variables["AWS_ENDPOINT_URL"] = request.endpoint
    name = launch.function_name or "function"
    environment = lambda_environment(
        FunctionEnvironment(
            function_name=name,
            memory_mb=launch.memory_mb,
            region=request.region,
            log_stream="2026/01/01/[$LATEST]00000000000000000000000000000000",
            image=tuple(launch.image_env.items()),
            function=variables,
            working_dir=launch.working_dir,
        )
    )
    return SandboxSpec(
        rootfs=request.rootfs,
        entrypoint=launch.entrypoint,
        command=launch.command,
        working_dir=launch.working_dir,
        environment=environment,
        memory_mb=launch.memory_mb,
        ephemeral_mb=launch.ephemeral_mb,
        timeout_s=launch.timeout_s,
        init_timeout_s=request.init_timeout_s,
        function_name=name,
        network=request.network,
        reachable=(endpoint,) if endpoint is not None else (),
        extensions=extensions.external(RootfsView(request.rootfs)),
    )


async def _decide(
    request: BootRequest, spec: SandboxSpec, files: RootfsView, executor: Executor, watch: Watch
) -> BootReport:
    """The boot that counts; `watch` begins when everything is measured."""
    async with Session(spec, executor=executor) as session:
        attempt = await session.ready()
        names, peak_init_mb = session.names, session.peak_mb
        kind, openapi_url = _guess(spec, files)
        if not attempt.error_type or session.retries(attempt):
            if request.events:
                await session.send_own(request.events)
            else:
                rest = await session.send_synthetic(kind, openapi_url)
                watch.begin(attempt)
                await session.ask_routes(rest)
        return BootReport(
            constraints=dict(session.environment.constraints),
            kind=kind,
            attempts=_first_attempts(session.attempts),
            outcomes=tuple(session.outcomes) if not _failed(session.attempts) else (),
            names_at_init=tuple(dict.fromkeys(names)),
            peak_init_mb=peak_init_mb,
            peak_mb=session.peak_mb,
            out_of_memory=OUT_OF_MEMORY
            in {each.error_type for each in session.attempts}
            | {each.error_type for each in session.outcomes},
            log="".join(session.lines),
        )


def _first_attempts(attempts: list[Attempt]) -> tuple[Attempt, ...]:
    """The init phase and its repetition; what follows a crash in a request is another story."""
    return tuple(attempts[:2] if attempts[0].error_type else attempts[:1])


def _failed(attempts: list[Attempt]) -> bool:
    return bool(_first_attempts(attempts)[-1].error_type)


def _handler(spec: SandboxSpec) -> str:
    return spec.command[-1] if spec.command else (spec.entrypoint[-1] if spec.entrypoint else "")


def _guess(spec: SandboxSpec, files: RootfsView) -> tuple[HandlerKind, str]:
    """The kind of events that the handler takes and the path of its OpenAPI document."""
    handler = _handler(spec)
    folders = [spec.environment.get("LAMBDA_TASK_ROOT", "/var/task"), spec.working_dir or "/"]
    for path in handlers.module_paths(handler, folders):
        source = files.text(path)
        if source is None:
            continue
        folder = posixpath.dirname(path)
        names = [name for name in files.names(folder) if name.endswith(".py")][:_NEIGHBOURS_AT_MOST]
        neighbours = [files.text(f"{folder}/{name}") or "" for name in names]
        return handlers.kind(source, handler), handlers.openapi_url([source, *neighbours])
    return "unknown", handlers.openapi_url(())
