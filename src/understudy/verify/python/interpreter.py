"""The Python that runs the handler, known from the image's files alone.

Everything that rules need to judge packages by: version, ABI, C library, bytecode magic and where modules are
looked for. Refuses to start it.
"""

import posixpath
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from understudy.verify.model import Files, Subject
from understudy.verify.python import prefix as prefixes
from understudy.verify.python import searchpath, startup
from understudy.verify.python.prefix import Libc, Prefix
from understudy.verify.python.startup import Start

# CPython, Include/internal/pycore_magic_number.h: the number of each release; later ones are read off the
# image's own standard library.
_MAGIC_NUMBERS = {
    (3, 8): 3413,
    (3, 9): 3425,
    (3, 10): 3439,
    (3, 11): 3495,
    (3, 12): 3531,
    (3, 13): 3571,
    (3, 14): 3627,
}
_MAGIC_END = b"\r\n"
_SAMPLES = 40
_CLIENT = "awslambdaric"
_RUNTIME_DIR = "/var/runtime"
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """One Python of an image, as the entrypoint starts it.

    Attributes:
        executable: absolute path as started; in a virtual environment that of the environment.
        real_executable: what it leads to.
        arguments: what the entrypoint passes it.
        version: major and minor.
        implementation: ``pypy`` has no rule of its own.
        soabi: tag of extension modules, ``cpython-313-x86_64-linux-gnu``.
        machine: of the executable, in Lambda's words.
        libc: that the executable is linked against.
        magic: first four bytes of its bytecode; empty when unknown.
        prefix: ``sys.prefix``.
        stdlib: directory of the standard library.
        is_aws_base: whether AWS's bootstrap runs before the handler (the stand-in's counts).
        task_root: ``LAMBDA_TASK_ROOT`` on AWS's base, the working directory elsewhere.
        search_path: `sys.path` in order when the handler is imported.
        site_dirs: those of them whose ``.pth`` files are read.
        hooks: ``.pth`` files and exec wrappers that may change what can be imported.
        handler: what the runtime client is given; empty when there is no client or no handler.
        entry_module: module that is imported at init; empty when it is a script or unknown.
        entry_script: script that is run instead; empty otherwise.
        traced: False when the entrypoint is broken and this is the Python it most likely means.
    """

    executable: str
    real_executable: str
    arguments: tuple[str, ...]
    version: tuple[int, int]
    implementation: Literal["cpython", "pypy"]
    soabi: str
    machine: str
    libc: Libc
    magic: bytes
    prefix: str
    stdlib: str
    is_aws_base: bool
    task_root: str
    search_path: tuple[str, ...]
    site_dirs: tuple[str, ...]
    hooks: tuple[str, ...] = ()
    handler: str = ""
    entry_module: str = ""
    entry_script: str = ""
    traced: bool = True

    @property
    def version_text(self) -> str:
        """``3.13``."""
        return f"{self.version[0]}.{self.version[1]}"

    @property
    def extension_suffixes(self) -> tuple[str, ...]:
        """Endings of extension modules that it loads, in the order it tries them."""
        if self.implementation == "pypy":
            return (f".{self.soabi}.so",)
        return (f".{self.soabi}.so", ".abi3.so", ".so")


def find(subject: Subject) -> Interpreter | None:
    """Returns the Python that the effective entrypoint leads to, None when it leads to none."""
    start = startup.trace(subject)
    if start is None:
        return None
    found = prefixes.locate(subject.files, start.executable, subject.launch.environment)
    return None if found is None else _described(subject, start, found)


def _described(subject: Subject, start: Start, found: Prefix) -> Interpreter:
    files, launch = subject.files, subject.launch
    node = files.resolve(start.executable)
    real = node.path if node is not None else start.executable
    machine, libc = prefixes.machine_and_libc(subject, real)
    aws = _is_aws(start)
    paths = searchpath.of(files, launch, start, found, aws=aws)
    wrapper = launch.environment.get("AWS_LAMBDA_EXEC_WRAPPER", "") if aws else ""
    handler, module, script = _entry(subject, start, aws=aws)
    return Interpreter(
        executable=start.executable,
        real_executable=real,
        arguments=start.arguments,
        version=found.version,
        implementation="pypy" if "pypy" in posixpath.basename(real) else "cpython",
        soabi=prefixes.soabi(files, found, machine, libc),
        machine=machine,
        libc=libc,
        magic=_magic(files, found),
        prefix=found.prefix,
        stdlib=found.stdlib,
        is_aws_base=aws,
        task_root=searchpath.task_root(launch) if aws else launch.working_dir or "/",
        search_path=paths.entries,
        site_dirs=paths.site_dirs,
        hooks=(*([wrapper] if wrapper else []), *paths.hooks),
        handler=handler,
        entry_module=module,
        entry_script=script,
        traced=start.traced,
    )


def _is_aws(start: Start) -> bool:
    script = searchpath.options(start.arguments).script
    return posixpath.dirname(script) == _RUNTIME_DIR


def _entry(subject: Subject, start: Start, *, aws: bool) -> tuple[str, str, str]:
    """Handler, module and script: what the process is told to run."""
    launch = subject.launch
    chosen = searchpath.options(start.arguments)
    if aws:
        words = [*launch.entrypoint, *launch.command][1:]
        handler = words[-1] if words else launch.environment.get("_HANDLER", "")
        return handler, _module(handler), ""
    if chosen.module.split(".")[0] == _CLIENT:
        handler = chosen.rest[0] if chosen.rest else ""
        return handler, _module(handler), ""
    server = chosen.module or posixpath.basename(chosen.script)
    if server in searchpath.SERVERS:
        targets = [word for word in chosen.rest if _TARGET.match(word)]
        return "", targets[0].partition(":")[0] if targets else "", ""
    if chosen.script:
        path = posixpath.normpath(posixpath.join(launch.working_dir or "/", chosen.script))
        return "", "", path if path.endswith(".py") else ""
    return "", chosen.module, ""


def _module(handler: str) -> str:
    """The module of a handler, as the runtime client derives it: slashes count as dots."""
    module, dot, _ = handler.rpartition(".")
    return module.replace("/", ".") if dot else ""


def _magic(files: Files, found: Prefix) -> bytes:
    number = _MAGIC_NUMBERS.get(found.version)
    if number is not None:
        return number.to_bytes(2, "little") + _MAGIC_END
    tag = f".cpython-{found.version[0]}{found.version[1]}.pyc"
    folder = f"{found.stdlib}/__pycache__"
    compiled = (name for name in files.names(folder) if name.endswith(tag))
    heads = Counter(files.head(f"{folder}/{name}")[:4] for name in islice(compiled, _SAMPLES))
    likely = [head for head, _ in heads.most_common() if head[2:] == _MAGIC_END]
    return likely[0] if likely else b""
