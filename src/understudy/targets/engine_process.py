"""The engine as a child process of the stack: launched, waited for, stopped; it dies with its parent."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from understudy.engine import config, listen
from understudy.engine.config import EngineConfig
from understudy.engine.delegate import install
from understudy.engine.listen import PortInUseError
from understudy.errors import EnvironmentProblemError
from understudy.sandbox import executors
from understudy.targets.layout import Layout

_READY_WITHIN_S = 30.0
_STOP_WITHIN_S = 15.0
_LOG_TAIL_CHARACTERS = 1500


class EngineProcess:
    """One engine for one project; `start` returns when it accepts requests."""

    def __init__(
        self, layout: Layout, *, port: int = config.DEFAULT_PORT, hooks_dir: Path | None = None
    ) -> None:
        self._layout = layout
        self._port = port
        self._hooks_dir = hooks_dir
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log_path(self) -> Path:
        """What the engine writes."""
        return self._layout.run / "engine.log"

    @property
    def where(self) -> str:
        """Where to look when something is wrong with it: its log."""
        return str(self.log_path)

    def check_port(self) -> None:
        """Returns when the engine's port is free, so that nobody waits for a build to learn that it is not.

        Raises:
            EnvironmentProblemError: somebody listens there.
        """
        try:
            for bound in listen.bind(config.LOOPBACK, self._port):
                bound.close()
        except PortInUseError as exc:
            raise EnvironmentProblemError(
                "port-taken",
                f"{exc.message}: local AWS cannot listen there",
                hint=f"./understudy up --port {self._port + 1}, or {exc.hint}",
                where=exc.where,
            ) from exc

    @property
    def endpoint(self) -> str | None:
        """The endpoint it will have; `None` while the kernel has yet to choose its port."""
        return f"http://localhost:{self._port}" if self._port else None

    def install(self, progress: Callable[[str], None]) -> None:
        """Returns once the delegate is installed.

        Raises:
            EnvironmentProblemError: its packages could not be fetched.
        """
        install.install(self._layout.cache, progress=progress)

    def launch(self) -> None:
        """Starts the process and returns; the delegate must have been installed."""
        settings = self._settings()
        self._layout.run.mkdir(parents=True, exist_ok=True)
        settings.ready_path.unlink(missing_ok=True)
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "understudy.engine", *settings.argv()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=_environment(),
            )

    def start(self) -> str:
        """Returns the endpoint of the engine once it is ready, launched here if nobody has yet.

        Raises:
            EnvironmentProblemError: it ended at once or did not become ready.
        """
        if self._process is None:
            self.launch()
        ready = self._settings().ready_path
        deadline = time.monotonic() + _READY_WITHIN_S
        while not ready.exists():
            if not self.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise EnvironmentProblemError(
                    "engine-start",
                    f"the engine did not start:\n{self.log_path.read_text()[-_LOG_TAIL_CHARACTERS:].strip()}",
                    hint="./understudy doctor",
                    where=str(self.log_path),
                )
            time.sleep(0.01)
        endpoint: str = json.loads(ready.read_text())["endpoint"]
        return endpoint

    def _settings(self) -> EngineConfig:
        return EngineConfig(
            data_dir=self._layout.state,
            port=self._port,
            hooks_dir=self._hooks_dir,
            delegate_python=install.python_path(self._layout.cache),
            die_with_parent=True,
            executor=executors.chosen(os.environ),
        )

    def is_alive(self) -> bool:
        """Whether the engine still runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ends the engine and waits; a second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    """The environment without what would send the engine's own calls to the user's AWS account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
