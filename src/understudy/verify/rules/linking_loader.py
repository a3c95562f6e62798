"""The dynamic loader over an image's files: which library a name leads to, and what cannot be found.

glibc's ld.so(8) and musl's search orders, with the LD_LIBRARY_PATH that the process has on Lambda. Breadth
first, as `dlopen` loads, so that the first thing missing here is the one AWS shows. Refuses to look at
symbols: only files and the versions they define.
"""

import fnmatch
import posixpath
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from understudy.verify.model import Elf, Files, Subject
from understudy.verify.python.interpreter import Interpreter

_MULTIARCH = {"x86_64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_CACHE = "/etc/ld.so.cache"
_CACHE_MAGIC = b"glibc-ld.so.cache1.1"
_CACHE_HEADER = struct.Struct("<20sIIB3xI3I")
_CACHE_ENTRY = struct.Struct("<iIIIQ")
_CONF_DEPTH = 4
_OBJECTS_MAX = 400
# musl is its own libc, libm and so on, under whatever name they are asked for (ldso/dynlink.c).
_MUSL_RESERVED = ("libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One object in memory.

    Attributes:
        path: as it was found, links not followed; what the loader prints.
        elf: its facts.
        parents: the objects that asked for it, the nearest first.
    """

    path: str
    elf: Elf
    parents: tuple["Loaded", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingLibrary:
    """A library that no directory of the search has.

    Attributes:
        name: as DT_NEEDED writes it.
        needed_by: path of the object that needs it.
        damage: why the file that was found cannot be loaded, with its path; empty when none was found.
    """

    name: str
    needed_by: str
    damage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingVersion:
    """A symbol version that the library found does not define.

    Attributes:
        library: path of the library, as found.
        version: ``GLIBC_2.38``.
        needed_by: path of the object that needs it.
    """

    library: str
    version: str
    needed_by: str


@dataclass(slots=True, kw_only=True)
class Closure:
    """What loading an object brings in, and what it lacks.

    Attributes:
        objects: by the names they answer to.
        libraries: missing, first to last.
        versions: missing, first to last.
    """

    objects: dict[str, Loaded] = field(default_factory=dict)
    libraries: list[MissingLibrary] = field(default_factory=list)
    versions: list[MissingVersion] = field(default_factory=list)


class Loader:
    """The loader of one Python process of an image.

    Attributes:
        process: what is in memory when the interpreter runs.
    """

    def __init__(self, subject: Subject, python: Interpreter) -> None:
        """Takes the search path from the environment that the process has on Lambda."""
        self._files: Files = subject.files
        self._machine = python.machine
        self._musl = python.libc == "musl"
        variable = subject.launch.environment.get("LD_LIBRARY_PATH", "")
        working_dir = subject.launch.working_dir or "/"
        folders = variable.replace(";", ":").split(":") if variable else []
        self._library_path = tuple(posixpath.join(working_dir, folder) for folder in folders)
        self._defaults = self._default_folders()
        self._cached = {} if self._musl else _cache(self._files)
        self._found: dict[tuple[str, tuple[str, ...]], str] = {}
        self._copies: dict[str, list[str]] | None = None
        self.process = Closure()
        elf = self._files.elf(python.executable)
        if elf is not None:
            self._load(Loaded(path=python.executable, elf=elf), self.process)

    def closure(self, path: str) -> Closure:
        """Returns what `dlopen` of the file at `path` brings in and lacks, the process being as it is."""
        found = Closure(objects=dict(self.process.objects))
        elf = self._files.elf(path)
        if elf is not None and not elf.damaged:
            self._load(Loaded(path=path, elf=elf), found)
        return found

    def defined(self, library: str) -> frozenset[str]:
        """Returns the symbol versions that the process's own `library` defines."""
        loaded = self.process.objects.get(library)
        return loaded.elf.defines if loaded is not None else frozenset()

    def copies(self, name: str) -> tuple[str, ...]:
        """Returns every place in the image that has a library of that name for this machine."""
        if self._copies is None:
            self._copies = {}
            for node in self._files.walk():
                if ".so" in node.path and node.kind != "dir":
                    self._copies.setdefault(posixpath.basename(node.path), []).append(node.path)
        return tuple(path for path in self._copies.get(name, ()) if self._usable(path) is not None)

    def in_configured_folder(self, name: str) -> str:
        """Returns where ``ldconfig`` would find a library that the loader does not; empty if nowhere."""
        for folder in _configured(self._files):
            path = posixpath.join(folder, name)
            if self._usable(path) is not None:
                return path
        return ""

    def _load(self, first: Loaded, into: Closure) -> None:
        queue = [first]
        self._enter(first, first.path, into)
        fresh: list[Loaded] = []
        while queue and len(fresh) < _OBJECTS_MAX:
            loaded = queue.pop(0)
            fresh.append(loaded)
            for name in loaded.elf.needed:
                if name in into.objects or (self._musl and name.startswith(_MUSL_RESERVED)):
                    continue
                path = self._find(name, loaded)
                elf = self._files.elf(path) if path else None
                if elf is None or elf.damaged:
                    damage = f"{path}: {elf.damaged}" if elf is not None else ""
                    into.libraries.append(MissingLibrary(name=name, needed_by=loaded.path, damage=damage))
                    continue
                child = Loaded(path=path, elf=elf, parents=(loaded, *loaded.parents))
                self._enter(child, name, into)
                queue.append(child)
        if not self._musl:
            for loaded in fresh:
                into.versions += _lacking(loaded, into)

    def _enter(self, loaded: Loaded, name: str, into: Closure) -> None:
        into.objects[name] = loaded
        if loaded.elf.soname:
            into.objects.setdefault(loaded.elf.soname, loaded)

    def _find(self, name: str, asker: Loaded) -> str:
        """Where `name` is found, links not followed; empty when nowhere."""
        if "/" in name:
            return name if self._usable(name) is not None else ""
        chain = (asker, *asker.parents)
        if self._musl:
            own = [
                folder for item in chain for folder in self._own(item, (*item.elf.rpath, *item.elf.runpath))
            ]
            return self._first(name, (*self._library_path, *own, *self._defaults))
        before: list[str] = []
        if not asker.elf.runpath:
            for item in chain:
                if not item.elf.runpath:
                    before += self._own(item, item.elf.rpath)
        own = self._own(asker, asker.elf.runpath)
        found = self._first(name, (*before, *self._library_path, *own))
        cached = self._cached.get(name, ())
        return (
            found
            or next((path for path in cached if self._usable(path)), "")
            or self._first(name, self._defaults)
        )

    def _own(self, item: Loaded, folders: Iterable[str]) -> list[str]:
        node = self._files.resolve(item.path)
        origin = posixpath.dirname(node.path if node is not None else item.path)
        library = "lib64" if not self._musl else "lib"
        expanded = []
        for folder in folders:
            text = folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
            expanded.append(posixpath.normpath(text.replace("${LIB}", library).replace("$LIB", library)))
        return expanded

    def _first(self, name: str, folders: tuple[str, ...]) -> str:
        key = (name, folders)
        if key not in self._found:
            paths = (posixpath.join(folder, name) for folder in folders)
            self._found[key] = next((path for path in paths if self._usable(path) is not None), "")
        return self._found[key]

    def _usable(self, path: str) -> Elf | None:
        """The library at `path`; those of another machine or class are passed over, wrecks are not."""
        elf = self._files.elf(path)
        if elf is None or elf.damaged:
            return elf
        return elf if elf.machine == self._machine and elf.bits == 64 else None

    def _default_folders(self) -> tuple[str, ...]:
        multiarch = _MULTIARCH.get(self._machine, "")
        if self._musl:
            cpu = multiarch.partition("-")[0]
            text = _text(self._files, f"/etc/ld-musl-{cpu}.path")
            own = tuple(part for part in text.replace("\n", ":").split(":") if part)
            return own or ("/lib", "/usr/local/lib", "/usr/lib")
        own = (f"/lib/{multiarch}", f"/usr/lib/{multiarch}") if multiarch else ()
        # Debian's glibc adds the first two; of the others each distribution has two, and a library for the
        # right machine in the wrong one of them is not worth a false alarm.
        return (*own, "/lib64", "/usr/lib64", "/lib", "/usr/lib")


def _lacking(loaded: Loaded, into: Closure) -> Iterator[MissingVersion]:
    for library, versions in loaded.elf.requires.items():
        provider = into.objects.get(library)
        if provider is None or not provider.elf.defines:
            continue  # glibc only warns of a library without any versions
        for version in sorted(versions - provider.elf.defines, key=version_key):
            yield MissingVersion(library=provider.path, version=version, needed_by=loaded.path)


def version_key(version: str) -> tuple[str, tuple[int, ...]]:
    """Orders ``GLIBC_2.4`` before ``GLIBC_2.34``."""
    name, _, numbers = version.rpartition("_")
    return name, tuple(int(part) for part in numbers.split(".") if part.isdigit())


def _cache(files: Files) -> dict[str, tuple[str, ...]]:
    """The paths in ``ld.so.cache`` by library name; empty when there is none or it is of an old form."""
    try:
        data = files.read(_CACHE)
    except FileNotFoundError:
        return {}
    start = data.find(_CACHE_MAGIC)
    if start < 0 or len(data) < start + _CACHE_HEADER.size:
        return {}
    count = _CACHE_HEADER.unpack_from(data, start)[1]
    found: dict[str, tuple[str, ...]] = {}
    for number in range(count):
        at = start + _CACHE_HEADER.size + number * _CACHE_ENTRY.size
        if at + _CACHE_ENTRY.size > len(data):
            break
        _, name, path, _, _ = _CACHE_ENTRY.unpack_from(data, at)
        key = _string(data, start + name)
        found[key] = (*found.get(key, ()), _string(data, start + path))
    return found


def _string(data: bytes, at: int) -> str:
    end = data.find(b"\0", at)
    return data[at:end].decode("utf-8", "replace") if 0 <= at < end else ""


def _configured(files: Files) -> tuple[str, ...]:
    """Directories that ``ld.so.conf`` names; only ``ldconfig`` reads it."""
    return tuple(dict.fromkeys(_conf(files, "/etc/ld.so.conf", _CONF_DEPTH)))


def _conf(files: Files, path: str, depth: int) -> Iterator[str]:
    for line in _text(files, path).splitlines():
        words = line.split("#", 1)[0].replace(",", " ").split()
        if words[:1] == ["include"] and depth:
            for pattern in words[1:]:
                folder, name = posixpath.split(posixpath.join("/etc", pattern))
                for entry in fnmatch.filter(files.names(folder), name):
                    yield from _conf(files, posixpath.join(folder, entry), depth - 1)
        elif words and words[0].startswith("/"):
            yield from words


def _text(files: Files, path: str) -> str:
    try:
        return files.read(path).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
