"""Cold starts of a function where it is deployed: each a scratch version's first request.

Callers never meet one: they come through an alias, and a function without one is refused. So is one of
another stack, and a request for HTTP to a function that no HTTP reaches: it might do harm there.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.coldstart.model import Condition, Deployed, Sample, Series
from understudy.errors import UnderstudyError
from understudy.manifests import ownership
from understudy.reconcile import invocation, lock, release, report_lines, scratch_versions
from understudy.reconcile.rollout import probes, subjects
from understudy.reconcile.services import lambda_
from understudy.targets import stack as stacks
from understudy.targets.events import Advanced, Done, Started

if TYPE_CHECKING:
    from pathlib import Path

    from types_boto3_lambda.type_defs import FunctionConfigurationTypeDef

    from understudy.image.store import Store
    from understudy.reconcile.aws import Aws
    from understudy.reconcile.report_lines import ReportLine
    from understudy.reconcile.rollout.model import Subject
    from understudy.reconcile.scratch_versions import ScratchVersions
    from understudy.targets.events import Report as Tell
    from understudy.targets.starts.measuring import Wanted
    from understudy.targets.target import Target
    from understudy.targets.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A deployed function, before anything is written.

    Attributes:
        target: where.
        name: AWS name.
        digest: of the image that `$LATEST` runs.
        code_sha256: of that code, as Lambda names it.
        memory_mb: of `$LATEST`.
        lock_path: held by whatever writes to the target.
        note: what a reader has to know; empty for nothing.
    """

    target: Target
    name: str
    digest: str
    code_sha256: str
    memory_mb: int
    lock_path: Path
    note: str = ""


def find(workspace: Workspace, target: Target, store: Store, wanted: Wanted) -> Function:
    """The function of the target that runs the image; reads only.

    Raises:
        UnderstudyError: no function runs it behind an alias, it was not deployed or is another stack's, the
            request may do harm, or the image that was deployed is not in this project's store, so that
            nothing here compares with it.
    """
    target.guard()
    subject = _subject(workspace, target, wanted)
    name = subject.function
    aws = target.session()
    latest = _configuration(workspace, target, aws, name)
    digest = probes.running_digest(aws, name, lambda_.LATEST)
    if not digest or not store.has(digest):
        raise UnderstudyError(
            "image-elsewhere",
            f"function {name} of target {target.name} runs {digest or 'no image'}, which is not in this "
            "project's store",
            hint="check out the commit that was deployed and ./understudy build, or measure with --sandbox",
        )
    return Function(
        target=target,
        name=name,
        digest=digest,
        code_sha256=latest["CodeSha256"],
        memory_mb=latest["MemorySize"],
        lock_path=workspace.layout.apply_lock(target.name),
        note=_note(aws, subject, digest),
    )


def measure(function: Function, wanted: Wanted, tell: Tell) -> Deployed:
    """As many cold starts as wanted; the function is as it was afterwards, whatever happens in between.

    Raises:
        UnderstudyError: AWS refused something, or the log tells no cold start.
    """
    step = f"cold starts on {function.target.name}"
    aws, began = function.target.session(), time.monotonic()
    tell(Started(step=step))
    samples = []
    with (
        lock.held(function.lock_path),
        scratch_versions.held(aws, function.name, function.code_sha256) as scratch,
    ):
        for number in range(1, wanted.runs + 1):
            samples.append(_cold_start(aws, function, scratch, wanted.event))
            tell(Advanced(step=step, text=f"{number} of {wanted.runs}"))
        tell(Advanced(step=step, text="deleting the scratch versions"))
    tell(Done(step=step, seconds=time.monotonic() - began))
    return Deployed(
        target=function.target.name,
        function=function.name,
        series=Series(condition=Condition(memory_mb=function.memory_mb), samples=tuple(samples)),
    )


def _configuration(workspace: Workspace, target: Target, aws: Aws, name: str) -> FunctionConfigurationTypeDef:
    answer = aws.find(aws.lambda_().get_function, FunctionName=name)
    if answer is None:
        raise UnderstudyError(
            "function-absent",
            f"target {target.name} has no function {name}",
            hint=f"./understudy deploy --target {target.name}",
        )
    if target.guarded and answer.get("Tags", {}).get(ownership.STACK) != workspace.project.project:
        raise UnderstudyError(
            "resource-foreign",
            f"function {name} of target {target.name} carries no tag of this stack",
            hint=f"./understudy adopt Function/NAME --target {target.name}",
        )
    return answer["Configuration"]


def _cold_start(aws: Aws, function: Function, scratch: ScratchVersions, event: bytes) -> Sample:
    version = scratch.publish(secrets.token_hex(8))
    first, error = _invoke(aws, f"{function.name}:{version}", event)
    second, other = _invoke(aws, f"{function.name}:{version}", event)
    if first.init_ms is None:
        raise UnderstudyError(
            "coldstart-warm",
            f"the first request to version {version} of {function.name} met an environment that was warm",
            hint="run the same command again",
            retryable=True,
        )
    return Sample(
        init_ms=first.init_ms,
        first_ms=first.duration_ms,
        second_ms=second.duration_ms,
        init_peak_mb=0.0,
        peak_mb=max(first.max_memory_mb, second.max_memory_mb),
        error=error or other,
    )


def _invoke(aws: Aws, function: str, event: bytes) -> tuple[ReportLine, str]:
    """The REPORT of one request, and how it failed."""
    answer = invocation.invoke(aws, function, event)
    found = report_lines.last(answer.log_tail)
    if found is None:
        raise UnderstudyError(
            "coldstart-unreported",
            f"the log of {function} has no REPORT",
            hint="set loggingConfig.systemLogLevel of the function to INFO",
        )
    return found, answer.function_error


def _note(aws: Aws, subject: Subject, digest: str) -> str:
    """That callers get another image than is measured: scratch versions are made of `$LATEST`."""
    for alias in subject.aliases:
        live = probes.running_digest(aws, subject.function, alias)
        if live != digest:
            return f"{subject.function}:{alias} runs {live or 'no image'}; $LATEST is measured, {digest}"
    return ""


def _subject(workspace: Workspace, target: Target, wanted: Wanted) -> Subject:
    stack = stacks.load(workspace.root, workspace.project, target, stacks.any_digests(workspace.project))
    names = [one.function for one in release.of_image(stack, wanted.image)]
    known = [subjects.of_stack(stack)[name] for name in names if wanted.function in ("", name)]
    found = next((one for one in known if one.aliases), None)
    if found is None:
        which = f"Function {wanted.function}" if wanted.function else "Function"
        raise UnderstudyError(
            "function-unaliased",
            f"no {which} runs image {wanted.image} behind an Alias, and callers of $LATEST would meet every "
            "cold start",
            hint="add an Alias of an auto-published Version, or measure with --sandbox",
        )
    if wanted.is_http and (found.door is None or found.door.kind == "RestAPI"):
        raise UnderstudyError(
            "function-no-http",
            f"no HTTP API or open function URL leads to function {found.function}, and {wanted.event_name} "
            "(payload 2.0) may do harm there",
            hint="send an event that does none: --event FILE",
        )
    return found
