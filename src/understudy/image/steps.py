"""The seam between the image builder and whatever isolates a build step.

The builder decides what runs and on which layers; a `StepRunner` only executes one command over an
overlay of them. Refuses to know how: namespaces, a container engine or a fake in a test all fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Something of the host that one step sees and no layer keeps.

    Attributes:
        kind: why it is there; `tmpfs` has no source, every other kind is a bind mount of `source`.
        target: absolute path inside the image's root.
        source: file or directory on the host; its type decides whether the mount point is a file.
        read_only: whether the step may write to `source`.
    """

    kind: Literal["bind", "cache", "secret", "tmpfs"]
    target: PurePosixPath
    source: Path | None
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command over an image's layers.

    Attributes:
        lower: extracted layers, bottom first; read-only. May be empty (`FROM scratch`).
        upper: empty directory that receives the difference in overlay form.
        work: empty directory next to `upper`, for overlayfs itself.
        argv: the command; `argv[0]` is looked up on `PATH` of `env` when it holds no slash.
        env: the complete environment of the command; nothing of the host's is added.
        working_dir: absolute path inside the root; exists when the step starts.
        user: `USER` of the Dockerfile (`name`, `uid`, `name:group`, ...); empty means root.
        mounts: in this order, over the standard mounts.
        network: whether the step shares the host's network; otherwise it has loopback alone.
    """

    lower: tuple[Path, ...]
    upper: Path
    work: Path
    argv: tuple[str, ...]
    env: Mapping[str, str]
    working_dir: str
    user: str
    mounts: tuple[Mount, ...] = ()
    network: bool = True


class StepRunner(Protocol):
    """Executes a step isolated from the host.

    What every runner provides: `/proc`, a minimal `/dev` and `/sys`, the hostname `buildkitsandbox`, umask
    022, a private mount, pid and ipc namespace, stdin at end of file, and no process left when `run`
    returns. Mount points that are missing in the image are created; the builder removes them from
    `upper`, so a runner need not.
    """

    def run(self, step: Step, output: Callable[[bytes], None]) -> int:
        """Returns the command's exit status (128 + signal when it was killed); blocks until it ended.

        Args:
            step: what to run.
            output: receives stdout and stderr as they come, in pieces of any size.

        Raises:
            UnderstudyError: the step could not be started at all.
        """
        ...
