"""Changes of an image that can be tried on a scratch copy, and how each is made; pure.

``bytecode`` compiles what has no valid bytecode, ``lazy-import:MODULE`` defers a module's code to the first
use of one of its attributes, ``drop:DISTRIBUTION`` removes what an installer put there.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from understudy.errors import UnderstudyError

if TYPE_CHECKING:
    from understudy.sandbox.model import SandboxSpec

Kind = Literal["bytecode", "lazy-import", "drop"]

_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?\Z")
_SCRIPT = "understudy-change.py"

# Sub-modules of a lazy package are imported as its attributes are: the package's own code has run by then.
_LAZY = """
import importlib.util, sys


class _Lazy:
    busy = False

    def find_spec(self, name, path=None, target=None):
        if name != {module!r} or self.busy:
            return None
        self.busy = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.busy = False
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


sys.meta_path.insert(0, _Lazy())
"""
# With its bytecode, and without empty folders: Python would take those for packages that are there.
_DROP = """
import importlib.metadata, pathlib, sys

found = next(iter(importlib.metadata.distributions(name={name!r}, path=[*sys.path, {task_root!r}])), None)
if found is None:
    sys.exit("no distribution {name} is installed")
root = pathlib.Path(found.locate_file(""))
folders = set()
for file in found.files or ():
    place = pathlib.Path(file.locate())
    compiled = place.parent.glob("__pycache__/" + place.stem + ".*.pyc") if place.suffix == ".py" else ()
    for one in (place, *compiled):
        one.unlink(missing_ok=True)
        folders.add(one.parent)
for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
    while root in folder.parents and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change.

    Attributes:
        kind: of it.
        subject: module or distribution; empty for ``bytecode``.
    """

    kind: Kind
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.subject}" if self.subject else self.kind


def parse(text: str) -> Change:
    """The change that a user wrote.

    Raises:
        UnderstudyError: there is no such change.
    """
    kind, _, subject = text.partition(":")
    if kind == "bytecode" and not subject:
        return Change(kind="bytecode")
    if kind == "lazy-import" and _MODULE.match(subject):
        return Change(kind="lazy-import", subject=subject)
    if kind == "drop" and _DISTRIBUTION.match(subject):
        return Change(kind="drop", subject=subject)
    raise UnderstudyError(
        "what-if-unknown",
        f"{text!r} is no change that can be tried",
        hint="write bytecode, lazy-import:MODULE or drop:DISTRIBUTION",
    )


def program(change: Change) -> str:
    """What runs before anything else of the image; empty for a change of its files."""
    return _LAZY.format(module=change.subject) if change.kind == "lazy-import" else ""


def build_files(change: Change, spec: SandboxSpec, *, base: str) -> dict[str, str]:
    """A build context that makes the changed image: a Dockerfile and what it copies.

    Args:
        change: of the image's files.
        spec: how the image is started.
        base: name of the image in the FROM line.
    """
    python = _interpreter(spec)
    task_root = spec.environment.get("LAMBDA_TASK_ROOT", "/var/task")
    if change.kind == "drop":
        copied = f"COPY {_SCRIPT} /{_SCRIPT}\nRUN {python} /{_SCRIPT} && rm /{_SCRIPT}\n"
        script = _DROP.format(name=change.subject, task_root=task_root)
        return {"Dockerfile": f"FROM {base}\nUSER root\n{copied}", _SCRIPT: script}
    sites = (
        "import sysconfig as s; print(*{s.get_path('purelib'), s.get_path('platlib'), s.get_path('stdlib')})"
    )
    command = f"{python} -m compileall -q --invalidation-mode unchecked-hash {shlex.quote(task_root)}"
    # Files that are no Python of this version (templates, tests) fail, and are compiled by nobody.
    return {"Dockerfile": f'FROM {base}\nUSER root\nRUN {command} $({python} -c "{sites}") || true\n'}


def _interpreter(spec: SandboxSpec) -> str:
    first = spec.entrypoint[0] if spec.entrypoint else ""
    return shlex.quote(first) if first.rpartition("/")[2].startswith("python") else "python3"
