"""Which executor isolates functions on this machine: the user's choice, by flag or environment.

The flag sets the environment variable, so that the engine, which is a process of its own, and the boot of
``verify`` agree without being told one by one.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from understudy.errors import EnvironmentProblemError, UnderstudyError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from understudy.sandbox.executor import HostExecutor

VARIABLE = "UNDERSTUDY_EXECUTOR"
NAMESPACES, DOCKER = NAMES = ("namespaces", "docker")


def chosen(environment: Mapping[str, str]) -> str:
    """Returns the executor's name that UNDERSTUDY_EXECUTOR gives, ``namespaces`` by default.

    Raises:
        UnderstudyError: there is no such executor.
    """
    name = environment.get(VARIABLE) or NAMESPACES
    if name not in NAMES:
        raise UnderstudyError(
            "executor-unknown",
            f"{VARIABLE} is {name[:100]!r}, expected {' or '.join(NAMES)}",
            hint=f"unset {VARIABLE}, or export {VARIABLE}={DOCKER}",
            where=VARIABLE,
        )
    return name


def make(name: str, state_dir: Path) -> HostExecutor:
    """Returns the executor `name`, not open yet.

    Args:
        name: of `NAMES`.
        state_dir: folder for what it keeps while it runs.

    Raises:
        EnvironmentProblemError: this system has no namespaces at all.
    """
    # One of the two is needed, and half of each is an interface that not every machine has.
    if name == DOCKER:
        from understudy.sandbox.docker.executor import DockerExecutor  # noqa: PLC0415 - as above

        return DockerExecutor(state_dir)
    if sys.platform != "linux":
        raise EnvironmentProblemError(
            "executor-impossible",
            f"the executor {NAMESPACES} needs Linux, this is {sys.platform}",
            hint=f"./understudy up --executor {DOCKER}, or export {VARIABLE}={DOCKER}",
        )
    from understudy.sandbox.namespaces import NamespaceExecutor  # noqa: PLC0415 - as above

    return NamespaceExecutor(state_dir)
