"""Small images to boot: this interpreter, the real runtime client, FastAPI and Mangum; one layer a case."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes import image_files, runtime_root
from tests.fakes.runtime_root import Place
from understudy.sandbox import executors
from understudy.verify import boot
from understudy.verify.boot import BootReport, BootRequest
from understudy.verify.model import Finding, Subject

PACKAGES = ("awslambdaric==4.2.2", "fastapi==0.127.0", "mangum==0.19.0")
MEMORY_MB = 256


@dataclass(frozen=True)
class BootImages:
    """Makes and boots one image per case."""

    place: Place
    folder: Path

    def request(
        self, name: str, files: Mapping[str, str | tuple[str, int]], **changes: Any
    ) -> tuple[BootRequest, Subject]:
        """A request for the base with `files` (path below /var/task to text, and mode) over it.

        Args:
            name: of the case; its folder.
            files: an absolute path is taken as it is.
            changes: fields of `Launch`, and those of `BootRequest` that have no namesake there.
        """
        layer = self.folder / name
        layer.mkdir()
        for path, content in files.items():
            text, mode = content if isinstance(content, tuple) else (content, 0o644)
            place = layer / (path.lstrip("/") if path.startswith("/") else f"var/task/{path}")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
            place.chmod(mode)
        of_request = {key: changes.pop(key) for key in tuple(changes) if key in BootRequest.__slots__}
        launch = {
            "entrypoint": (self.place.interpreter, "-m", "awslambdaric"),
            "command": ("app.handler",),
            "working_dir": "/var/task",
            "image_env": {"PATH": "/bin"},
            "memory_mb": MEMORY_MB,
            "timeout_s": 20.0,
        }
        subject = image_files.subject({}, **{**launch, **changes})
        request = BootRequest(
            rootfs=self.place.rootfs(executors.chosen(os.environ), layer),
            launch=subject.launch,
            **{"architecture": "x86_64", **of_request},
        )
        return request, subject

    def boot(
        self, name: str, files: Mapping[str, str | tuple[str, int]], **changes: Any
    ) -> tuple[BootReport, tuple[Finding, ...]]:
        """What the boot of such an image showed, and its findings."""
        request, subject = self.request(name, files, **changes)
        report = boot.run(request, state_dir=self.folder / "state")
        return report, boot.findings(report, subject)


@contextlib.contextmanager
def made(folder: Path) -> Iterator[BootImages]:
    """Installs the packages once."""
    with runtime_root.made() as place:
        task = place.layers[1] / "var/task"
        environment = place.folder / "venv"
        base = Path(sys.base_prefix) / "bin" / Path(place.interpreter).name
        subprocess.run([str(base), "-m", "venv", str(environment)], check=True, capture_output=True)
        install(environment / "bin/python", task, *PACKAGES)
        place.add_libraries(task.rglob("*.so"))
        subprocess.run(["chmod", "-R", "a+rX", str(place.folder)], check=True)
        yield BootImages(place=place, folder=folder)


def install(python: Path, target: Path, *packages: str) -> None:
    """Installs packages into a folder, with bytecode as in a real image."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--target", str(target), *packages]
    subprocess.run(command, check=True, capture_output=True)
