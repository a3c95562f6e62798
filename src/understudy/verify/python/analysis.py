"""Everything the Python rules know of one image, worked out once and shared between them.

Which code is the user's own decides how far imports are followed and how loud a finding is. Refuses to take a
package for the user's when an installed distribution lists it, unless the handler itself is in it.
"""

import posixpath
from functools import cached_property

from understudy.verify.model import Files, Subject
from understudy.verify.python import constants, distributions, hooks, interpreter
from understudy.verify.python.closure import Follow, Thorough, Walker
from understudy.verify.python.distributions import Distribution
from understudy.verify.python.importmodel import Reach
from understudy.verify.python.interpreter import Interpreter
from understudy.verify.python.modules import Finder, Module
from understudy.verify.python.visits import Closure

_PACKAGE_FOLDERS = frozenset({"site-packages", "dist-packages"})
_RUNTIME_DIR = "/var/runtime"
_ALL_MAX = 3000
# Loaded by every start of CPython, from the interpreter itself or before any directory of the user's counts.
_AT_START = frozenset(
    {"abc", "codecs", "encodings", "genericpath", "importlib", "io", "ntpath", "os", "posixpath", "runpy"}
    | {"site", "sitecustomize", "stat", "usercustomize", "zipimport", "_collections_abc", "_sitebuiltins"}
)


