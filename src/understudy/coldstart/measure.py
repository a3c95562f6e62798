"""Cold starts of an image in the sandbox, with nothing of ours in it, and one that is watched.

Series are interleaved: what else the machine does meets all of them alike. Refuses to average anything away:
every sample is kept.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.coldstart import recordings, touched
from understudy.coldstart.model import Condition, Host, Sample, Series, Subject, Touched
from understudy.errors import UnderstudyError
from understudy.sandbox import ExecutionEnvironment, InvokeRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from understudy.coldstart.watched import Recording
    from understudy.image.rootfs import Rootfs
    from understudy.sandbox import Executor, InvokeResult, SandboxSpec

_MEGABYTE = 1024 * 1024
_SERVER_ERROR = 500

EMPTY = "understudy_empty"
"""Module of the handler that does nothing: what is left of a cold start is the base's."""


async def series(
    subjects: Sequence[tuple[Subject, Condition]],
    runs: int,
    executor: Executor,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Series]:
    """As many cold starts of each as `runs`, taking turns; one before them warms up and is not counted.

    Raises:
        UnderstudyError: one does not start; the message is Lambda's.
    """
    found: list[list[Sample]] = [[] for _ in subjects]
    for number in range(runs + 1):
        for position, (subject, condition) in enumerate(subjects):
            sample = await cold_start(subject, condition, executor)
            if number:
                found[position].append(sample)
        progress(number)
    return [
        Series(condition=condition, samples=tuple(samples))
        for (_, condition), samples in zip(subjects, found, strict=True)
    ]


async def cold_start(subject: Subject, condition: Condition, executor: Executor) -> Sample:
    """One cold start, a first and a second request.

    Raises:
        UnderstudyError: it does not start; the message is Lambda's.
    """
    if condition.cache == "dropped":
        drop(subject.spec.rootfs)
    environment = ExecutionEnvironment(
        _under(subject.spec, condition), executor=executor, log=lambda _: None, explain_init_errors=False
    )
    await environment.start()
    try:
        init_ms = await _ready(environment)
        init_peak_mb = _peak_mb(environment)
        first = await environment.invoke(_request(subject, 1))
        second = await environment.invoke(_request(subject, 2))
        return Sample(
            init_ms=init_ms,
            first_ms=first.duration_ms,
            second_ms=second.duration_ms,
            init_peak_mb=init_peak_mb,
            peak_mb=max(init_peak_mb, _peak_mb(environment)),
            error=_error(first) or _error(second),
        )
    finally:
        await environment.shutdown()


async def record(
    subject: Subject, condition: Condition, files: Mapping[str, str], executor: Executor
) -> Recording | None:
    """What a watched cold start and two requests told; `None` when the image's Python did not tell anything.

    Args:
        subject: the image.
        condition: memory and CPU.
        files: with the instruments, laid over the image.
        executor: isolates.

    Raises:
        UnderstudyError: it does not start.
    """
    lines: list[str] = []
    spec = dataclasses.replace(_under(subject.spec, condition), files={**subject.spec.files, **files})
    environment = ExecutionEnvironment(
        spec,
        executor=executor,
        log=lambda line: lines.append(line.decode("utf-8", "backslashreplace")),
        explain_init_errors=False,
    )
    await environment.start()
    try:
        init_ms = await _ready(environment)
        started_s = time.perf_counter() - init_ms / 1000
        # Two that are timed, one whose calls are noted, and one more: by then the third one's end was told.
        for number in range(1, 5):
            await environment.invoke(_request(subject, number))
        return recordings.parse("".join(lines), started_s=started_s)
    finally:
        await environment.shutdown()


async def touches(subject: Subject, condition: Condition, executor: Executor) -> Touched:
    """What a cold start reads of the image until ``/next``.

    Raises:
        UnderstudyError: it does not start.
    """
    drop(subject.spec.rootfs)
    environment = ExecutionEnvironment(
        _under(subject.spec, condition), executor=executor, log=lambda _: None, explain_init_errors=False
    )
    await environment.start()
    try:
        await _ready(environment)
        return touched.count(subject.spec.rootfs)
    finally:
        await environment.shutdown()


async def opens(
    subject: Subject, condition: Condition, paths: Iterable[Path], executor: Executor
) -> frozenset[Path] | None:
    """Which of these files of an image a cold start and two requests read of; `None` when a request fails.

    Raises:
        UnderstudyError: it does not start.
    """
    drop(subject.spec.rootfs)
    sample = await cold_start(subject, condition, executor)
    return None if sample.error else touched.cached(paths)


def empty(subject: Subject) -> Subject:
    """The same environment with a handler that imports nothing and returns at once."""
    folder = subject.spec.working_dir.rstrip("/")
    spec = dataclasses.replace(
        subject.spec,
        command=(f"{EMPTY}.handler",),
        files={f"{folder}/{EMPTY}.py": "def handler(event, context):\n    return {}\n"},
    )
    return dataclasses.replace(subject, spec=spec, event=b"{}", event_name="{}")


def drop(rootfs: Rootfs) -> None:
    """Takes the files of an image out of the page cache, as far as no process uses them."""
    for layer in rootfs.layers:
        for folder, _, names in os.walk(layer):
            for name in names:
                _drop(Path(folder, name))


def host() -> Host:
    """This machine."""
    return Host(
        machine=platform.machine(),
        processors=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        model=_processor(),
        kernel=f"{platform.system()} {platform.release()}",
    )


def _drop(path: Path) -> None:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.fdatasync(descriptor)  # what a build has just written stays until it is on disk
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    found = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(found, platform.processor())


def _under(spec: SandboxSpec, condition: Condition) -> SandboxSpec:
    environment = {**spec.environment, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(condition.memory_mb)}
    return dataclasses.replace(
        spec,
        memory_mb=condition.memory_mb,
        environment=environment,
        cpu="lambda-throttled-init" if condition.throttled_init else "lambda",
    )


async def _ready(environment: ExecutionEnvironment) -> float:
    report = await environment.ready()
    if report.fault is not None:
        reason = report.fault.reason or _message(report.fault.body)
        raise UnderstudyError(
            "coldstart-init",
            f"it does not start: {report.fault.error_type}: {reason}".rstrip(": "),
            hint="./understudy verify says why, and what to change",
        )
    return report.duration_ms


def _message(body: bytes | None) -> str:
    """AWS's errorMessage in an error document."""
    try:
        return str(json.loads(body or b"{}").get("errorMessage", ""))
    except (ValueError, AttributeError):
        return ""


def _request(subject: Subject, number: int) -> InvokeRequest:
    return InvokeRequest(
        request_id=f"00000000-0000-4000-8000-{number:012d}",
        payload=subject.event,
        invoked_function_arn=f"arn:aws:lambda:us-east-1:000000000000:function:{subject.spec.function_name}",
    )


def _error(result: InvokeResult) -> str:
    """AWS's errorType of a failed request, or the status of an HTTP answer that is one; empty for none."""
    if result.error_type:
        return result.error_type
    try:
        status = json.loads(result.payload).get("statusCode")
    except (ValueError, AttributeError):
        return ""
    return f"HTTP {status}" if isinstance(status, int) and status >= _SERVER_ERROR else ""


def _peak_mb(environment: ExecutionEnvironment) -> float:
    process = environment.process
    return process.memory_peak_bytes() / _MEGABYTE if process is not None else 0.0
