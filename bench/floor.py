"""The floor: the same app under uvicorn alone, and the bare start of its handler, in the image's own root."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from bench import processes, requests
from bench.cloud import MEMORY_MB, NAME, VARIABLES
from bench.model import UVICORN
from bench.project import Project
from bench.wrk import Target
from understudy.errors import EnvironmentProblemError
from understudy.image import rootfs
from understudy.image.store import Store
from understudy.sandbox import model
from understudy.sandbox import processes as image_processes
from understudy.sandbox.model import FunctionEnvironment, SandboxSpec
from understudy.sandbox.processes import ImageProcess

_IMPORTS = """\
import os, sys
sys.path.append(os.environ["LAMBDA_RUNTIME_DIR"])
import awslambdaric.bootstrap, handler
os.write({descriptor}, b".")
"""
# Runs inside the image: starts the interpreter anew and stops the clock when the handler is imported.
_DRIVER = f"""
import json, os, subprocess, sys, time
for _ in range(int(sys.argv[1])):
    reading, writing = os.pipe()
    program = {_IMPORTS!r}.format(descriptor=writing)
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-c", program], pass_fds=[writing])
    os.close(writing)
    done = os.read(reading, 1)
    seconds = time.perf_counter() - started
    os.close(reading)
    if child.wait() or not done:
        sys.exit("the handler cannot be imported")
    print(json.dumps(seconds), flush=True)
"""


class Uvicorn:
    """`dashboard.app:app`, one worker, no reload, no access log, nothing in front."""

    key = UVICORN
    title = "uvicorn alone"

    def __init__(self, project: Project, digest: str) -> None:
        self._port = processes.free_port()
        self._log = project.folder / "logs" / "uvicorn.log"
        self._state = project.layout.sandboxes
        command = ("dashboard.app:app", "--host", "127.0.0.1", "--port", str(self._port))
        self._spec = _spec(project, digest, "-m", "uvicorn", *command, "--no-access-log")
        self._process: ImageProcess | None = None
        self._pump: threading.Thread | None = None
        self.target = Target(url=f"http://127.0.0.1:{self._port}/health")

    def __enter__(self) -> Self:
        self._process = image_processes.run_in_image(self._spec, self._state)
        self._pump = threading.Thread(target=_copy, args=(self._process, self._log), daemon=True)
        self._pump.start()
        requests.until_listening(self.target)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            if self._pump is not None:
                self._pump.join(10)
            self._process.close()

    def cold(self) -> None:
        """It is no Lambda."""
        return


def exec_and_import(project: Project, digest: str, times: int) -> list[float]:
    """Seconds from exec of the interpreter to the runtime client and the handler imported, in one root.

    Raises:
        EnvironmentProblemError: the handler cannot be imported.
    """
    spec = _spec(project, digest, "-c", _DRIVER, str(times))
    output = bytearray()
    with image_processes.run_in_image(spec, project.layout.sandboxes) as process:
        status = process.wait(output.extend)
    lines = output.decode(errors="replace").splitlines()
    if status:
        raise EnvironmentProblemError(
            "bench-import", f"exec and import ended with {status}: {lines[-5:]}", hint="understudy up"
        )
    return [float(json.loads(line)) for line in lines if line[:1].isdigit()]


def _copy(process: ImageProcess, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as log:

        def write(data: bytes) -> None:
            log.write(data)

        process.wait(write)


def _spec(project: Project, digest: str, *arguments: str) -> SandboxSpec:
    """The function's own root, user and environment, with another program."""
    store = Store(project.layout.store).open()
    config = store.image(digest).config
    return SandboxSpec(
        rootfs=rootfs.prepare(store, digest),
        entrypoint=("/var/lang/bin/python3.13",),
        command=arguments,
        working_dir=config.working_dir,
        environment=_environment(config.env, config.working_dir),
        cpu="host",
    )


def _environment(image: tuple[tuple[str, str], ...], working_dir: str) -> Mapping[str, str]:
    found = model.lambda_environment(
        FunctionEnvironment(
            function_name=NAME,
            function_version="$LATEST",
            memory_mb=MEMORY_MB,
            region="us-east-1",
            log_group=f"/aws/lambda/{NAME}",
            log_stream="bench",
            image=image,
            function=VARIABLES,
            access_key_id="000000000000",
            secret_access_key="bench",
            session_token="bench",
            working_dir=working_dir,
        )
    )
    return {**found, "_HANDLER": "handler.lambda_handler"}