class Analysis:
    """One image with a Python.

    Attributes:
        subject: the image and its launch.
        python: its interpreter.
        files: of the image.
    """

    def __init__(self, subject: Subject, python: Interpreter) -> None:
        """Holds what it is given; everything else is worked out when it is asked for."""
        self.subject = subject
        self.python = python
        self.files: Files = subject.files

    @cached_property
    def finder(self) -> Finder:
        """Over the search path of the handler, as it is when the handler is imported."""
        return self._finder(dict.fromkeys(self._same_names & self.loaded, self.python.stdlib))

    @cached_property
    def first_finder(self) -> Finder:
        """Over the same path, as if nothing had been imported before: what a file's name stands for."""
        return self._finder({})

    def _finder(self, loaded: dict[str, str]) -> Finder:
        python = self.python
        return Finder(
            self.files,
            python.search_path,
            python.extension_suffixes,
            python.stdlib,
            hooks.editable(self.files, python.hooks),
            loaded,
        )

    @cached_property
    def _same_names(self) -> frozenset[str]:
        """Names of the standard library that a directory before it has too."""
        path, stdlib = self.python.search_path, self.python.stdlib
        standard = {name.removesuffix(".py") for name in self.files.names(stdlib)} - {"__pycache__"}
        before = path[: path.index(stdlib)] if stdlib in path else ()
        return frozenset(
            name
            for folder in before
            for written in self.files.names(folder)
            if (name := written.removesuffix(".py")) in standard and name.isidentifier()
        )

    @cached_property
    def unknown_hooks(self) -> tuple[str, ...]:
        """Files that may change how modules are found in a way that is not known."""
        return hooks.unknown(self.files, self.python.hooks, self.finder)

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        """All that are on the search path, in its order."""
        return distributions.installed(self.files, self.python.search_path)

    @cached_property
    def effective(self) -> dict[str, Distribution]:
        """Those that Python sees, by key."""
        return distributions.effective(self.distributions)

    @cached_property
    def owners(self) -> dict[str, Distribution]:
        """The distribution of each top-level place, ``/var/task/fastapi``; all but local ones."""
        owned: dict[str, Distribution] = {}
        for distribution in self.distributions:
            for name in distribution.modules:
                owned.setdefault(posixpath.join(distribution.folder, name), distribution)
        return owned

    @cached_property
    def entry(self) -> Module | None:
        """The module that is imported or run at init; None when it is unknown or not there."""
        if self.python.entry_script:
            node = self.files.resolve(self.python.entry_script)
            found = node is not None and node.kind == "file"
            return Module(name="__main__", kind="source", path=self.python.entry_script) if found else None
        return self.finder.find(self.python.entry_module) if self.python.entry_module else None

    @cached_property
    def closure(self) -> Closure:
        """What the user's own code imports."""
        return self.walk(self.is_own)

    @cached_property
    def scope(self) -> constants.Scope:
        """What modules know of the process, whatever their path."""
        launch = self.subject.launch
        return constants.Scope(
            path="",
            version=self.python.version,
            working_dir=launch.working_dir or "/",
            environment={
                "LAMBDA_TASK_ROOT": self.python.task_root,
                "LAMBDA_RUNTIME_DIR": _RUNTIME_DIR,
                **launch.environment,
            },
        )

    def walk(self, follow: Follow) -> Closure:
        """Returns what the entry imports, through the modules that `follow` accepts."""
        return self._walked(Walker(self.files, self.finder, self.scope, follow))

    def walk_all(self, thorough: Thorough, *also: Module) -> Closure:
        """Returns what the entry imports, through packages and libraries as well.

        Args:
            thorough: which modules to read with care, besides the user's own.
            also: further modules that are imported at init.
        """

        def careful(module: Module, source: bytes) -> bool:
            return self.is_own(module) or thorough(module, source)

        walker = Walker(
            self.files,
            self.finder,
            self.scope,
            lambda module: bool(module.path),
            thorough=careful,
            budget=_ALL_MAX,
        )
        return self._walked(walker, *also)

    def _walked(self, walker: Walker, *also: Module) -> Closure:
        if self.entry is None:
            return Closure(finder=self.finder)
        # A dotted entry imports the packages around it first.
        names = [] if self.python.entry_script else self.entry.name.split(".")
        around = [self.finder.find(".".join(names[:length])) for length in range(1, len(names))]
        entries = [module for module in (*around, self.entry, *also) if module is not None]
        return walker.walk(entries, main=self.python.entry_script)

    @cached_property
    def loaded(self) -> frozenset[str]:
        """Modules that are loaded before the directories of the user's are on the path."""
        python = self.python
        bootstrap = f"{_RUNTIME_DIR}/bootstrap.py"
        if not self._same_names or not python.is_aws_base or python.stdlib not in python.search_path:
            return _AT_START
        path = (_RUNTIME_DIR, *python.search_path[python.search_path.index(python.stdlib) :])
        walker = Walker(
            self.files,
            Finder(self.files, path, python.extension_suffixes, python.stdlib),
            self.scope,
            lambda module: bool(module.path),
            thorough=lambda module, _: module.path.startswith(f"{_RUNTIME_DIR}/"),
        )
        closure = walker.walk([Module(name="__main__", kind="source", path=bootstrap)], main=bootstrap)
        sure = {visit.module.name for visit in closure.visits.values() if visit.reach is Reach.SURE}
        return _AT_START | sure

    def owner(self, path: str) -> Distribution | None:
        """The installed distribution that a file belongs to."""
        for folder in self.python.search_path:
            if path.startswith(f"{folder.rstrip('/')}/"):
                rest = path[len(folder.rstrip("/")) + 1 :]
                first = rest.partition("/")[0]
                found = self.owners.get(posixpath.join(folder, first))
                found = found or self.owners.get(posixpath.join(folder, first.partition(".")[0]))
                if found is not None:
                    return found
        return None

    def is_library(self, path: str) -> bool:
        """Whether a file belongs to Python or to the runtime."""
        stdlib = self.python.stdlib
        if path.startswith(f"{stdlib}/"):
            return not _PACKAGE_FOLDERS & set(path[len(stdlib) :].split("/")[:3])
        return path.startswith(f"{_RUNTIME_DIR}/")

    def is_own(self, module: Module) -> bool:
        """Whether a module is the user's own code."""
        path = module.path
        if not path or self.is_library(path):
            return False
        entry = self.python.entry_module.partition(".")[0]
        if entry and module.name.partition(".")[0] == entry:
            return True
        owner = self.owner(path)
        if owner is not None:
            return owner.local
        return not _PACKAGE_FOLDERS & set(path.split("/"))

    @cached_property
    def handler_module(self) -> str:
        """The module part of the handler as it is written; the runtime client quotes it in its errors."""
        return self.python.handler.rpartition(".")[0]

    def import_error(self, error: str) -> str:
        """What AWS shows for an ImportError with that text at init."""
        if self.handler_module:
            return f"Runtime.ImportModuleError: Unable to import module '{self.handler_module}': {error}"
        kinds = {"No module named": "ModuleNotFoundError", "No package metadata": "PackageNotFoundError"}
        kind = next((kind for start, kind in kinds.items() if error.startswith(start)), "ImportError")
        return f"{kind}: {error}\nRuntime.ExitError: Runtime exited with error: exit status 1"


class _Last:
    """The analysis made last: several families of rules ask for the same one, after each other."""

    analysis: Analysis | None = None
    subject: Subject | None = None


def of(subject: Subject) -> Analysis | None:
    """Returns the analysis of an image, None when its entrypoint leads to no Python; keeps the last."""
    if _Last.subject is not subject:
        python = interpreter.find(subject)
        _Last.analysis = None if python is None else Analysis(subject, python)
        _Last.subject = subject
    return _Last.analysis
