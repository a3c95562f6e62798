"""Builds a project's images into its store, and says on the way what happens."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from understudy.errors import UnderstudyError
from understudy.image import builder
from understudy.image.base import FallbackResolver, build_base, from_registries
from understudy.image.builder import BuildEvent, BuildRequest, model
from understudy.image.model import Image
from understudy.image.store import Store
from understudy.sandbox.steps import NamespaceStepRunner
from understudy.targets.builders import Builder
from understudy.targets.events import Advanced, Done, Noticed, Report, Started
from understudy.targets.layout import PROJECT_FILE
from understudy.targets.project import ImageSection
from understudy.targets.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltImage:
    """An image of the project as it was just built.

    Attributes:
        name: its name in the project file.
        image: the image, in the store.
        stand_in_for: the base that a stand-in replaces; empty for the real one.
        seconds: how long the build took.
    """

    name: str
    image: Image
    stand_in_for: str
    seconds: float


class ImageBuilder:
    """Builds images of one workspace; keeps the step runner and what it learnt about registries.

    Args:
        workspace: the project.
        report: hears what happens.
        builder: builds every image; None for what the project file says of each.
    """

    def __init__(self, workspace: Workspace, report: Report, *, builder: Builder | None = None) -> None:
        self._workspace = workspace
        self._builder = builder
        self._report = report
        self.store = Store(workspace.layout.store)
        self._steps = NamespaceStepRunner(workspace.layout.sandboxes)
        self._resolver = FallbackResolver(
            self.store,
            from_registries(self.store),
            self._steps,
            progress=lambda event: self._show("base", event),
        )
        self._git_sha = workspace.git_sha()

    def __enter__(self) -> Self:
        self.store.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._steps.close()

    @property
    def tags(self) -> tuple[str, ...]:
        """What an image is called in its repository: ``latest``, and the commit where there is one."""
        return ("latest", self._git_sha) if self._git_sha else ("latest",)

    def build(self, name: str) -> BuiltImage:
        """Returns the image `name` of the project file, built.

        Raises:
            UnderstudyError: the project has no such image, or its Dockerfile fails.
        """
        section = self._section(name)
        step = f"build {name}"
        self._report(Started(step=step))
        started = time.monotonic()
        request = BuildRequest(
            context=self._workspace.root / section.context,
            dockerfile=self._workspace.root / section.dockerfile,
            left_out=self._state_in(self._workspace.root / section.context),
            base_resolver=self._resolver,
            build_args=self._arguments(section),
            target=section.build_target,
            platform=section.platform,
            tags=(f"{name}:latest",),
        )
        image = self._built(request, self._builder or section.builder, step)
        seconds = time.monotonic() - started
        stand_in_for = image.config.labels.get(model.STAND_IN_LABEL, "")
        self._report(Done(step=step, seconds=seconds, detail=f"{image.digest} {_megabytes(image)}"))
        if stand_in_for:
            self._report(
                Noticed(
                    text=f"{name} is built on the stand-in for {stand_in_for}, which cannot be pulled here"
                )
            )
        return BuiltImage(name=name, image=image, stand_in_for=stand_in_for, seconds=seconds)

    def _built(self, request: BuildRequest, by: Builder, step: str) -> Image:
        def show(event: BuildEvent) -> None:
            self._show(step, event)

        if by == "docker":
            from understudy.targets import docker_build  # noqa: PLC0415 - few builds need what reads archives

            return docker_build.build(request, store=self.store, progress=show)
        return builder.build(request, store=self.store, steps=self._steps, progress=show)

    def build_base(self, name: str) -> Image:
        """Returns the stand-in base `name`, built anew.

        Raises:
            UnderstudyError: there is no such base, or it cannot be made on this machine.
        """
        step = f"base {name}"
        self._report(Started(step=step))
        started = time.monotonic()
        image = build_base(
            name,
            store=self.store,
            steps=self._steps,
            progress=lambda event: self._show(step, event),
            rebuild=True,
        )
        self._report(Done(step=step, seconds=time.monotonic() - started, detail=_megabytes(image)))
        return image

    def _section(self, name: str) -> ImageSection:
        """The image of that name; its folder and its Dockerfile exist."""
        section = self._workspace.image(name)
        if not (self._workspace.root / section.context).is_dir():
            raise _missing(name, "context", section.context, "folder")
        if not (self._workspace.root / section.dockerfile).is_file():
            raise _missing(name, "dockerfile", section.dockerfile, "file")
        return section

    def _arguments(self, section: ImageSection) -> dict[str, str]:
        """The project's build arguments, with the commit where the Dockerfile asks for it."""
        text = (self._workspace.root / section.dockerfile).read_text(errors="replace")
        own = {"GIT_SHA": self._git_sha} if self._git_sha and "ARG GIT_SHA" in text else {}
        return {**own, **section.build_args}

    def _state_in(self, context: Path) -> tuple[str, ...]:
        """Our own state, where a context holds it: it changes with every run, and no image is about it."""
        state = self._workspace.layout.state
        return (state.relative_to(context).as_posix(),) if state.is_relative_to(context) else ()

    def _show(self, step: str, event: BuildEvent) -> None:
        match event:
            case model.StepStarted():
                self._report(Advanced(step=step, text=f"[{event.number}/{event.total}] {event.source}"))
            case model.StepOutput():
                self._report(Advanced(step=step, text=event.line.rstrip()))
            case model.Work():
                self._report(Advanced(step=step, text=event.message))
            case model.Notice():
                self._report(
                    Noticed(text=f"{event.where}: {event.message}" if event.where else event.message)
                )
            case _:
                pass


def _missing(image: str, field: str, path: str, kind: str) -> UnderstudyError:
    where = f"{PROJECT_FILE}, images.{image}.{field}"
    return UnderstudyError(
        "image-input-missing",
        f"{path}, the {field} of image {image}, is no {kind} of this project",
        hint=f"create {path}, or correct images.{image}.{field} in {PROJECT_FILE}",
        where=where,
    )


def _megabytes(image: Image) -> str:
    return f"{image.size_bytes / 1e6:.0f} MB"
