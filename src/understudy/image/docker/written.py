"""The Dockerfile as Docker gets it: line for line the user's, so that Docker's messages name the right line.

Pure. What it cannot find again in the text it leaves alone: Docker then pulls that base itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from understudy.image.builder import plan as build_plan
from understudy.image.dockerfile.model import Copy, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from understudy.image.builder.plan import Plan
    from understudy.image.dockerfile.model import Dockerfile, Instruction, Stage

_SCRATCH: Final = "scratch"
_RUN: Final = re.compile(r"^(\s*RUN)(?=\s)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A place where a Dockerfile names an image.

    Attributes:
        line: number of the instruction's first line, from 1.
        written: the name as it stands there, variables and all.
        ref: the name that is meant.
        platform: the platform that is meant.
    """

    line: int
    written: str
    ref: str
    platform: str


def uses(dockerfile: Dockerfile, plan: Plan, platform: str) -> Iterator[Use]:
    """Yields every image that the stages of a plan name, in FROM, COPY --from and RUN --mount=from.

    Raises:
        DockerfileError: a FROM is empty, or a word is malformed.
    """
    for stage in plan.stages:
        image = build_plan.from_image(plan.scope, stage)
        if image != _SCRATCH and build_plan.find_stage(dockerfile, image, before=stage.index) is None:
            yield Use(
                line=stage.base.at.line,
                written=stage.base.image,
                ref=image,
                platform=build_plan.from_platform(plan.scope, stage, platform),
            )
        for instruction, name in _copied_from(stage):
            if build_plan.find_stage(dockerfile, name, before=stage.index) is None:
                yield Use(line=instruction.at.line, written=name, ref=name, platform=platform)


def run_lines(plan: Plan) -> Iterator[int]:
    """Yields the first line of every RUN of a plan."""
    for stage in plan.stages:
        yield from (item.at.line for item in stage.instructions if isinstance(item, Run))


def rewritten(text: str, names: Iterable[tuple[Use, str]], runs: Iterable[int], flags: str) -> str:
    """Returns a Dockerfile with other names for its images, and with `flags` in its RUN instructions.

    Args:
        text: the Dockerfile.
        names: what each use shall say instead, in the order of `uses`.
        runs: first lines of RUN instructions.
        flags: put behind RUN; empty for none.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    for use, name in names:
        word = re.compile(rf"(?<=[\s=]){re.escape(use.written)}(?=[\s,]|$)")
        for number in range(use.line - 1, len(lines)):
            lines[number], count = word.subn(name.replace("\\", r"\\"), lines[number], count=1)
            if count:
                break
    if flags:
        for line in runs:
            lines[line - 1] = _RUN.sub(rf"\g<1> {flags}", lines[line - 1], count=1)
    return "\n".join(lines)


def _copied_from(stage: Stage) -> Iterator[tuple[Instruction, str]]:
    for item in stage.instructions:
        if isinstance(item, Copy) and item.from_stage:
            yield item, item.from_stage
        elif isinstance(item, Run):
            yield from ((item, mount.from_stage) for mount in item.mounts if mount.from_stage)
