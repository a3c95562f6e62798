"""Runs the stages of a plan, one instruction after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from understudy.image.builder import copy, kit, plan, run
from understudy.image.builder import state as build_state
from understudy.image.builder.cache import CachedLayer, LayerCache
from understudy.image.builder.kit import Kit
from understudy.image.builder.model import STAND_IN_LABEL, StepFinished, StepOutput, StepStarted
from understudy.image.builder.state import StageState
from understudy.image.dockerfile.model import Copy, Run, Workdir
from understudy.image.model import OCI_LAYER_GZIP, Image, ImageConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from understudy.image.builder.cache import FileHashes
    from understudy.image.builder.env import Host
    from understudy.image.builder.model import BuildEvent, BuildRequest, ResolvedBase
    from understudy.image.builder.plan import Plan
    from understudy.image.builder.tree import Tree
    from understudy.image.dockerfile.model import Dockerfile, Instruction, Stage
    from understudy.image.steps import StepRunner
    from understudy.image.store import Store

_SCRATCH: Final = "scratch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a build starts from."""

    request: BuildRequest
    dockerfile: Dockerfile
    plan: Plan
    store: Store
    steps: StepRunner
    progress: Callable[[BuildEvent], None]
    hashes: FileHashes
    context: Tree
    host: Host


class Stages:
    """One build's stages; each is built once."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._number = 0
        self._done: dict[int, StageState] = {}
        self._images: dict[str, tuple[CachedLayer, ...]] = {}
        self._current = 0
        self._kit = Kit(
            request=setup.request,
            scope=setup.plan.scope,
            store=setup.store,
            steps=setup.steps,
            progress=setup.progress,
            layers=LayerCache(setup.store),
            hashes=setup.hashes,
            context=setup.context,
            host=setup.host,
            source=self._source,
            output=self._output,
        )

    def build(self) -> Image:
        """Returns the image of the last stage, stored.

        Raises:
            UnderstudyError: an instruction failed.
        """
        state: StageState | None = None
        for stage in self._setup.plan.stages:
            self._current = stage.index
            state = self._stage(stage)
            self._done[stage.index] = state
        if state is None:
            raise AssertionError("a plan has a stage")
        labels = {**state.config.labels, **self._setup.request.labels}
        if state.stand_in_for:
            labels[STAND_IN_LABEL] = state.stand_in_for
        config = replace(state.config, labels=labels, created=self._setup.plan.scope.created)
        manifest = kit.stored(self._setup.store, config, state.layers)
        return self._setup.store.image(manifest.digest)

    def _stage(self, stage: Stage) -> StageState:
        state = self._step(stage, stage.base, lambda: (self._base(stage), True))
        for instruction in stage.instructions:
            state = self._step(stage, instruction, lambda: self._instruction(state, instruction))  # noqa: B023 called at once
        return state

    def _step(
        self, stage: Stage, instruction: Instruction, work: Callable[[], tuple[StageState, bool]]
    ) -> StageState:
        self._number += 1
        number, total = self._number, self._setup.plan.steps
        self._setup.progress(
            StepStarted(number=number, total=total, stage=stage.name, source=instruction.at.source)
        )
        started = time.monotonic()
        state, cached = work()
        seconds = time.monotonic() - started
        self._setup.progress(StepFinished(number=number, total=total, cached=cached, seconds=seconds))
        return state

    def _instruction(self, state: StageState, instruction: Instruction) -> tuple[StageState, bool]:
        scope = self._kit.scope
        after = build_state.changed(scope, state, instruction)
        if after is not None:
            return after, True
        if isinstance(instruction, Workdir):
            state, made = copy.workdir(self._kit, state, instruction)
        elif isinstance(instruction, Copy):
            made = copy.copy(self._kit, state, instruction)
        elif isinstance(instruction, Run):
            made = run.run(self._kit, state, instruction)
        else:
            raise TypeError(f"instruction {type(instruction).__name__} has no builder")
        return build_state.recorded(scope, state, _created_by(state, instruction), made.layer), made.cached

    def _base(self, stage: Stage) -> StageState:
        scope = self._kit.scope
        name = plan.from_image(scope, stage)
        earlier = plan.find_stage(self._setup.dockerfile, name, before=stage.index)
        if earlier is not None:
            return replace(self._done[earlier.index], args={}, has_cmd=False)
        platform = plan.from_platform(scope, stage, self._setup.request.platform)
        operating_system, _, architecture = platform.partition("/")
        if name == _SCRATCH:
            env = (("PATH", build_state.DEFAULT_PATH),)
            return StageState(config=ImageConfig(architecture=architecture, os=operating_system, env=env))
        resolved = self._setup.request.base_resolver.resolve(name, platform)
        self._check_base(stage, name, resolved, architecture)
        return StageState(
            config=resolved.image.config,
            layers=_layers(resolved.image),
            stand_in_for=resolved.stand_in_for or resolved.image.config.labels.get(STAND_IN_LABEL),
        )

    def _check_base(self, stage: Stage, name: str, resolved: ResolvedBase, architecture: str) -> None:
        config = resolved.image.config
        if config.on_build:
            raise self._kit.scope.fail(
                stage.base,
                f"FROM {name} carries ONBUILD instructions: {config.on_build[0][:80]}",
                "write them into this Dockerfile and start from the image below",
            )
        if config.architecture != architecture.partition("/")[0]:
            raise self._kit.scope.fail(
                stage.base,
                f"FROM {name} is {config.os}/{config.architecture}, the build is for {architecture}",
                f"build with --platform {config.os}/{config.architecture}",
            )

    def _source(self, instruction: Instruction, name: str) -> Sequence[CachedLayer]:
        stage = plan.find_stage(self._setup.dockerfile, name, before=self._current)
        if stage is not None:
            if stage.index not in self._done:
                raise self._kit.scope.fail(
                    instruction,
                    f"{instruction.at.keyword} names stage {name} through a variable",
                    "write the stage's name itself",
                )
            return self._done[stage.index].layers
        if name not in self._images:
            resolved = self._setup.request.base_resolver.resolve(name, self._setup.request.platform)
            self._images[name] = _layers(resolved.image)
        return self._images[name]

    def _output(self, line: str) -> None:
        self._setup.progress(StepOutput(number=self._number, line=line))


def _layers(image: Image) -> tuple[CachedLayer, ...]:
    """Docker's and OCI's name for a gzip layer mean the same bytes; one manifest uses one of them."""
    return tuple(
        CachedLayer(descriptor=replace(descriptor, media_type=OCI_LAYER_GZIP), diff_id=diff_id)
        for descriptor, diff_id in zip(image.manifest.layers, image.config.diff_ids, strict=True)
    )


def _created_by(state: StageState, instruction: Instruction) -> str:
    """History as Docker shows it: RUN with the shell that ran it."""
    if isinstance(instruction, Run) and instruction.command.in_shell:
        return f"RUN {' '.join(state.shell)} {instruction.at.source.partition(' ')[2]}"
    return instruction.at.source
