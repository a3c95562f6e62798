"""The engine of a project's own stack, launched before the rest of the stack is imported.

Imports little on purpose: the engine takes as long to start as this process takes to load builder, SDK and
sandbox, and the two can go side by side.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol

from understudy.engine.delegate import install
from understudy.errors import UnderstudyError
from understudy.targets import addresses, record
from understudy.targets.attached_engine import AttachedEngine
from understudy.targets.engine_process import EngineProcess
from understudy.targets.project import Project
from understudy.targets.up_options import UpOptions
from understudy.targets.workspace import Workspace


class StackEngine(Protocol):
    """The engine of a stack, started by it or attached to."""

    @property
    def endpoint(self) -> str | None:
        """The endpoint it will have; `None` while the kernel has yet to choose its port."""
        ...

    @property
    def where(self) -> str:
        """Where to look when something is wrong with it."""
        ...

    def install(self, progress: Callable[[str], None]) -> None:
        """Returns once all that `start` needs is there.

        Raises:
            EnvironmentProblemError: it could not be fetched.
        """
        ...

    def start(self) -> str:
        """Returns the endpoint once it answers.

        Raises:
            EnvironmentProblemError: it does not.
        """
        ...

    def is_alive(self) -> bool:
        """Whether it still runs."""
        ...


@contextlib.contextmanager
def claimed(workspace: Workspace, options: UpOptions) -> Iterator[StackEngine]:
    """Claims the project's stack for this process and yields its engine, which ends with the block.

    It is on its way already, unless its delegate has to be installed first.

    Raises:
        AlreadyRunningError: another process runs the stack.
        EnvironmentProblemError: somebody listens on the engine's port.
        UnderstudyError: the project file has no target of type local, or its endpoint is another machine's.
    """
    if options.engine is not None:
        host, remote_port = options.engine
        attached = AttachedEngine(host=host, remote_port=remote_port, port=_port(workspace, options))
        with record.claim(workspace.layout):
            attached.launch()
            yield attached
        return
    engine = _engine(workspace, options)
    with record.claim(workspace.layout):
        engine.check_port()
        try:
            if install.is_installed(workspace.layout.cache):
                engine.launch()
            yield engine
        finally:
            engine.stop()


def name_of(project: Project) -> str:
    """The name of the target that `up` brings up: the first one of type local.

    Raises:
        UnderstudyError: the project has none.
    """
    for name, section in project.targets.items():
        if section.type == "local":
            return name
    raise UnderstudyError(
        "target-missing",
        "the project file has no target of type local",
        hint="add targets.local with type: local and an overlay to understudy.yaml",
        where="understudy.yaml, targets",
    )


def _port(workspace: Workspace, options: UpOptions) -> int:
    """The endpoint's port: as told, else the project file's."""
    name = name_of(workspace.project)
    endpoint = workspace.project.targets[name].endpoint or addresses.DEFAULT_ENDPOINT
    addresses.check_loopback(name, endpoint)
    return addresses.port_of(endpoint) if options.port is None else options.port


def _engine(workspace: Workspace, options: UpOptions) -> EngineProcess:
    port, folder = _port(workspace, options), workspace.project.init_hooks
    return EngineProcess(workspace.layout, port=port, hooks_dir=workspace.root / folder if folder else None)
