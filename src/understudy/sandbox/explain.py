"""Recovers the chain of imports that a runtime client throws away when a handler cannot be imported.

awslambdaric answers every `ImportError` with `Runtime.ImportModuleError` and an empty stack trace. The same
import, done again by the image's own interpreter in the same sandbox, has the whole chain: who imported the
module that failed, from which line. Pure: the program's text, its arguments and the reading of its output.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from understudy.sandbox.executor import Peek

EXPLAINED = frozenset({"Runtime.ImportModuleError"})
_MARK = b"understudy-import-chain:"
# Runs in the image's interpreter: standard library only, any Python 3. sys.path is completed as the AWS base
# image's bootstrap does (aws-lambda-base-images, /var/runtime/bootstrap.py); other images lack that file.
_PROGRAM = """
import importlib, json, os, site, sys, traceback
root = os.environ.get("LAMBDA_TASK_ROOT", "")
if os.path.exists(os.path.join(os.environ.get("LAMBDA_RUNTIME_DIR", "/nowhere"), "bootstrap.py")):
    version = "python%d.%d" % sys.version_info[:2]
    extra = [root, "/opt/python/lib/" + version + "/site-packages", "/opt/python",
             "/var/lang/lib/" + version + "/site-packages"]
    sys.path[:0] = [p for p in extra if p and p not in sys.path]
    site.addsitedir(root)
name = sys.argv[1].rsplit(".", 1)[0].replace("/", ".")
chain = {"frames": [], "error": "", "module": "", "file": "", "causes": []}
try:
    importlib.import_module(name)
except BaseException as error:
    chain["error"] = "%s: %s" % (type(error).__name__, error)
    chain["module"] = str(getattr(error, "name", None) or "")
    chain["file"] = str(getattr(error, "path", None) or "")
    cause = error.__cause__ or error.__context__
    while cause is not None and len(chain["causes"]) < 5:
        where = traceback.extract_tb(cause.__traceback__)[-1:]
        at = ["%s:%s" % (frame.filename, frame.lineno) for frame in where]
        chain["causes"].append(" at ".join(["%s: %s" % (type(cause).__name__, cause)] + at))
        cause = cause.__cause__ or cause.__context__
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith("<") or "/importlib/" in frame.filename:
            continue
        chain["frames"].append([frame.filename, frame.lineno, frame.line or ""])
sys.stdout.flush()
sys.stdout.write("\\n%s" + json.dumps(chain) + "\\n")
""".replace('%s" + json', _MARK.decode() + '" + json')


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFrame:
    """One import statement of the chain.

    Attributes:
        path: file inside the image.
        line: line number in it.
        source: the statement.
    """

    path: str
    line: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportChain:
    """From the handler module down to the import that failed.

    Attributes:
        frames: outermost first; the last one imports what failed. Empty when the handler module itself does
            not exist.
        error: the exception at the end.
        module: what could not be imported, as the exception names it; an extension module whose library is
            missing is named here and not in the text.
        file: the file that was tried, of an extension module that the loader refused.
        causes: what the exception was raised from, nearest first, each with its place.
    """

    frames: tuple[ImportFrame, ...]
    error: str
    module: str = ""
    file: str = ""
    causes: tuple[str, ...] = ()

    def lines(self) -> list[bytes]:
        """The chain for the log, a line each."""
        head = "understudy: the imports that led there, which the runtime client does not log:\n"
        body = [f"understudy:   {frame.path}:{frame.line}: {frame.source}\n" for frame in self.frames]
        loading = f" (while loading {self.file})" if self.file and self.file not in self.error else ""
        tail = [f"understudy:   because of {cause}\n" for cause in self.causes]
        return [line.encode() for line in (head, *body, f"understudy:   {self.error}{loading}\n", *tail)]


def command(process: Peek) -> tuple[list[str], Mapping[str, str]] | None:
    """Arguments and environment that import the handler again; `None` when this is no Python runtime."""
    handler = process.environment.get("_HANDLER") or (process.argv[-1] if process.argv else "")
    if "python" not in process.executable.rsplit("/", 1)[-1] or "." not in handler:
        return None
    interpreter = process.argv[0] if process.argv[0].startswith("/") else process.executable
    return [interpreter, "-c", _PROGRAM, handler], process.environment


def parse(output: bytes) -> ImportChain | None:
    """The chain in the program's output; `None` when the import succeeded this time or printed nothing."""
    _, mark, rest = output.rpartition(_MARK)
    if not mark:
        return None
    try:
        document = json.loads(rest.split(b"\n", 1)[0])
    except ValueError:
        return None
    if not document["error"]:
        return None
    frames = tuple(
        ImportFrame(path=path, line=line or 0, source=source) for path, line, source in document["frames"]
    )
    return ImportChain(
        frames=frames,
        error=document["error"],
        module=document.get("module", ""),
        file=document.get("file", ""),
        causes=tuple(document.get("causes", ())),
    )
