"""`/var/runtime/bootstrap.py` of the stand-in base: prepares `sys.path` as AWS's does, then runs the client.

This file is copied into the image as it is, so it imports nothing of understudy. What it keeps of AWS's
bootstrap (python3.11 and later, as published in images): the task root first, then /opt, then the
interpreter's own packages, then the rest; `.pth` files of the task root are executed; a PYTHONPATH that the
user set switches the additions off.
"""

import importlib
import os
import site
import sys
from collections.abc import MutableMapping


def search_path(environment: MutableMapping[str, str], version: tuple[int, int]) -> list[str]:
    """Returns what comes before the interpreter's own `sys.path`."""
    first = [environment["LAMBDA_TASK_ROOT"]]
    if "PYTHONPATH" in environment:
        return first
    packages = f"lib/python{version[0]}.{version[1]}/site-packages"
    return [*first, f"/opt/python/{packages}", "/opt/python", f"/var/lang/{packages}"]


def site_directories(environment: MutableMapping[str, str], version: tuple[int, int]) -> list[str]:
    """Returns the directories whose `.pth` files are executed."""
    return [place for place in search_path(environment, version) if not place.startswith("/var/lang/")]


def main() -> None:
    """Runs the handler that `_HANDLER` names until the environment ends."""
    client = importlib.import_module("awslambdaric.__main__")
    version = sys.version_info[:2]
    directories = site_directories(os.environ, version)
    sys.path[:0] = search_path(os.environ, version)
    for directory in directories:
        site.addsitedir(directory)
    os.environ.setdefault("PYTHONPATH", os.environ["LAMBDA_RUNTIME_DIR"])
    client.main([os.environ["LAMBDA_TASK_ROOT"], os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
