"""Extension modules of an image: what each is called, what its name says it was built for, whose it is.

Looks where Python looks, at names alone. Test data and what no import statement can name is left out.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from understudy.verify.model import Files
from understudy.verify.python import distributions
from understudy.verify.python.distributions import Distribution
from understudy.verify.python.interpreter import Interpreter

_TAGGED = re.compile(
    r"\.(?P<kind>cpython|pypy|graalpy)-?(?P<digits>\d+)(?P<flags>[a-z]*)(?:-(?P<platform>[\w-]+))?\.so"
)
_WINDOWS = re.compile(r"(?:\.cp(?P<digits>\d+)(?P<flags>t?)-(?P<platform>\w+))?\.pyd")
_RECORDED = re.compile(r'^"?([^",\r\n]+\.(?:so|pyd))"?,', re.MULTILINE)
_TAG_LINE = re.compile(r"^Tag:\s*(\S+)", re.MULTILINE)
_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64", "amd64": "x86_64"}
_LEFT_OUT = frozenset({"__pycache__", "test", "tests", "testing_data", "examples"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What an extension module was built for, as far as its name tells; empty fields are open.

    Attributes:
        python: ``3.12``; with the implementation when that is not CPython.
        machine: in Lambda's words.
        libc: ``glibc`` or ``musl``.
        system: ``linux``, ``macOS`` or ``Windows``.
    """

    python: str = ""
    machine: str = ""
    libc: str = ""
    system: str = "linux"

    def __str__(self) -> str:
        parts = [f"Python {self.python}" if self.python else "", self.machine, self.libc]
        if self.system != "linux":
            parts.append(self.system)
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """One file that is, or is meant to be, an extension module.

    Attributes:
        path: of the file.
        root: the directory of the search path that has it.
        module: dotted name it would be imported by.
        suffix: what follows the module's name.
        build: what the suffix says.
    """

    path: str
    root: str
    module: str
    suffix: str
    build: Build

    @property
    def is_tagged(self) -> bool:
        """Whether its name marks it as an extension module; others may be libraries for `ctypes`."""
        return self.suffix != ".so"


@dataclass(slots=True, kw_only=True)
class Owners:
    """Which distribution a file belongs to.

    Attributes:
        all: installed ones, in the order of the search path.
        recorded: extension modules that RECORD files list, by path.
    """

    all: tuple[Distribution, ...]
    recorded: dict[str, Distribution] = field(default_factory=dict)

    def of(self, path: str, root: str) -> Distribution | None:
        """The distribution of the file at `path` below `root`."""
        found = self.recorded.get(path)
        if found is not None:
            return found
        top = path.removeprefix(f"{root}/").split("/", 1)[0].split(".", 1)[0]
        return next((item for item in self.all if item.folder == root and top in item.modules), None)


def extensions(files: Files, python: Interpreter) -> tuple[Extension, ...]:
    """Returns the extension modules on the search path of `python`, those it cannot load included."""
    roots = tuple(root for root in python.search_path if files.names(root))
    return tuple(item for root in roots for item in _below(files, root, root, "", roots))


def owners(files: Files, python: Interpreter) -> Owners:
    """Returns who owns which extension module."""
    found = Owners(all=distributions.installed(files, python.search_path))
    for item in found.all:
        for path in recorded(files, item):
            found.recorded.setdefault(path, item)
    return found


def recorded(files: Files, distribution: Distribution) -> tuple[str, ...]:
    """Returns the absolute paths of extension modules and libraries that a RECORD lists."""
    text = _text(files, f"{distribution.metadata}/RECORD")
    return tuple(f"{distribution.folder}/{path}" for path in _RECORDED.findall(text) if ".." not in path)


def wheel_tags(files: Files, distribution: Distribution) -> tuple[str, ...]:
    """Returns the compatibility tags in a distribution's WHEEL file."""
    return tuple(_TAG_LINE.findall(_text(files, f"{distribution.metadata}/WHEEL")))


def fits(tags: Iterable[str], version: tuple[int, int]) -> bool:
    """Whether one of `tags` is for CPython `version`; its platform is left to those who see the files."""
    for tag in tags:
        python, abi, *_ = (*tag.split("-"), "", "")
        for name in python.split("."):
            digits = name[2:]
            if name.startswith("py") or not digits.isdigit():
                return True
            wanted = (int(digits[0]), int(digits[1:] or 0))
            if wanted == version or (abi == "abi3" and wanted <= version):
                return True
    return False


def named(name: str, root: str, folder: str, package: str) -> Extension | None:
    """Returns the extension module that `name` in `folder` would be, `None` when it would be none."""
    stem, dot, _ = name.partition(".")
    suffix = name[len(stem) :]
    if not dot or not stem.isidentifier():
        return None
    module = f"{package}.{stem}" if package else stem
    build = _build(suffix)
    if build is None or (suffix == ".so" and stem.startswith("lib")):
        return None
    return Extension(path=f"{folder}/{name}", root=root, module=module, suffix=suffix, build=build)


def _below(files: Files, root: str, folder: str, package: str, roots: tuple[str, ...]) -> Iterator[Extension]:
    for name in files.names(folder):
        if name.endswith((".so", ".pyd")):
            found = named(name, root, folder, package)
            if found is not None:
                yield found
        elif "." not in name and name.isidentifier() and name not in _LEFT_OUT:
            path = f"{folder}/{name}"
            node = files.get(path)
            if node is not None and node.kind == "dir" and path not in roots:
                inner = f"{package}.{name}" if package else name
                yield from _below(files, root, path, inner, roots)


def _build(suffix: str) -> Build | None:
    if suffix in {".so", ".abi3.so"}:
        return Build()
    match = _TAGGED.fullmatch(suffix)
    if match is not None:
        version = _version(match["digits"])
        if match["kind"] != "cpython":
            version = f"{match['kind']} {version}"
        return _platform(version + ("t" if "t" in match["flags"] else ""), match["platform"] or "")
    match = _WINDOWS.fullmatch(suffix)
    if match is None:
        return None
    machine = _MACHINES.get((match["platform"] or "").removeprefix("win_"), "")
    return Build(python=_version(match["digits"] or ""), machine=machine, system="Windows")


def _version(digits: str) -> str:
    return f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits


def _platform(version: str, platform: str) -> Build:
    if platform == "darwin":
        return Build(python=version, system="macOS")
    # PyPy puts the version of its own ABI before the platform.
    first, _, rest = platform.removeprefix("pp").partition("-")
    if first.isdigit():
        first, _, rest = rest.partition("-")
    libc = "musl" if "musl" in rest else "glibc" if "gnu" in rest else ""
    return Build(python=version, machine=_MACHINES.get(first, first), libc=libc)


def _text(files: Files, path: str) -> str:
    try:
        return files.read(path).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
