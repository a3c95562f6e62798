"""Where a module is when it is not on the search path, and what brings it there.

Looks at names of files alone. Refuses to count copies that packages keep for themselves (`_vendor`), tests
and modules inside packages: they are no top-level modules.
"""

import enum
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from understudy.verify.model import Node
from understudy.verify.python import distributions
from understudy.verify.python.analysis import Analysis

_IGNORED = frozenset(
    {"_vendor", "vendored", "_vendored", "tests", "test", "testing", "node_modules", "__pycache__", "pkgs"}
    | {"proc", "sys", "dev", "examples", "docs", "stubs", "typeshed", "third_party"}
)
_PACKAGES = re.compile(r"/(?:lib|lib64)/(?:python|pypy)(\d)\.(\d+)/(?:site|dist)-packages$")
_AWS_DEFAULTS = ("/opt/python", "/var/runtime", "/var/lang")


class Kind(enum.IntEnum):
    """What kind of place it is, the most telling first."""

    VENV = 0
    USER_SITE = 1
    DROPPED = 2
    OTHER_PYTHON = 3
    SITE = 4
    BELOW_ROOT = 5
    ELSEWHERE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """One place that has a module.

    Attributes:
        path: of the module.
        folder: what would have to be on the search path.
        kind: what sort of place that is.
    """

    path: str
    folder: str
    kind: Kind


def locate(analysis: Analysis, name: str) -> Located | None:
    """Returns the most telling place in the image that has a top-level module `name`."""
    return min(_places(analysis, name), key=lambda found: (found.kind, found.path), default=None)


def explain(analysis: Analysis, found: Located) -> str:
    """Returns why the place does not count, to be read after the name of the module."""
    python = analysis.python
    reasons = {
        Kind.VENV: "a virtual environment that the runtime does not start",
        Kind.USER_SITE: "a user's own site-packages, and Lambda runs as another user",
        Kind.DROPPED: "left out of sys.path because PYTHONPATH is set",
        Kind.OTHER_PYTHON: f"another Python's packages; the runtime is Python {python.version_text}",
        Kind.SITE: "not the site-packages of the Python that runs the handler",
        Kind.BELOW_ROOT: f"below {python.task_root}, which is the directory that is looked into",
        Kind.ELSEWHERE: "not on sys.path",
    }
    return f"{found.folder} is {reasons[found.kind]}"


def fix(analysis: Analysis, found: Located, name: str) -> str:
    """Returns the edit that brings the module onto the search path."""
    python = analysis.python
    target = "${LAMBDA_TASK_ROOT}" if python.is_aws_base else python.task_root
    install = f"RUN {python.executable} -m pip install {distributions.distribution_of(name)}"
    export = (
        "RUN uv export --frozen --no-dev --no-editable -o /tmp/requirements.txt && "
        f'uv pip install --target "{target}" -r /tmp/requirements.txt'
    )
    venv = found.folder.partition("/lib")[0]
    below = posixpath.relpath(found.folder, python.task_root)
    setting = "the function's environment" if _set_by_function(analysis) else "ENV"
    fixes = {
        Kind.VENV: export
        if python.is_aws_base
        else f'ENTRYPOINT ["{venv}/bin/python", "-m", "awslambdaric"]',
        Kind.USER_SITE: "USER root before the RUN that calls pip install, and no --user",
        Kind.DROPPED: f"remove PYTHONPATH from {setting}, or add {found.folder} to it",
        Kind.BELOW_ROOT: f"COPY {below}/ {target}/",
        Kind.ELSEWHERE: f"COPY {posixpath.basename(found.path)} {target}/",
    }
    return fixes.get(found.kind, install)


def _set_by_function(analysis: Analysis) -> bool:
    return "PYTHONPATH" in analysis.subject.launch.function_env


def _places(analysis: Analysis, name: str) -> Iterator[Located]:
    search_path = set(analysis.closure.finder.search_path)
    for node in analysis.files.walk("/"):
        folder, _, base = node.path.rpartition("/")
        if not base.startswith(name) or not folder or folder in search_path:
            continue
        if not _is_module(analysis, node, base, name) or not _IGNORED.isdisjoint(folder.split("/")):
            continue
        if analysis.files.get(f"{folder}/__init__.py") is None:
            yield Located(path=node.path, folder=folder, kind=_kind(analysis, folder))


def _is_module(analysis: Analysis, node: Node, base: str, name: str) -> bool:
    if node.kind == "dir":
        in_packages = posixpath.dirname(node.path).endswith(("site-packages", "dist-packages"))
        names = analysis.files.names(node.path) if base == name else ()
        return "__init__.py" in names or (in_packages and bool(names))
    return base == f"{name}.py" or (base.startswith(f"{name}.") and base.endswith(".so"))


def _kind(analysis: Analysis, folder: str) -> Kind:
    python = analysis.python
    packages = _PACKAGES.search(folder)
    prefix = folder[: packages.start()] if packages else ""
    if packages and analysis.files.resolve(f"{prefix}/pyvenv.cfg") is not None:
        return Kind.VENV
    if packages and prefix.endswith("/.local"):
        return Kind.USER_SITE
    overridden = python.is_aws_base and "PYTHONPATH" in analysis.subject.launch.environment
    if overridden and folder.startswith(_AWS_DEFAULTS):
        return Kind.DROPPED
    if packages and (int(packages[1]), int(packages[2])) != python.version:
        return Kind.OTHER_PYTHON
    if packages:
        return Kind.SITE
    return Kind.BELOW_ROOT if folder.startswith(f"{python.task_root}/") else Kind.ELSEWHERE
