"""What a stage is so far, and the instructions that change it without making a layer.

Pure: every function takes a state and an instruction and returns the next state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from understudy.image.dockerfile import lines, words
from understudy.image.dockerfile.model import (
    Arg,
    Cmd,
    Command,
    Entrypoint,
    Env,
    Expose,
    HealthcheckInstruction,
    Instruction,
    Label,
    Maintainer,
    Shell,
    StopSignal,
    User,
    Volume,
)
from understudy.image.model import Healthcheck, HistoryEntry, ImageConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from understudy.image.builder.cache import CachedLayer

DEFAULT_SHELL: Final = ("/bin/sh", "-c")
DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PORT = re.compile(r"(\d+)(?:-(\d+))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)
_COMMENT = "understudy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What every stage of one build shares.

    Attributes:
        path: the Dockerfile, as messages name it.
        escape: its escape character.
        created: the time in history entries.
        build_args: from the command line.
        global_args: ARG before the first FROM, with their values.
        platform_args: TARGETPLATFORM and its like.
    """

    path: str
    escape: str
    created: str
    build_args: Mapping[str, str]
    global_args: Mapping[str, str]
    platform_args: Mapping[str, str]

    def fail(self, instruction: Instruction, message: str, hint: str) -> lines.DockerfileError:
        """Returns the error about one instruction."""
        return lines.error(self.path, instruction.at.line, message, hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageState:
    """A stage after some of its instructions.

    Attributes:
        config: of the image so far; its history grows with every instruction.
        layers: bottom first.
        args: ARG values in force.
        has_cmd: whether this stage set CMD; ENTRYPOINT drops an inherited one.
        stand_in_for: the base that a stand-in below this stage replaces.
    """

    config: ImageConfig
    layers: tuple[CachedLayer, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict)
    has_cmd: bool = False
    stand_in_for: str | None = None

    @property
    def env(self) -> dict[str, str]:
        """ENV by name."""
        return dict(self.config.env)

    @property
    def variables(self) -> dict[str, str]:
        """What `$NAME` means: ARG, and ENV over it."""
        return {**self.args, **self.env}

    @property
    def shell(self) -> tuple[str, ...]:
        """What runs commands in shell form."""
        return self.config.shell or DEFAULT_SHELL

    def words(self, command: Command) -> tuple[str, ...]:
        """Returns the argument vector of a command."""
        return (*self.shell, command.words[0]) if command.in_shell else command.words


def expand(scope: Scope, state: StageState, instruction: Instruction, word: str) -> str:
    """Returns `word` with its variables replaced.

    Raises:
        DockerfileError: it is malformed.
    """
    return expand_with(scope, state.variables, instruction, word)


def expand_with(scope: Scope, variables: Mapping[str, str], instruction: Instruction, word: str) -> str:
    """Returns `word` with `variables` in place.

    Raises:
        DockerfileError: it is malformed.
    """
    try:
        return words.expand(word, variables, escape=scope.escape)
    except words.WordSyntaxError as exc:
        raise scope.fail(
            instruction,
            f"{instruction.at.keyword} has the word {word[:60]}: {exc}",
            "close the quote or brace, or set the variable",
        ) from exc


def expand_text(scope: Scope, state: StageState, instruction: Instruction, text: str) -> str:
    """Returns a heredoc with its variables replaced; quotes in it are text.

    Raises:
        DockerfileError: a brace is not closed.
    """
    try:
        return words.expand_text(text, state.variables, escape=scope.escape)
    except words.WordSyntaxError as exc:
        raise scope.fail(instruction, f"heredoc: {exc}", "quote the heredoc's word, as in <<'EOF'") from exc


def recorded(
    scope: Scope, state: StageState, created_by: str, layer: CachedLayer | None = None
) -> StageState:
    """Returns `state` with a history entry, and with `layer` on top when there is one."""
    entry = HistoryEntry(
        created=scope.created, created_by=created_by, comment=_COMMENT, empty_layer=layer is None
    )
    layers = state.layers if layer is None else (*state.layers, layer)
    config = replace(
        state.config,
        history=(*state.config.history, entry),
        diff_ids=tuple(item.diff_id for item in layers),
    )
    return replace(state, config=config, layers=layers)


def changed(scope: Scope, state: StageState, instruction: Instruction) -> StageState | None:
    """Returns the state after `instruction`; None when it makes a layer, which is not this module's work.

    Raises:
        DockerfileError: a word or value is malformed.
    """
    change = _Change(scope, state, instruction)
    config = _declared(change, instruction) or _started(change, instruction)
    after: StageState | None = None
    if config is not None:
        after = replace(state, config=config, has_cmd=state.has_cmd or isinstance(instruction, Cmd))
    elif isinstance(instruction, Arg):
        after = replace(state, args=change.arg(instruction))
    return after and recorded(scope, after, instruction.at.source)


def _declared(change: _Change, instruction: Instruction) -> ImageConfig | None:
    match instruction:
        case Label():
            return change.label(instruction)
        case Env():
            return change.env(instruction)
        case User():
            return replace(change.config, user=change.expand(instruction.user))
        case Expose():
            return change.expose(instruction)
        case Volume():
            paths = {change.expand(word) for word in instruction.paths}
            return replace(change.config, volumes=tuple(sorted({*change.config.volumes, *paths})))
    return None


def _started(change: _Change, instruction: Instruction) -> ImageConfig | None:
    # Docker sets the config's `author` for MAINTAINER, which nothing reads; the history keeps the line.
    config = change.config if isinstance(instruction, Maintainer) else None
    match instruction:
        case Shell():
            config = replace(change.config, shell=instruction.words)
        case Entrypoint():
            config = change.entrypoint(instruction)
        case Cmd():
            config = replace(change.config, cmd=change.state.words(instruction.command))
        case StopSignal():
            config = replace(change.config, stop_signal=change.expand(instruction.signal))
        case HealthcheckInstruction():
            config = replace(change.config, healthcheck=_healthcheck(instruction))
    return config


class _Change:
    """One instruction about to change one state."""

    def __init__(self, scope: Scope, state: StageState, instruction: Instruction) -> None:
        self.state = state
        self.config = state.config
        self._scope = scope
        self._instruction = instruction

    def expand(self, word: str) -> str:
        return expand(self._scope, self.state, self._instruction, word)

    def arg(self, instruction: Arg) -> dict[str, str]:
        scope = self._scope
        args = dict(self.state.args)
        for name, default in instruction.pairs:
            if name in scope.build_args:
                args[name] = scope.build_args[name]
            elif default is not None:
                args[name] = expand_with(scope, {**args, **self.state.env}, instruction, default)
            elif name in scope.global_args:
                args[name] = scope.global_args[name]
            elif name in scope.platform_args:
                args[name] = scope.platform_args[name]
        return args

    def env(self, instruction: Env) -> ImageConfig:
        """Every word means what it meant before the instruction, as Docker has it."""
        new = {name: self.expand(word) for name, word in instruction.pairs}
        return replace(self.config, env=tuple({**self.state.env, **new}.items()))

    def label(self, instruction: Label) -> ImageConfig:
        new = {self.expand(name): self.expand(word) for name, word in instruction.pairs}
        return replace(self.config, labels={**self.config.labels, **new})

    def expose(self, instruction: Expose) -> ImageConfig:
        ports = set(self.config.exposed_ports)
        for word in instruction.ports:
            text = self.expand(word)
            match = _PORT.fullmatch(text)
            if match is None:
                raise self._scope.fail(
                    instruction, f"EXPOSE port is {text!r}", "write EXPOSE 8080 or 8080/udp"
                )
            first = int(match.group(1))
            last = int(match.group(2) or first)
            ports |= {f"{port}/{(match.group(3) or 'tcp').lower()}" for port in range(first, last + 1)}
        return replace(self.config, exposed_ports=tuple(sorted(ports)))

    def entrypoint(self, instruction: Entrypoint) -> ImageConfig:
        """Drops a CMD that the base had, as Docker does: it belonged to the base's ENTRYPOINT."""
        config = replace(self.config, entrypoint=self.state.words(instruction.command))
        return config if self.state.has_cmd else replace(config, cmd=())


def _healthcheck(instruction: HealthcheckInstruction) -> Healthcheck:
    command = instruction.command
    test: tuple[str, ...] = ("NONE",)
    if command is not None:
        test = ("CMD-SHELL" if command.in_shell else "CMD", *command.words)
    return Healthcheck(
        test=test,
        interval_ns=instruction.interval_ns,
        timeout_ns=instruction.timeout_ns,
        start_period_ns=instruction.start_period_ns,
        start_interval_ns=instruction.start_interval_ns,
        retries=instruction.retries,
    )
