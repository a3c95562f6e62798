"""What importing the handler surely reads: the files behind the imports of the user's code.

One step into other people's packages and no further: their own imports are too often optional.
"""

import ast
import posixpath

from understudy.verify.model import Severity, Subject
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.closure import package_of
from understudy.verify.python.importmodel import Import, Reach
from understudy.verify.python.modules import Module
from understudy.verify.rules import entry_user_code

_CLIENT = "awslambdaric"
_REFUSALS = ("PermissionError", "OSError", "IOError", "EnvironmentError")


class Needs:
    """The files that the handler's import surely opens.

    Attributes:
        modules: by path of the file, in the order in which they are imported.
        guarded: files that are opened unless something before them is missing: what surrounds their import
            takes an ImportError, and no PermissionError.
    """

    def __init__(self, subject: Subject, known: Analysis) -> None:
        """Reads them off the closure of `known`."""
        self._subject = subject
        self._known = known
        closure = known.closure
        client = known.finder.find(_CLIENT)
        found = [client] if client is not None else []
        found += [v.module for v in closure.visits.values() if v.reach is Reach.SURE and not v.caught]
        self.modules: dict[str, Module] = {module.path: module for module in found if module.path}
        self.guarded: frozenset[str] = frozenset(
            visit.module.path
            for visit in closure.visits.values()
            if visit.reach is Reach.SURE and visit.caught and not visit.swallows(*_REFUSALS)
        )
        self._tops = {module.name.split(".")[0] for module in self.modules.values()}

    def below(self, folder: str) -> list[Module]:
        """The needed modules in `folder`, those that are read first first."""
        return [module for path, module in self.modules.items() if path.startswith(f"{folder}/")]

    def taken_from(self, package: str, folder: str) -> str:
        """A name that the user's code outside of `folder` takes from `package`; empty when it takes none."""
        for path, facts in self._known.closure.facts.items():
            importer = self.modules.get(path)
            if importer is None or path.startswith(f"{folder}/"):
                continue
            for found in facts.imports:
                sure = found.context.reach is Reach.SURE and found.names and not found.is_star
                if sure and _absolute(importer, found) == package:
                    return found.names[0]
        return ""

    def severity(self, path: str) -> Severity:
        """What it means that the code in `path` cannot be read, if it is not surely needed."""
        if path in self.guarded:
            return Severity.MAY_FAIL
        for root in sorted(self._known.python.search_path, key=len, reverse=True):
            if path.startswith(f"{root}/"):
                top = path.removeprefix(f"{root}/").split("/")[0].split(".")[0]
                return Severity.MAY_FAIL if top in self._tops else Severity.INFO
        return Severity.INFO

    def mentions(self, path: str) -> bool:
        """Whether the user's code has the name of the data file `path` in a string."""
        name = posixpath.basename(path)
        return any(
            isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(name)
            for module in entry_user_code.modules(self._subject)
            if module.has(name.encode())
            for node in module.nodes
        )


def _absolute(importer: Module, found: Import) -> str:
    if not found.level:
        return found.module
    parts = package_of(importer).split(".")
    return ".".join(filter(None, [*parts[: len(parts) - found.level + 1], found.module]))
