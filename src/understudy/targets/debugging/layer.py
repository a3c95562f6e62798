"""debugpy as a layer over an image's root: the image itself stays as it is.

The layer holds debugpy's pure wheel, which runs on any Python 3, and a `sitecustomize` that waits for a
debugger before anything of the image's runs. It lies in the project's cache, read-only to the sandbox.
"""

import fcntl
import hashlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from understudy.errors import EnvironmentProblemError

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = "/opt/understudy-debugger"
LISTEN, PATH_BEFORE = "UNDERSTUDY_DEBUG_LISTEN", "UNDERSTUDY_DEBUG_PYTHONPATH"
_TIMEOUT_S = 300
_NEWEST = "3.13"
"""The Python that AWS's newest base has; debugpy asks for a lower one."""
_MARKER = ".complete"
# The function's environment is put right again before its own code runs: AWS's bootstrap looks at PYTHONPATH.
SITECUSTOMIZE = f'''\
import os, sys
_address = os.environ.pop("{LISTEN}", "")
if _address:
    _before = os.environ.pop("{PATH_BEFORE}", "")
    if _before:
        os.environ["PYTHONPATH"] = _before
    else:
        os.environ.pop("PYTHONPATH", None)
    # Frozen modules of the standard library are none of the user's business.
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    import debugpy
    sys.path.remove("{FOLDER}")
    _host, _, _port = _address.rpartition(":")
    debugpy.listen((_host, int(_port)))
    del os.environ["PYDEVD_DISABLE_FILE_VALIDATION"]
    print("understudy: waiting for a debugger on " + _address, file=sys.stderr, flush=True)
    debugpy.wait_for_client()
'''


def place_in(cache: Path) -> Path:
    """The folder below `cache` that holds the layer, and a mark once it is complete."""
    lock = hashlib.sha256(REQUIREMENTS.read_bytes() + SITECUSTOMIZE.encode()).hexdigest()[:12]
    return cache / f"debugger-{lock}"


def install(cache: Path) -> Path:
    """Returns the layer's folder, made first when it is missing.

    Safe to call from several processes; a layer whose making was interrupted is made again.

    Raises:
        EnvironmentProblemError: debugpy could not be fetched.
    """
    place = place_in(cache)
    if (place / _MARKER).exists():
        return place / "layer"
    cache.mkdir(parents=True, exist_ok=True)
    with place.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (place / _MARKER).exists():
            shutil.rmtree(place, ignore_errors=True)
            folder = place / "layer" / FOLDER.lstrip("/")
            folder.mkdir(parents=True)
            _run(_command(folder))
            (folder / "sitecustomize.py").write_text(SITECUSTOMIZE)
            _open_to_all(place / "layer")
            (place / _MARKER).touch()
    return place / "layer"


def _command(folder: Path) -> Sequence[str]:
    """Installs the wheel that suits every Python 3; an environment that uv made has no pip but has uv."""
    locked = (
        *("--quiet", "--target", str(folder), "--only-binary=:all:", "--python-version", _NEWEST),
        *("--require-hashes", "--no-deps", "-r", str(REQUIREMENTS)),
    )
    if importlib.util.find_spec("pip") is None:
        return ("uv", "pip", "install", "--python", sys.executable, *locked)
    anywhere = ("--platform=any", "--implementation=py", "--abi=none", "--no-compile")
    return (sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *anywhere, *locked)


def _open_to_all(layer: Path) -> None:
    """The sandbox's user is nobody here: it reads what everybody may."""
    layer.chmod(0o755)
    for path in layer.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as exc:
        detail = str(getattr(exc, "stderr", None) or exc).strip()
        raise EnvironmentProblemError(
            "debugger-install",
            f"debugpy cannot be fetched: {detail[-600:]}",
            hint=f"run it by hand: {' '.join(command)}",
            where=command[0],
            retryable=True,
        ) from exc
