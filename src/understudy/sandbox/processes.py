"""Runs any program in an image's root as Lambda's user: the development server, under Lambda's constraints.

Read-only root, own `/tmp`, no `/dev/shm`, no HOME, user 993:990 as in an execution environment; without its
memory limit, timeout and Runtime API. Folders of the host can be shown, read-only, over the image's.
"""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, Self

from understudy.sandbox import namespaces, plans
from understudy.sandbox.foreground import ForegroundProcess
from understudy.sandbox.forkclient import ForkServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path, PurePosixPath

    from understudy.sandbox.model import SandboxSpec


class ImageProcess:
    """A running program; ends with this process at the latest."""

    def __init__(self, server: ForkServer, process: ForegroundProcess) -> None:
        self._server = server
        self._process = process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, output: Callable[[bytes], None]) -> int:
        """Returns the exit status, 128 + signal when it was killed; delivers the output meanwhile."""
        return self._process.wait(output)

    def terminate(self) -> None:
        """Sends SIGTERM to every process of the program; from any thread or signal handler."""
        self._process.terminate()

    def kill(self) -> None:
        """Kills every process of the program; from any thread."""
        self._process.kill()

    def close(self) -> None:
        """Ends whatever still runs and frees everything; idempotent."""
        self._process.close()
        self._server.stop()


def run_in_image(
    spec: SandboxSpec, state_dir: Path, *, binds: Sequence[tuple[Path, PurePosixPath]] = ()
) -> ImageProcess:
    """Starts `spec`'s entry point and command in its root and returns at once.

    Args:
        spec: root, command, working directory, environment and size of `/tmp`; limits are not applied.
        state_dir: folder for the mount point under which the root is assembled.
        binds: what to show of the host, read-only: source and target.

    Raises:
        UnderstudyError: this machine cannot isolate.
    """
    server = ForkServer(state_dir / "run" / f"process-{os.getpid()}-{uuid.uuid4().hex[:8]}", "function")
    server.start()
    try:
        who = server.identity
        if who is None:
            raise RuntimeError("the fork server has no identity")
        root = plans.function_root(
            spec,
            passwd=namespaces.image_file(spec, "etc/passwd"),
            resolver=namespaces.host_resolver(),
            user_namespace=who.user_namespace,
            binds=binds,
        )
        argv = [*spec.entrypoint, *spec.command]
        request = plans.function_process(spec, argv, spec.environment, set_groups=who.may_set_groups)
        return ImageProcess(server, ForegroundProcess(server, root, request))
    except BaseException:
        server.stop()
        raise
