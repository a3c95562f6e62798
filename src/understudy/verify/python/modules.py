"""Which file a module name leads to, as `importlib` would find it over the image's search path.

Case-sensitive, extension modules before source before bytecode, namespace packages from all their parts.
What only running could tell (archives on the path, modules made at run time) is `opaque`, never missing.
"""

import posixpath
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from understudy.verify.model import Files

Kind = Literal["source", "extension", "bytecode", "package", "namespace", "builtin", "opaque"]

# Modules that some builds of CPython link into the interpreter and others keep as files; their absence from
# the disk says nothing.
_MAY_BE_BUILT_IN = frozenset(
    """
    array atexit audioop binascii builtins cmath errno faulthandler fcntl gc grp itertools marshal math mmap
    nis ossaudiodev posix pwd pyexpat readline resource select signal spwd sys syslog termios time unicodedata
    xxlimited xxsubtype zlib _hmac _interpchannels _interpqueues _interpreters _math_integer
    _remote_debugging _suggestions _sysconfig _testinternalcapi _types _zstd
    """.split()  # noqa: SIM905 - a list of forty strings says the same in eight times the space
)
_LIBRARY_MIN_NAMES = 50
_MADE_AT_RUN_TIME = (
    b"sys.modules",
    b"__path__",
    b"meta_path",
    b"__getattr__",
    b"lazy_loader",
    b"declare_namespace",
)
# Standard modules that others put into sys.modules.
_REGISTERED = frozenset({"collections.abc", "os.path", "typing.io", "typing.re"})
_ENDINGS = (".py", ".pyc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module that an import would find.

    Attributes:
        name: dotted.
        kind: ``package`` has an ``__init__``; ``opaque`` may or may not exist.
        path: the file that is executed; empty for namespace packages and those without a file.
        locations: where its submodules are looked for.
    """

    name: str
    kind: Kind
    path: str = ""
    locations: tuple[str, ...] = ()

    @property
    def is_package(self) -> bool:
        """Whether it can have submodules in files."""
        return self.kind in ("package", "namespace")


class Finder:
    """`importlib.machinery.PathFinder` over an image.

    Attributes:
        search_path: directories and archives in order.
    """

    def __init__(
        self,
        files: Files,
        search_path: Iterable[str],
        suffixes: Iterable[str],
        stdlib: str = "",
        mapped: Mapping[str, str] | None = None,
        loaded: Mapping[str, str] | None = None,
    ) -> None:
        """Looks into `search_path`.

        Args:
            files: of the image.
            search_path: `sys.path`.
            suffixes: of extension modules.
            stdlib: directory of the standard library; empty when it is not to be judged.
            mapped: modules that an editable install finds elsewhere, after the search path.
            loaded: top-level modules that were imported before the search path was, and from which directory.
        """
        self.search_path = tuple(search_path)
        self._files = files
        self._endings = (*suffixes, *_ENDINGS)
        self._stdlib = stdlib
        self._mapped = dict(mapped or {})
        self._loaded = dict(loaded or {})
        self._found: dict[str, Module | None] = {}
        self._listed: dict[str, frozenset[str]] = {}

    def with_path(self, search_path: Iterable[str]) -> "Finder":
        """A finder over another search path of the same image."""
        suffixes = self._endings[: -len(_ENDINGS)]
        other = Finder(self._files, search_path, suffixes, self._stdlib, self._mapped, self._loaded)
        other._listed = self._listed
        return other

    def find(self, name: str) -> Module | None:
        """Returns where `name` would be imported from, None when nothing has it."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def missing_part(self, name: str) -> str:
        """Returns the first part of a dotted name that nothing has; empty when all is there."""
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            part = ".".join(parts[:length])
            if self.find(part) is None:
                return part
        return ""

    def is_standard(self, name: str) -> bool:
        """Whether a top-level name belongs to the standard library of this Python or of the host's."""
        return name in sys.stdlib_module_names or name in _MAY_BE_BUILT_IN or self._in_library(name)

    def makes_modules(self, module: Module) -> bool:
        """Whether a module's own code may provide submodules that have no file, as `six` does."""
        if module.kind in ("extension", "bytecode", "builtin", "opaque"):
            return True
        if module.kind == "namespace":
            return False
        try:
            text = self._files.read(module.path)
        except FileNotFoundError:
            return True
        return any(mark in text for mark in _MADE_AT_RUN_TIME)

    def names(self, folder: str) -> frozenset[str]:
        """Names in a directory, remembered."""
        listed = self._listed.get(folder)
        if listed is None:
            listed = self._listed[folder] = frozenset(self._files.names(folder))
        return listed

    def _find(self, name: str) -> Module | None:
        parent, _, last = name.rpartition(".")
        if not parent:
            if last in sys.builtin_module_names and last in _MAY_BE_BUILT_IN:
                return Module(name=name, kind="builtin")
            path = (self._loaded[name],) if name in self._loaded else self.search_path
            return self._in(name, last, path) or self._mapped_to(name) or self._unlisted(last)
        above = self.find(parent)
        if above is None:
            return None
        if name in _REGISTERED or above.kind in ("opaque", "builtin"):
            return Module(name=name, kind="opaque")
        return self._in(name, last, above.locations) or self._mapped_to(name)

    def _mapped_to(self, name: str) -> Module | None:
        if name in self._mapped:
            folder, last = posixpath.split(self._mapped[name].removesuffix(".py"))
            return self._in(name, last, (folder,))
        # A namespace whose parts are mapped one by one.
        inner = any(key.startswith(f"{name}.") for key in self._mapped)
        return Module(name=name, kind="namespace") if inner else None

    def _in(self, name: str, last: str, folders: Iterable[str]) -> Module | None:
        portions: list[str] = []
        opaque = False
        for folder in folders:
            names = self.names(folder)
            if not names:
                node = self._files.resolve(folder)
                opaque = opaque or (node is not None and node.kind == "file")
                continue
            place = posixpath.join(folder, last)
            if last in names and self._is(place, "dir"):
                found = self._file(place, "__init__", self.names(place))
                if found:
                    return Module(name=name, kind="package", path=found, locations=(place,))
                portions.append(place)
            found = self._file(folder, last, names)
            if found:
                return Module(name=name, kind=_kind(found), path=found)
        if portions:
            return Module(name=name, kind="namespace", locations=tuple(portions))
        return Module(name=name, kind="opaque") if opaque else None

    def _file(self, folder: str, stem: str, names: frozenset[str]) -> str:
        for ending in self._endings:
            if f"{stem}{ending}" in names:
                path = posixpath.join(folder, f"{stem}{ending}")
                if self._is(path, "file"):
                    return path
        return ""

    def _is(self, path: str, kind: str) -> bool:
        node = self._files.resolve(path)
        return node is not None and node.kind == kind

    def _unlisted(self, name: str) -> Module | None:
        """Modules that need no file, or whose file a library kept elsewhere may have."""
        private = name.startswith("_") and name in sys.stdlib_module_names
        if name in _MAY_BE_BUILT_IN or private or name == "__main__":
            return Module(name=name, kind="builtin")
        if name in sys.stdlib_module_names and len(self.names(self._stdlib)) < _LIBRARY_MIN_NAMES:
            return Module(name=name, kind="opaque")
        return None

    def _in_library(self, name: str) -> bool:
        names = self.names(self._stdlib) if self._stdlib else frozenset[str]()
        return f"{name}.py" in names or (name in names and f"{name}/__init__.py" in names)


def _kind(path: str) -> Kind:
    if path.endswith(".so"):
        return "extension"
    return "bytecode" if path.endswith(".pyc") else "source"
