"""`sys.path` as the handler's imports see it, in order.

Follows `site.py`, CPython's path configuration and the bootstrap of AWS's images (python3.11 and later put
the interpreter's own packages before /var/runtime; earlier ones do not). Refuses to run the code that
``.pth`` files may hold: such files are named instead, because they may change what can be imported.
"""

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from understudy.verify.model import Files, Launch
from understudy.verify.python.prefix import Prefix
from understudy.verify.python.startup import Start

_DISTRO = "/usr"
# Their import lines add nothing that the other modules of this package would not find: namespace packages
# of setuptools, the distutils shim, virtualenv's own patch, coverage's start.
_HARMLESS_HOOK = re.compile(r"(?:.*-nspkg|distutils-precedence|_virtualenv|a1_coverage|.*cov.*)\.pth")
SERVERS = frozenset({"daphne", "granian", "gunicorn", "hypercorn", "uvicorn"})
"""Programs that are told what to import as MODULE:ATTRIBUTE and put the working directory first."""

_VALUE_OPTIONS = "cmWXQ"
_VAR_LANG_SINCE = (3, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPath:
    """Where modules are looked for.

    Attributes:
        entries: directories and archives in order, none twice.
        site_dirs: those of them whose ``.pth`` files are read.
        hooks: ``.pth`` files whose import lines may change what is found.
    """

    entries: tuple[str, ...]
    site_dirs: tuple[str, ...]
    hooks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The interpreter's own options and what it runs.

    Attributes:
        flags: single letters, ``I``, ``E``, ``s``, ``S``, ``P`` among them.
        module: of ``-m``; empty otherwise.
        script: of a script; empty otherwise.
        rest: arguments of the module or script.
    """

    flags: frozenset[str]
    module: str
    script: str
    rest: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class _Paths:
    """`sys.path` while it is put together."""

    files: Files
    entries: list[str] = field(default_factory=list)
    site_dirs: list[str] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)

    def add(self, path: str) -> None:
        if path not in self.entries:
            self.entries.append(path)

    def add_site(self, path: str) -> None:
        """`site.addsitedir`."""
        if not self.files.names(path):
            return
        self.add(path)
        if path in self.site_dirs:
            return
        self.site_dirs.append(path)
        for name in self.files.names(path):
            if name.endswith(".pth") and not name.startswith("."):
                self._pth(path, name)

    def _pth(self, folder: str, name: str) -> None:
        path = posixpath.join(folder, name)
        for line in pth_lines(self.files, path):
            if line.startswith(("import ", "import\t")):
                if not _HARMLESS_HOOK.fullmatch(name) and path not in self.hooks:
                    self.hooks.append(path)
                continue
            target = posixpath.normpath(posixpath.join(folder, line))
            if self.files.resolve(target) is not None:
                self.add(target)


def pth_lines(files: Files, path: str) -> tuple[str, ...]:
    """Returns the lines of a ``.pth`` file that do something."""
    try:
        head = files.head(path)
        text = head if len(head) < 512 else files.read(path)
    except FileNotFoundError:
        return ()
    lines = (line.strip() for line in text.decode("utf-8", "replace").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def options(arguments: Sequence[str]) -> Options:
    """Returns what a Python command line says."""
    flags: set[str] = set()
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word.startswith("--"):
            if word == "--check-hash-based-pycs" and rest:
                rest.pop(0)
            continue
        for place, letter in enumerate(word[1:], start=1):
            if letter not in _VALUE_OPTIONS:
                flags.add(letter)
                continue
            value = word[place + 1 :] or (rest.pop(0) if rest else "")
            if letter in "mc":
                module = value if letter == "m" else ""
                return Options(flags=frozenset(flags), module=module, script="", rest=tuple(rest))
            break
    script = rest.pop(0) if rest else ""
    return Options(flags=frozenset(flags), module="", script=script, rest=tuple(rest))


def of(files: Files, launch: Launch, start: Start, found: Prefix, *, aws: bool) -> SearchPath:
    """Returns the search path of the handler.

    Args:
        files: of the image.
        launch: environment and working directory.
        start: how Python is started.
        found: the installation.
        aws: whether AWS's bootstrap runs before the handler.
    """
    chosen = options(start.arguments)
    paths = _Paths(files=files)
    isolated = "I" in chosen.flags
    environment = {} if isolated or "E" in chosen.flags else dict(launch.environment)
    if aws:
        _aws_first(paths, launch, found)
    for entry in _started(files, launch, chosen, environment):
        paths.add(entry)
    for entry in _from_variable(environment.get("PYTHONPATH", ""), launch.working_dir):
        paths.add(entry)
    library = posixpath.dirname(found.stdlib)
    major, minor = found.version
    for entry in (f"{library}/python{major}{minor}.zip", found.stdlib, f"{found.stdlib}/lib-dynload"):
        if files.resolve(entry) is not None:
            paths.add(entry)
    if "S" not in chosen.flags:
        user = not isolated and "s" not in chosen.flags and not environment.get("PYTHONNOUSERSITE")
        for entry in _site_dirs(files, found, environment if user else None):
            paths.add_site(entry)
    if aws:
        _aws_sites(paths, launch, found)
    return SearchPath(
        entries=tuple(paths.entries), site_dirs=tuple(paths.site_dirs), hooks=tuple(paths.hooks)
    )


def task_root(launch: Launch) -> str:
    """Returns the directory of the function's code on AWS's base."""
    return launch.environment.get("LAMBDA_TASK_ROOT", "/var/task").rstrip("/") or "/"


def user_site(environment: dict[str, str], name: str) -> str:
    """Returns where ``pip install --user`` puts packages for the user that Lambda runs as."""
    home = environment.get("HOME", "/home/sbx_user1051")
    return f"{environment.get('PYTHONUSERBASE') or f'{home}/.local'}/lib/{name}/site-packages"


def _aws_first(paths: _Paths, launch: Launch, found: Prefix) -> None:
    paths.add(task_root(launch))
    if "PYTHONPATH" in launch.environment:
        return
    paths.add(f"/opt/python/lib/{found.name}/site-packages")
    paths.add("/opt/python")
    if found.version >= _VAR_LANG_SINCE:
        paths.add(f"/var/lang/lib/{found.name}/site-packages")


def _aws_sites(paths: _Paths, launch: Launch, found: Prefix) -> None:
    paths.add_site(task_root(launch))
    if "PYTHONPATH" not in launch.environment:
        paths.add_site(f"/opt/python/lib/{found.name}/site-packages")
        paths.add_site("/opt/python")


def _started(files: Files, launch: Launch, chosen: Options, environment: dict[str, str]) -> Iterable[str]:
    """The first entry: where the script is, or the working directory for ``-m``."""
    if chosen.flags & {"I", "P"} or environment.get("PYTHONSAFEPATH"):
        return
    if chosen.module or not chosen.script:
        yield launch.working_dir or "/"
        return
    if posixpath.basename(chosen.script) in SERVERS:
        yield launch.working_dir or "/"
    path = posixpath.normpath(posixpath.join(launch.working_dir or "/", chosen.script))
    node = files.resolve(path)
    if node is not None and node.kind == "dir":
        yield path
    else:
        yield posixpath.dirname(node.path if node is not None else path)


def _from_variable(value: str, working_dir: str) -> Iterable[str]:
    if not value:
        return
    for entry in value.split(":"):
        yield posixpath.normpath(posixpath.join(working_dir or "/", entry))


def _site_dirs(files: Files, found: Prefix, environment: dict[str, str] | None) -> Iterable[str]:
    """`site.getusersitepackages` and `site.getsitepackages`, each where the environment sees it."""
    venv = found.venv
    if environment is not None and (venv is None or venv.system_packages):
        path = user_site(environment, found.name)
        if traversable(files, path):
            yield path
    if venv is not None:
        yield from _packages(files, venv.prefix, found)
        if not venv.system_packages:
            return
    yield from _packages(files, found.base_prefix, found)


def _packages(files: Files, prefix: str, found: Prefix) -> Iterable[str]:
    if prefix == _DISTRO and files.names("/usr/lib/python3/dist-packages"):
        yield f"/usr/local/lib/{found.name}/dist-packages"
        yield "/usr/lib/python3/dist-packages"
        yield f"/usr/lib/{found.name}/dist-packages"
        return
    if prefix == _DISTRO:
        # Fedora, Amazon Linux and Alpine keep what pip installs apart in /usr/local.
        yield f"/usr/local/lib64/{found.name}/site-packages"
        yield f"/usr/local/lib/{found.name}/site-packages"
    yield f"{prefix}/lib64/{found.name}/site-packages"
    yield f"{prefix}/lib/{found.name}/site-packages"


def traversable(files: Files, path: str) -> bool:
    """Whether a user who owns nothing can look into a directory."""
    node = files.resolve(path)
    if node is None or node.kind != "dir":
        return False
    place = node.path
    while place != "/":
        folder = files.get(place)
        if folder is None or not folder.mode & 0o001:
            return False
        place = posixpath.dirname(place)
    return True
