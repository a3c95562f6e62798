"""A small image root out of the interpreter that runs the tests, and a place where any user can run it."""

import contextlib
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

_LEFT_OUT = ("test", "tests", "site-packages", "dist-packages", "idlelib", "tkinter", "ensurepip", "lib2to3")
_FAKES = Path(__file__).parent


@dataclass(frozen=True)
class Place:
    """Files that every user can read.

    Attributes:
        layers: the image's root, bottom first.
        interpreter: path of Python inside the image.
        site: folder with understudy and what its sandbox imports.
    """

    folder: Path
    layers: tuple[Path, Path]
    interpreter: str
    site: Path

    @property
    def host_interpreter(self) -> Path:
        """The same Python as seen from the host."""
        return Path(f"{self.layers[0]}{self.interpreter}")

    def add_libraries(self, binaries: Iterable[Path]) -> None:
        """Copies what `binaries` are linked against into the image."""
        for needed in _libraries(list(binaries)):
            if not _under(self.layers[0], needed).exists():
                _copy(needed.resolve(), self.layers[0], as_path=needed)

    def driver(self, uid: int, *arguments: str) -> list[str]:
        """Command line of the driver, to be run as `uid`, who owns the upper layer as after extraction."""
        state = self.folder / f"state-{uid}"
        state.mkdir(exist_ok=True)
        os.chown(state, uid, uid)
        code = self.folder / f"code-{uid}"
        if not code.exists():
            shutil.copytree(self.layers[1], code)
            for path in (code, *code.rglob("*")):
                os.chown(path, uid, uid)
        layers = f"{self.layers[0]}:{code}"
        script = str(self.site / "runtime_driver.py")
        return [str(self.host_interpreter), script, str(state), layers, self.interpreter, *arguments]

    def run(self, uid: int, mode: str) -> Any:
        """What the driver printed."""
        done = subprocess.run(
            self.driver(uid, mode),
            **self.identity(uid),
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def identity(self, uid: int) -> dict[str, Any]:
        """Arguments for `subprocess` that make the driver run as `uid`."""
        who = {"user": uid, "group": uid, "extra_groups": []} if os.geteuid() == 0 else {}
        return {"env": self.environment(), **who}

    def environment(self) -> dict[str, str]:
        """For the driver."""
        return {"PYTHONPATH": str(self.site), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}


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
