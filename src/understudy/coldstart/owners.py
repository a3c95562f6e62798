"""Whose a module is: a distribution's, the standard library's or the user's own.

Read from what installers leave beside the modules (RECORD, PEP 376). Pure but for the files of the image.
"""

from __future__ import annotations

import csv
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from understudy.image.rootfs_view import RootfsView

STDLIB = "standard library"
OWN = "your code"
_RIC = frozenset({"awslambdaric", "bootstrap", "rapid_client", "runtime_client"})
RUNTIME_CLIENT = "runtime client"
_INFO = re.compile(r"(?P<name>.+)-[^-]+\.dist-info\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """Owners of modules.

    Attributes:
        distributions: top-level module -> name of its distribution.
        task_root: folder of the function's code.
        folders: those that Python imports from.
    """

    distributions: Mapping[str, str] = field(default_factory=dict)
    task_root: str = "/var/task"
    folders: tuple[str, ...] = ()

    def of_module(self, name: str) -> str:
        """The owner of a module, by its dotted name."""
        top = name.partition(".")[0]
        if top in _RIC:
            return RUNTIME_CLIENT
        if top in self.distributions:
            return self.distributions[top]
        return STDLIB if top in sys.stdlib_module_names else OWN

    def is_own_file(self, path: str) -> bool:
        """Whether a file is the user's code: in the task root, and no distribution's."""
        root = f"{self.task_root.rstrip('/')}/"
        if not path.startswith(root) or "/site-packages/" in path:
            return False
        top = path.removeprefix(root).partition("/")[0].removesuffix(".py")
        return top not in self.distributions


def load(view: RootfsView, folders: Iterable[str], *, task_root: str) -> Owners:
    """The owners of an image's modules.

    Args:
        view: of the image.
        folders: those that Python imports from; ones that do not exist hold nothing.
        task_root: folder of the function's code.
    """
    found: dict[str, str] = {}
    places = tuple(folders)
    for folder in places:
        for name in view.names(folder):
            info = _INFO.match(name)
            if info is not None:
                record = view.text(f"{folder}/{name}/RECORD") or ""
                found.update(dict.fromkeys(tops(record), info["name"].replace("_", "-")))
    return Owners(distributions=found, task_root=task_root, folders=places)


def tops(record: str) -> Iterable[str]:
    """Top-level modules among the files that a RECORD lists."""
    for row in csv.reader(record.splitlines()):
        top, _, rest = row[0].partition("/") if row else ("", "", "")
        if rest and not top.endswith((".dist-info", ".data")) and top not in {"..", "__pycache__", "bin"}:
            yield top
        elif not rest and top.endswith((".py", ".so")):
            yield top.partition(".")[0]
