"""What a Dockerfile says, as frozen data with line numbers.

Words are kept as written: variables are expanded by the builder, which alone knows the stage's environment.
Refuses to know files, images or processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """An inline file: `RUN <<EOF`, `COPY <<EOF /path`.

    Attributes:
        name: the word that ends it.
        text: its lines, leading tabs removed already for `<<-`.
        expand: whether variables are expanded (the word was written without quotes).
    """

    name: str
    text: str
    expand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """`--name=value`; the value is None when there is no equals sign."""

    name: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an instruction was written.

    Attributes:
        keyword: upper case.
        line: number of its first line, from 1.
        source: the instruction on one line, as `docker history` and progress show it.
    """

    keyword: str
    line: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What every instruction has."""

    at: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class From(Instruction):
    """FROM: starts a stage."""

    image: str
    name: str | None
    platform: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arg(Instruction):
    """ARG: names with their defaults, None when there is none."""

    pairs: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Env(Instruction):
    """ENV: names and words; `LABEL` has the same shape."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Env):
    """LABEL: keys and words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workdir(Instruction):
    """WORKDIR."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy(Instruction):
    """COPY and ADD.

    Attributes:
        sources: paths, globs or (ADD) addresses, in order.
        heredocs: inline files among the sources.
        destination: as written; a slash at the end means a directory.
        from_stage: `--from`: a stage, its number, or an image.
        unpack: whether local tar archives are extracted (ADD's default).
        checksum: `--checksum` of an ADD from an address.
    """

    sources: tuple[str, ...]
    destination: str
    heredocs: tuple[Heredoc, ...] = ()
    from_stage: str | None = None
    chown: str | None = None
    chmod: str | None = None
    exclude: tuple[str, ...] = ()
    unpack: bool = False
    checksum: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command in shell form (one word) or exec form."""

    words: tuple[str, ...]
    in_shell: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMount:
    """`RUN --mount=...`; words unexpanded.

    Attributes:
        source: path in the build context or in `from_stage`.
        identity: `id=` of a cache or secret.
        env: `env=` of a secret: the variable that carries it.
        target: empty when a secret is passed by variable alone.
    """

    kind: Literal["bind", "cache", "secret", "tmpfs"]
    target: str
    source: str = ""
    from_stage: str | None = None
    identity: str = ""
    env: str | None = None
    read_only: bool = False
    required: bool = False
    mode: int | None = None
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Instruction):
    """RUN."""

    command: Command
    heredocs: tuple[Heredoc, ...] = ()
    mounts: tuple[RunMount, ...] = ()
    network: Literal["default", "host", "none"] = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Instruction):
    """USER."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expose(Instruction):
    """EXPOSE."""

    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(Instruction):
    """VOLUME."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell(Instruction):
    """SHELL."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrypoint(Instruction):
    """ENTRYPOINT."""

    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Cmd(Instruction):
    """CMD."""

    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSignal(Instruction):
    """STOPSIGNAL."""

    signal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthcheckInstruction(Instruction):
    """HEALTHCHECK; `command` None means NONE. Durations in nanoseconds."""

    command: Command | None
    interval_ns: int = 0
    timeout_ns: int = 0
    start_period_ns: int = 0
    start_interval_ns: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintainer(Instruction):
    """MAINTAINER (deprecated by Docker, still valid)."""

    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One FROM with what follows it."""

    index: int
    base: From
    instructions: tuple[Instruction, ...]

    @property
    def name(self) -> str:
        """Its AS name, else its number."""
        return self.base.name or str(self.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that is valid and most likely not meant."""

    line: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerfile:
    """A parsed Dockerfile.

    Attributes:
        path: as shown in messages.
        escape: the escape character.
        global_args: ARG before the first FROM.
    """

    path: str
    escape: str
    global_args: tuple[Arg, ...]
    stages: tuple[Stage, ...]
    warnings: tuple[Remark, ...] = ()
