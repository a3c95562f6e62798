"""RUN: one command over the stage's layers, and the layer it leaves behind."""

from __future__ import annotations

import codecs
import collections
import contextlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from understudy.errors import UnderstudyError
from understudy.image import layers
from understudy.image.builder import cache, prune, users
from understudy.image.builder import kit as build_kit
from understudy.image.builder import mounts as build_mounts
from understudy.image.builder import space as build_space
from understudy.image.builder import state as build_state
from understudy.image.builder.cache import CachedLayer
from understudy.image.builder.env import PRIVATE
from understudy.image.builder.kit import Kit, Made
from understudy.image.builder.plan import PROXIES
from understudy.image.builder.tree import LayersTree
from understudy.image.dockerfile import lines as dockerfile_lines
from understudy.image.layers import diff
from understudy.image.steps import Mount, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from understudy.image.builder.mounts import Prepared
    from understudy.image.builder.state import StageState
    from understudy.image.dockerfile.model import Run

_LAST_LINES: Final = 40
_FIXED: Final = {"PYTHONHASHSEED": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "TZ": "UTC"}
_PACKAGE_TOOLS: Final = ("dnf", "microdnf", "yum", "rpm")


class StepFailedError(UnderstudyError):
    """A RUN command ended with another status than zero.

    Attributes:
        status: its exit status.
        last_lines: the end of what it wrote.
    """

    def __init__(
        self, message: str, *, hint: str, where: str, status: int, last_lines: Sequence[str]
    ) -> None:
        super().__init__("run-failed", message, hint=hint, where=where)
        self.status = status
        self.last_lines = tuple(last_lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """What runs, with the script file it may need."""

    argv: tuple[str, ...]
    script: tuple[str, str] | None = None


def run(kit: Kit, state: StageState, instruction: Run) -> Made:
    """Returns the layer that a RUN makes, from the cache when its inputs are known.

    Raises:
        StepFailedError: the command failed.
        UnderstudyError: a mount's source is missing, or the step could not start.
    """
    command = _command(kit, state, instruction)
    prepared = build_mounts.prepare(kit, state, instruction)
    name = cache.key(
        "run",
        build_kit.identity(state),
        command.argv,
        command.script,
        _image_env(kit, state),
        [state.config.working_dir, state.config.user, instruction.network, kit.request.epoch],
        [item.key for item in prepared],
    )
    known = kit.cached(name)
    if known is not None:
        return Made(layer=known, cached=True)
    layer = _executed(kit, state, instruction, command, prepared)
    kit.layers.put(name, layer)
    return Made(layer=layer, cached=False)


def _command(kit: Kit, state: StageState, instruction: Run) -> _Command:
    """Heredocs as BuildKit runs them: alone they are the script, else the shell reads them itself."""
    words = instruction.command.words
    if not words or not words[0]:
        raise kit.scope.fail(instruction, "RUN has an empty command", "write the command after RUN")
    if not instruction.heredocs:
        return _Command(argv=state.words(instruction.command))
    text = words[0]
    first = instruction.heredocs[0]
    if dockerfile_lines.heredoc_word(text.strip()) is None:
        bodies = "".join(f"\n{item.text}{item.name}" for item in instruction.heredocs)
        return _Command(argv=(*state.shell, text + bodies))
    if first.text.startswith("#!"):
        path = str(PRIVATE / "heredoc" / first.name)
        return _Command(argv=(path,), script=(path, first.text))
    return _Command(argv=(*state.shell, first.text))


def _image_env(kit: Kit, state: StageState) -> dict[str, str]:
    """ARG and ENV: what the image's own description puts into the environment."""
    args = {name: value for name, value in state.args.items() if name.lower() not in PROXIES}
    env = {**args, **state.env}
    env.setdefault("PATH", build_state.DEFAULT_PATH)
    env["SOURCE_DATE_EPOCH"] = env.get("SOURCE_DATE_EPOCH", str(kit.request.epoch))
    return env


def _step_env(
    kit: Kit, state: StageState, image: LayersTree, mounts: Sequence[Mount], secrets: Mapping[str, str]
) -> dict[str, str]:
    proxies = {name: value for name, value in kit.request.build_args.items() if name.lower() in PROXIES}
    host = {**kit.host.variables(), **proxies}
    fixed = dict(_FIXED)
    if not any(mount.kind == "cache" for mount in mounts):
        # pip's cache holds the dates of its downloads: no two builds would be equal.
        fixed["PIP_NO_CACHE_DIR"] = "1"
    env = {**fixed, **host, **_image_env(kit, state), **secrets}
    with contextlib.suppress(users.UserUnknownError):
        env.setdefault("HOME", users.account(image, state.config.user).home)
    return env


def _executed(
    kit: Kit, state: StageState, instruction: Run, command: _Command, prepared: Sequence[Prepared]
) -> CachedLayer:
    lower = kit.folders(state.layers)
    image = LayersTree(lower)
    with build_space.workspace(kit.store) as space, contextlib.ExitStack() as stack:
        upper, work = space / "upper", space / "work"
        upper.mkdir()
        upper.chmod(0o755)
        work.mkdir()
        mounts = list(kit.host.mounts())
        secrets: dict[str, str] = {}
        for number, item in enumerate(prepared):
            ready = stack.enter_context(item.ready(space / f"mount{number}"))
            mounts.extend(ready.mounts)
            secrets |= ready.env
        if command.script is not None:
            mounts.append(_script(space, command.script))
        step = Step(
            lower=lower,
            upper=upper,
            work=work,
            argv=command.argv,
            env=_step_env(kit, state, image, mounts, secrets),
            working_dir=state.config.working_dir or "/",
            user=state.config.user,
            mounts=tuple(mounts),
            network=instruction.network != "none",
        )
        _run(kit, state, instruction, step)
        prune.prune(step.upper, image, [mount.target for mount in mounts])
        entries = diff.overlay_entries(step.upper, epoch=kit.request.epoch, lower=lower)
        descriptor, diff_id = layers.write_layer(kit.store, entries, epoch=kit.request.epoch)
    return CachedLayer(descriptor=descriptor, diff_id=diff_id)


def _run(kit: Kit, state: StageState, instruction: Run, step: Step) -> None:
    last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
    lines = _Lines()

    def receive(data: bytes) -> None:
        for line in lines.feed(data):
            last.append(line)
            kit.output(line)

    status = kit.steps.run(step, receive)
    for line in lines.end():
        last.append(line)
        kit.output(line)
    if status != 0:
        raise _failed(kit, state, instruction, status, last)


def _failed(
    kit: Kit, state: StageState, instruction: Run, status: int, last: Sequence[str]
) -> StepFailedError:
    where = f"{kit.scope.path}:{instruction.at.line}"
    tail = "".join(f"\n    {line}" for line in last)
    hint = f"fix the command in {where}; the lines above are its last output"
    words = instruction.at.source.split()
    tool = next((word for word in words if word in _PACKAGE_TOOLS), None)
    if tool and state.stand_in_for:
        hint = f"build where {state.stand_in_for} can be pulled; its stand-in has no {tool}"
    return StepFailedError(
        f"{instruction.at.source[:300]} ended with exit status {status}{tail}",
        hint=hint,
        where=where,
        status=status,
        last_lines=tuple(last),
    )


def _script(space: Path, script: tuple[str, str]) -> Mount:
    target, text = script
    source = space / "script"
    source.write_text(text)
    source.chmod(0o755)
    return Mount(kind="bind", target=PurePosixPath(target), source=source, read_only=True)


class _Lines:
    """Cuts output into lines; a carriage return ends one, as progress bars need it."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """Returns the lines that `data` completes."""
        *whole, self._rest = (self._rest + self._decoder.decode(data)).split("\n")
        return [line.rstrip("\r").rpartition("\r")[2] for line in whole]

    def end(self) -> list[str]:
        """Returns what came after the last line end."""
        rest = (self._rest + self._decoder.decode(b"", final=True)).rstrip("\r").rpartition("\r")[2]
        self._rest = ""
        return [rest] if rest else []
