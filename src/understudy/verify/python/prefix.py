"""Where an interpreter's own files are: prefix, version, standard library, ABI tag, C library.

Follows CPython's `getpath.py` and `site.py` as far as files show it. Refuses to run the interpreter.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from understudy.verify.model import Files, Subject

Libc = Literal["glibc", "musl"]

_VERSIONED = re.compile(r"(python|pypy)(\d)\.(\d+)(t?)")
_LIBRARY_DIRS = ("lib", "lib64")
_EXTENSION = re.compile(r"\.((?:cpython|pypy)[\w-]+)\.so$")
_MULTIARCH = re.compile(r"_sysconfigdata_(t?)_linux_([\w-]+)\.py")
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualEnv:
    """What a ``pyvenv.cfg`` says.

    Attributes:
        prefix: the directory of the file.
        home: directory of the Python it was made from.
        system_packages: whether that Python's packages are seen too.
        version: as far as the file names one.
    """

    prefix: str
    home: str
    system_packages: bool
    version: tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """An installed Python.

    Attributes:
        prefix: ``sys.prefix``.
        base_prefix: ``sys.base_prefix``; differs in a virtual environment.
        version: major and minor.
        stdlib: directory of the standard library.
        name: of its library directory, ``python3.13``.
        venv: the virtual environment, if it is one.
        free_threaded: whether it is a build without the GIL.
    """

    prefix: str
    base_prefix: str
    version: tuple[int, int]
    stdlib: str
    name: str
    venv: VirtualEnv | None = None
    free_threaded: bool = False


def locate(files: Files, executable: str, environment: Mapping[str, str]) -> Prefix | None:
    """Returns the installation that `executable` belongs to, None when its standard library is nowhere."""
    venv = virtual_env(files, executable)
    real = _real(files, posixpath.join(venv.home, posixpath.basename(executable)) if venv else executable)
    if real is None and venv is not None:
        real = _real(files, executable) or posixpath.join(venv.home, "python3")
    folder = posixpath.dirname(real or executable)
    named = _named_version(real or "") or _named_version(executable) or (venv.version if venv else None)
    home = environment.get("PYTHONHOME", "").split(":")[0]
    for start in ([home] if home else []) + [folder]:
        found = _stdlib(files, start, named)
        if found is not None:
            base, stdlib = found
            match = _VERSIONED.fullmatch(posixpath.basename(stdlib))
            return Prefix(
                prefix=venv.prefix if venv else base,
                base_prefix=base,
                version=(int(match[2]), int(match[3])) if match else named or (3, 0),
                stdlib=stdlib,
                name=posixpath.basename(stdlib),
                venv=venv,
                free_threaded=bool(match and match[4]),
            )
    return None


def virtual_env(files: Files, executable: str) -> VirtualEnv | None:
    """Returns the virtual environment that `executable` starts, None when it starts none."""
    folder = posixpath.dirname(executable)
    for place in (folder, posixpath.dirname(folder)):
        path = posixpath.join(place, "pyvenv.cfg")
        node = files.resolve(path)
        if node is None or node.kind != "file":
            continue
        settings = _settings(files, path)
        if "home" not in settings:
            continue
        version = re.match(r"(\d+)\.(\d+)", settings.get("version") or settings.get("version_info") or "")
        return VirtualEnv(
            prefix=place,
            home=settings["home"],
            system_packages=settings.get("include-system-site-packages", "").lower() == "true",
            version=(int(version[1]), int(version[2])) if version else None,
        )
    return None


def soabi(files: Files, found: Prefix, machine: str, libc: Libc) -> str:
    """Returns the tag of extension modules built for this Python: ``cpython-313-x86_64-linux-gnu``."""
    names = files.names(posixpath.join(found.stdlib, "lib-dynload"))
    tags = Counter(match[1] for name in names if (match := _EXTENSION.search(name)))
    if tags:
        return tags.most_common(1)[0][0]
    tag = f"cpython-{found.version[0]}{found.version[1]}{'t' if found.free_threaded else ''}"
    for name in files.names(found.stdlib):
        match = _MULTIARCH.fullmatch(name)
        if match is not None:
            return f"{tag}-{match[2]}"
    return f"{tag}-{_MACHINES.get(machine, machine)}-linux-{'musl' if libc == 'musl' else 'gnu'}"


def machine_and_libc(subject: Subject, executable: str) -> tuple[str, Libc]:
    """Returns the architecture, in Lambda's words, and the C library that an executable is built for."""
    elf = subject.files.elf(executable)
    if elf is not None and elf.interpreter:
        return elf.machine, "musl" if "ld-musl" in elf.interpreter else "glibc"
    musl = any(name.startswith("ld-musl-") for name in subject.files.names("/lib"))
    return (elf.machine if elf is not None else subject.architecture), "musl" if musl else "glibc"


def _settings(files: Files, path: str) -> dict[str, str]:
    text = files.head(path)
    if len(text) >= 512:
        text = files.read(path)
    pairs = (line.partition("=") for line in text.decode("utf-8", "replace").splitlines())
    return {key.strip().lower(): value.strip() for key, sign, value in pairs if sign}


def _real(files: Files, path: str) -> str | None:
    node = files.resolve(path)
    return node.path if node is not None and node.kind == "file" else None


def _named_version(path: str) -> tuple[int, int] | None:
    match = _VERSIONED.fullmatch(posixpath.basename(path))
    return (int(match[2]), int(match[3])) if match else None


def _stdlib(files: Files, start: str, version: tuple[int, int] | None) -> tuple[str, str] | None:
    """The prefix at or above `start` and its standard library, by the landmark that getpath looks for."""
    place = start
    while True:
        for library in _LIBRARY_DIRS:
            folder = posixpath.join(place, library)
            names = [name for name in files.names(folder) if _VERSIONED.fullmatch(name)]
            for name in sorted(names, key=lambda name: (_named_version(name) != version, name)):
                if version is not None and _named_version(name) != version:
                    continue
                stdlib = posixpath.join(folder, name)
                if files.resolve(f"{stdlib}/os.py") or files.resolve(f"{stdlib}/os.pyc"):
                    return place, stdlib
        if place == "/":
            return None
        place = posixpath.dirname(place)
