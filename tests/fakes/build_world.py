"""A build context, a store and bases by name: what the builder's tests share."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fakes.steps import FakeSteps
from understudy.image import builder, rootfs
from understudy.image.builder import BuildEvent, BuildRequest, Notice, ResolvedBase, tree
from understudy.image.builder.env import Host
from understudy.image.builder.model import StepFinished
from understudy.image.builder.tree import LayersTree
from understudy.image.layers import Kind
from understudy.image.model import Image
from understudy.image.store import Store

if TYPE_CHECKING:
    from understudy.image.steps import StepRunner

PASSWD = "root:x:0:0:root:/root:/bin/sh\nbob:x:100:101::/home/bob:/bin/sh\n"


@dataclass
class Bases:
    """Images by reference."""

    images: dict[str, Image] = field(default_factory=dict)
    stand_in_for: str | None = None

    def resolve(self, ref: str, platform: str) -> ResolvedBase:
        return ResolvedBase(image=self.images[ref], stand_in_for=self.stand_in_for)


class BuildWorld:
    """A context, a store and what a build said."""

    def __init__(self, folder: Path) -> None:
        self.context = folder / "context"
        self.context.mkdir(parents=True)
        self.store = Store(folder / "store").open()
        self.events: list[BuildEvent] = []
        self.steps = FakeSteps()
        self.runner: StepRunner | None = None
        self.bases = Bases()

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            place = self.context / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
            place.chmod(0o644)
            past = 1_600_000_000
            os.utime(place, (past, past))

    def build(
        self,
        dockerfile: str,
        *,
        target: str | None = None,
        build_args: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        secrets: Mapping[str, Path] | None = None,
        environment: Mapping[str, str] | None = None,
        no_cache: bool = False,
        root: Path | None = None,
    ) -> Image:
        (self.context / "Dockerfile").write_text(dockerfile)
        self.events.clear()
        request = BuildRequest(
            context=self.context,
            dockerfile=self.context / "Dockerfile",
            base_resolver=self.bases,
            target=target,
            build_args=build_args or {},
            labels=labels or {},
            secrets=secrets or {},
            no_cache=no_cache,
        )
        host = Host(environment=environment or {}, root=root or self.context.parent)
        return builder.build(
            request, store=self.store, steps=self.runner or self.steps, progress=self.events.append, host=host
        )

    def tree(self, image: Image) -> LayersTree:
        return LayersTree(rootfs.prepare(self.store, image.digest).layers)

    def text(self, image: Image, path: str) -> str:
        node = self.tree(image).node(path)
        assert node is not None, path
        return node.place.read_text()

    def has(self, image: Image, path: str) -> bool:
        return self.tree(image).node(path) is not None

    def mode(self, image: Image, path: str) -> tuple[int, int, int]:
        node = self.tree(image).node(path)
        assert node is not None, path
        return node.mode, node.uid, node.gid

    def cached(self) -> list[bool]:
        return [event.cached for event in self.events if isinstance(event, StepFinished)]

    def notices(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Notice)]

    def paths(self, image: Image) -> set[str]:
        return {node.path for node in tree.walk(self.tree(image), "")}

    def files(self, image: Image) -> set[str]:
        return {node.path for node in tree.walk(self.tree(image), "") if node.kind is Kind.FILE}
