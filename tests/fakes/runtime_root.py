"""A small image root out of the interpreter that runs the tests, and a place where any user can run it."""

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httptools

import understudy
from tests import tools
from understudy.image.layers.writer import write_layer
from understudy.image.rootfs import PackedLayer, Rootfs
from understudy.image.store import Store
from understudy.sandbox import executors

_LEFT_OUT = ("test", "tests", "site-packages", "dist-packages", "idlelib", "tkinter", "ensurepip", "lib2to3")
_FAKES = Path(__file__).parent
# One for all, so that every worker process packs the same image and Docker loads it once.
_EPOCH = 1_700_000_000


@dataclass(frozen=True)
class Place:
    """Files that every user can read.

    Attributes:
        layers: the image's root, bottom first.
        interpreter: path of Python inside the image.
        site: folder with understudy and what its sandbox imports.
    """

    folder: Path
    layers: tuple[Path, ...]
    interpreter: str
    site: Path

    @property
    def host_interpreter(self) -> Path:
        """The same Python as seen from the host."""
        return Path(f"{self.layers[0]}{self.interpreter}")

    def add_libraries(self, binaries: Iterable[Path]) -> None:
        """Copies what `binaries` are linked against into the image's uppermost layer."""
        for needed in _libraries(list(binaries)):
            if not any(_under(layer, needed).exists() for layer in self.layers):
                _copy(needed.resolve(), self.layers[-1], as_path=needed)

    def driver(self, who: int | str, *arguments: str) -> list[str]:
        """Command line of the driver.

        Args:
            who: the user to run it as, who owns the upper layer as after extraction; or ``docker``, for that
                executor, under the tests' own interpreter.
            arguments: of the driver.
        """
        uid = who if isinstance(who, int) else os.geteuid()
        state = Path(tempfile.mkdtemp(prefix=f"state-{uid}-", dir=self.folder))
        state.chmod(0o755)
        os.chown(state, uid, uid)
        code = self.folder / f"code-{uid}"
        if not code.exists():
            shutil.copytree(self.layers[1], code)
            for path in (code, *code.rglob("*")):
                os.chown(path, uid, uid)
        layers = f"{self.layers[0]}:{code}"
        script = str(self.site / "runtime_driver.py")
        python = str(self.host_interpreter) if who == uid else sys.executable
        return [python, script, str(state), layers, self.interpreter, *arguments]

    def rootfs(self, executor: str, *more: Path) -> Rootfs:
        """The root for `executor`, with `more` layers on top; each is packed once, for Docker."""
        layers = (*self.layers, *more)
        if executor != executors.DOCKER:
            return Rootfs(layers=layers)
        tools.require_docker()
        return Rootfs(layers=layers, packed=tuple(_packed(self.folder / "store", layer) for layer in layers))

    def run(self, who: int | str, mode: str) -> Any:
        """What the driver printed; see `driver`."""
        done = subprocess.run(
            self.driver(who, mode),
            **self.identity(who),
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def identity(self, who: int | str) -> dict[str, Any]:
        """Arguments for `subprocess` that make the driver run as `who`."""
        if isinstance(who, str):
            packed = [[layer.diff_id, str(layer.path)] for layer in self.rootfs(who).packed]
            docker = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
            return {"env": {**docker, **self.environment(), "DRIVER_PACKED": json.dumps(packed)}}
        user = {"user": who, "group": who, "extra_groups": []} if os.geteuid() == 0 else {}
        return {"env": self.environment(), **user}

    def unload(self) -> None:
        """Removes what was loaded into Docker, if anything was."""
        if (self.folder / "store").exists():
            tools.remove_sandbox_images()

    def environment(self) -> dict[str, str]:
        """For the driver."""
        return {"PYTHONPATH": str(self.site), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}


@functools.cache
def _packed(folder: Path, layer: Path) -> PackedLayer:
    store = Store(folder).open()
    descriptor, diff_id = write_layer(store, layer, epoch=_EPOCH)
    return PackedLayer(diff_id=diff_id, path=store.path(descriptor.digest))


@contextlib.contextmanager
def made() -> Iterator[Place]:
    """Makes the place and removes it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="understudy-root-"))
    folder.chmod(0o755)
    try:
        yield _make(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(folder: Path) -> Place:
    python, code = folder / "python", folder / "code"
    interpreter = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    library = Path(sysconfig.get_path("stdlib"))
    _copy(interpreter.resolve(), python, as_path=interpreter)
    shutil.copytree(
        library, _under(python, library), symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT, "config-*")
    )
    binaries = [interpreter, *library.glob("lib-dynload/*.so")]
    for needed in _libraries(binaries):
        _copy(needed.resolve(), python, as_path=needed)
    (python / "etc").mkdir(exist_ok=True)
    (python / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    task = code / "var/task"
    task.mkdir(parents=True)
    shutil.copy(_FAKES / "runtime_client.py", task / "client.py")
    (task / "client.py").chmod(0o755)
    for name, text in (("noformat", "nonsense\n"), ("crlf", "#!/bin/sh\r\n"), ("noexec", "x")):
        (task / name).write_text(text)
        (task / name).chmod(0o644 if name == "noexec" else 0o755)
    site = folder / "site"
    shutil.copytree(Path(understudy.__file__).parent, site / "understudy")
    shutil.copytree(Path(httptools.__file__).parent, site / "httptools")
    shutil.copy(_FAKES / "runtime_driver.py", site)
    subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
    return Place(folder=folder, layers=(python, code), interpreter=str(interpreter), site=site)


def _libraries(binaries: list[Path]) -> set[Path]:
    listed = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    return {Path(path) for path in re.findall(r"(/\S+\.so\S*)(?= \()", listed)}


def _under(root: Path, path: Path) -> Path:
    return root / str(path).lstrip("/")


def _copy(source: Path, root: Path, *, as_path: Path) -> None:
    target = _under(root, as_path)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
