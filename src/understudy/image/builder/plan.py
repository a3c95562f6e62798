"""Which stages a build needs, in which order, and what ARG and FROM say before any stage runs.

Pure.
"""

from __future__ import annotations

import difflib
import platform as host_platform
import posixpath
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.errors import UnderstudyError
from understudy.image.builder import state
from understudy.image.builder.state import Scope
from understudy.image.dockerfile import lines
from understudy.image.dockerfile.model import Arg, Copy, Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from understudy.image.builder.model import BuildRequest
    from understudy.image.dockerfile.model import Dockerfile, Stage

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The stages to build, in order; the last one is the result."""

    scope: Scope
    stages: tuple[Stage, ...]
    unused_args: tuple[str, ...]

    @property
    def steps(self) -> int:
        """How many instructions run, FROM included."""
        return sum(1 + len(stage.instructions) for stage in self.stages)


def plan(dockerfile: Dockerfile, request: BuildRequest) -> Plan:
    """Returns what to build for `request`.

    Raises:
        DockerfileError: the target or a stage that is copied from does not exist.
    """
    scope = Scope(
        path=dockerfile.path,
        escape=dockerfile.escape,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(request.epoch)),
        build_args=request.build_args,
        global_args={},
        platform_args=_platform_args(request),
    )
    scope = _with_global_args(scope, dockerfile)
    target = _target(dockerfile, request.target)
    needed: set[int] = set()
    _need(dockerfile, scope, target, needed)
    return Plan(
        scope=scope,
        stages=tuple(stage for stage in dockerfile.stages if stage.index in needed),
        unused_args=tuple(sorted(set(request.build_args) - _declared(dockerfile) - _predefined())),
    )


def find_stage(dockerfile: Dockerfile, name: str, *, before: int) -> Stage | None:
    """Returns the stage that `name` means in a stage with the index `before`; None when it is an image."""
    for stage in dockerfile.stages[:before]:
        if stage.base.name == name.lower() or (name.isdigit() and stage.index == int(name)):
            return stage
    return None


def from_image(scope: Scope, stage: Stage) -> str:
    """Returns the image that a FROM line names.

    Raises:
        DockerfileError: it is empty, or a word is malformed.
    """
    variables = {**scope.platform_args, **scope.global_args}
    image = state.expand_with(scope, variables, stage.base, stage.base.image)
    if not image:
        raise scope.fail(
            stage.base, f"FROM {stage.base.image} is empty", "give the ARG above FROM a default value"
        )
    return image


def from_platform(scope: Scope, stage: Stage, default: str) -> str:
    """Returns the platform that a FROM line asks for.

    Raises:
        DockerfileError: a word is malformed.
    """
    variables = {**scope.platform_args, **scope.global_args}
    return state.expand_with(scope, variables, stage.base, stage.base.platform or default)


def _platform_args(request: BuildRequest) -> Mapping[str, str]:
    machine = host_platform.machine()
    build = f"linux/{_MACHINES.get(machine, machine)}"
    args: dict[str, str] = {}
    for prefix, text in (("BUILD", build), ("TARGET", request.platform)):
        system, _, rest = text.partition("/")
        architecture, _, variant = rest.partition("/")
        args |= {
            f"{prefix}PLATFORM": text,
            f"{prefix}OS": system,
            f"{prefix}ARCH": architecture,
            f"{prefix}VARIANT": variant,
        }
    return {**args, "TARGETSTAGE": request.target or "default"}


def _with_global_args(scope: Scope, dockerfile: Dockerfile) -> Scope:
    values: dict[str, str] = {}
    for arg in dockerfile.global_args:
        for name, default in arg.pairs:
            if name in scope.build_args:
                values[name] = scope.build_args[name]
            elif default is not None:
                variables = {**scope.platform_args, **values}
                values[name] = state.expand_with(scope, variables, arg, default)
    return Scope(
        path=scope.path,
        escape=scope.escape,
        created=scope.created,
        build_args=scope.build_args,
        global_args=values,
        platform_args=scope.platform_args,
    )


def _target(dockerfile: Dockerfile, name: str | None) -> Stage:
    if name is None:
        return dockerfile.stages[-1]
    found = find_stage(dockerfile, name, before=len(dockerfile.stages))
    if found is not None:
        return found
    names = [stage.name for stage in dockerfile.stages]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0) or names
    raise UnderstudyError(
        "target-unknown",
        f"target stage {name!r} is not in the Dockerfile",
        hint=f"use --target {near[0]}",
        where=dockerfile.path,
    )


def _need(dockerfile: Dockerfile, scope: Scope, stage: Stage, needed: set[int]) -> None:
    if stage.index in needed:
        return
    needed.add(stage.index)
    for name in _mentioned(scope, stage):
        source = find_stage(dockerfile, name, before=stage.index)
        if source is not None:
            _need(dockerfile, scope, source, needed)
        elif name.isdigit():
            raise lines.error(
                scope.path,
                stage.base.at.line,
                f"stage {stage.name} copies from stage {name}, which is not above it",
                "name a stage that stands above",
            )


def _mentioned(scope: Scope, stage: Stage) -> Iterator[str]:
    yield from_image(scope, stage)
    for instruction in stage.instructions:
        if isinstance(instruction, Copy) and instruction.from_stage:
            yield instruction.from_stage
        elif isinstance(instruction, Run):
            yield from (mount.from_stage for mount in instruction.mounts if mount.from_stage)


def _declared(dockerfile: Dockerfile) -> set[str]:
    args = [*dockerfile.global_args]
    for stage in dockerfile.stages:
        args.extend(item for item in stage.instructions if isinstance(item, Arg))
    return {name for arg in args for name, _ in arg.pairs}


def _predefined() -> set[str]:
    return {name for proxy in PROXIES for name in (proxy, proxy.upper())}


def absolute(base: str, path: str) -> str:
    """Returns `path` seen from the directory `base`, normalised, a final slash kept."""
    joined = posixpath.normpath(posixpath.join("/", base, path))
    joined = "/" + joined.lstrip("/")
    is_folder = path.endswith(("/", "/.")) or path in (".", "..")
    return joined + "/" if is_folder and joined != "/" else joined
