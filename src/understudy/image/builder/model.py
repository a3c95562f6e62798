"""What a build is asked for, what it says while it runs, and what it needs from outside.

Pure data and two small seams; the builder fills them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from understudy.image.model import Image

EPOCH = 315_532_800
"""1980-01-01: every time in an image we build. Zip files cannot hold an earlier one."""

STAND_IN_LABEL = "dev.understudy.base.stand-in-for"
"""Names the base image that the stand-in below an image replaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedBase:
    """An image for a FROM line; `stand_in_for` names what it replaces, if it does."""

    image: Image
    stand_in_for: str | None = None


class BaseResolver(Protocol):
    """Turns the reference of a FROM line into an image in the store."""

    def resolve(self, ref: str, platform: str) -> ResolvedBase:
        """Returns the image, with all its blobs in the store.

        Raises:
            UnderstudyError: it can be had nowhere.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """One build.

    Attributes:
        context: directory that COPY reads.
        dockerfile: the Dockerfile, inside the context or not.
        left_out: paths of the context that no build sees, whatever its `.dockerignore` says.
        base_resolver: finds the images of FROM and COPY --from.
        build_args: values for ARG.
        target: stage to build; the last one when None.
        platform: os/architecture of the image.
        tags: names for the result in the store.
        labels: added to the result's labels.
        secrets: files for `RUN --mount=type=secret`, by id.
        no_cache: whether every step runs although its result is known.
        epoch: every time in the image, seconds.
    """

    context: Path
    dockerfile: Path
    base_resolver: BaseResolver
    left_out: tuple[str, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict, hash=False)
    target: str | None = None
    platform: str = "linux/amd64"
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    secrets: Mapping[str, Path] = field(default_factory=dict, hash=False)
    no_cache: bool = False
    epoch: int = EPOCH


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """An instruction begins."""

    number: int
    total: int
    stage: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutput:
    """A line that an instruction's command wrote."""

    number: int
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """An instruction is done; `cached` when its layer was known."""

    number: int
    total: int
    cached: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the user should know although nothing failed."""

    message: str
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandInUsed:
    """FROM was answered by a stand-in base."""

    ref: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Something outside the Dockerfile goes on: a pull, a base that is built."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFinished:
    """The image is in the store."""

    digest: str
    size_bytes: int
    seconds: float


BuildEvent = StepStarted | StepOutput | StepFinished | Notice | StandInUsed | Work | BuildFinished
"""Everything a build says."""
