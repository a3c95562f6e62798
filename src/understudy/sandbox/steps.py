"""Runs the RUN steps of a Dockerfile in namespaces; implements `image.steps.StepRunner`.

As root a step is root with Docker's capabilities. Unprivileged it is root of a user namespace, with root
alone unless the caller asks for the users of /etc/subuid.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Self

from understudy.sandbox import namespaces, plans
from understudy.sandbox.foreground import ForegroundProcess
from understudy.sandbox.forkclient import ForkServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from understudy.image.steps import Step
    from understudy.sandbox.privileges import Purpose

_FOREIGN = "user.overlay.opaque"


class NamespaceStepRunner:
    """Executes steps; its fork server starts with the first one and ends with this process or `close`.

    Args:
        state_dir: folder for the mount point under which roots are assembled.
        all_users: unprivileged, whether a step may use every user of /etc/subuid; files it gives to them
            are out of the caller's reach on disk.
    """

    def __init__(self, state_dir: Path, *, all_users: bool = False) -> None:
        purpose: Purpose = "build-all-users" if all_users else "build"
        self._server = ForkServer(state_dir / "run" / f"steps-{os.getpid()}", purpose)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the fork server; idempotent."""
        self._server.stop()

    def run(self, step: Step, output: Callable[[bytes], None]) -> int:
        """Returns the command's exit status; see `image.steps.StepRunner.run`.

        Raises:
            UnderstudyError: the step could not be started at all.
        """
        with self._lock:
            if not self._server.pid:
                self._server.start()
        who = self._server.identity
        if who is None:
            raise RuntimeError("the fork server has no identity")
        root = plans.step_root(step, resolver=namespaces.host_resolver(), user_namespace=who.user_namespace)
        process = plans.step_process(step, set_groups=who.may_set_groups)
        status = ForegroundProcess(self._server, root, process).wait(output)
        if not who.user_namespace:
            _remove_foreign_marks(step.upper)
        return status


def _remove_foreign_marks(upper: Path) -> None:
    """Removes what overlayfs copied up from a layer as if it were anybody's attribute.

    Unpacked layers are marked for both flavours of mount. A mount as root knows ``trusted.overlay.opaque``
    and takes ``user.overlay.opaque`` along when it copies a directory up; read as a mark of this step, that
    would say that the step deleted all that the directory held.
    """
    pending = [os.fspath(upper)]
    while pending:
        folder = pending.pop()
        if _FOREIGN in os.listxattr(folder):
            os.removexattr(folder, _FOREIGN)
        with os.scandir(folder) as scan:
            pending += [item.path for item in scan if item.is_dir(follow_symlinks=False)]
