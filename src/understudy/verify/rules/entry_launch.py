"""What ENTRYPOINT and CMD start: AWS's runtime, a runtime client, a web server, or something else.

Reads what `startup` has traced; runs nothing. Where the trace ends elsewhere the answer is `Kind.UNKNOWN` and
the rules about handlers stay silent: a program in another language needs none.
"""

import posixpath
import re
from dataclasses import dataclass
from enum import Enum

from understudy.verify.model import Node, Place, Subject
from understudy.verify.python import startup

BOOTSTRAP = "/var/runtime/bootstrap"
EXTENSIONS = "/opt/extensions"
SERVERS = frozenset(
    {
        "daphne",
        "fastapi",
        "flask",
        "granian",
        "gunicorn",
        "hypercorn",
        "streamlit",
        "uvicorn",
        "uwsgi",
        "waitress-serve",
    }
)
_ENTRY_SCRIPT = "lambda-entrypoint.sh"
_HANDLER = re.compile(r"[A-Za-z_][\w/]*(\.[A-Za-z_][\w/]*)+")
_FLAGS_WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})
_SCRIPT_BYTES_MAX = 64 * 1024
_CHANGES_DIRECTORY = re.compile(rb"^\s*(cd|pushd)\s", re.MULTILINE)


class Kind(Enum):
    """What is started."""

    AWS = "AWS's entry script with the Python runtime"
    CLIENT = "python -m awslambdaric"
    SERVER = "a web server"
    UNKNOWN = "anything else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What ENTRYPOINT and CMD start.

    Attributes:
        arguments: what AWS's entry script, or the runtime client, is given.
        exact: whether `arguments` and the working directory are certain; a script may change them.
        python: the interpreter, where the command line leads to it.
        server: name of the web server.
    """

    kind: Kind
    arguments: tuple[str, ...] = ()
    exact: bool = True
    python: str = ""
    server: str = ""

    @property
    def handler(self) -> str:
        """The handler as the runtime client gets it; empty when there is none or it is not known."""
        if self.kind is Kind.AWS:
            return self.arguments[0] if len(self.arguments) == 1 else ""
        return self.arguments[0] if self.kind is Kind.CLIENT and self.arguments else ""


_UNKNOWN = Start(kind=Kind.UNKNOWN)


def start(subject: Subject) -> Start:
    """What the effective ENTRYPOINT and CMD of `subject` start."""
    argv = (*subject.launch.entrypoint, *subject.launch.command)
    if not argv:
        return _UNKNOWN
    if is_entry_script(subject, argv[0]):
        # A wrapper may give the handler another meaning, as Lambda Web Adapter's does.
        exact = not subject.launch.environment.get("AWS_LAMBDA_EXEC_WRAPPER")
        return Start(kind=Kind.AWS, arguments=argv[1:], exact=exact) if is_aws_python(subject) else _UNKNOWN
    traced = startup.trace(subject)
    if traced is None or not traced.traced:
        name = posixpath.basename(argv[0])
        return Start(kind=Kind.SERVER, server=name) if name in SERVERS else _UNKNOWN
    if any(posixpath.basename(path) == _ENTRY_SCRIPT for path in traced.via):
        known = len(subject.launch.command) == 1
        return Start(kind=Kind.AWS, arguments=subject.launch.command, exact=False) if known else _UNKNOWN
    return _python(subject, traced)


def is_entry_script(subject: Subject, program: str) -> bool:
    """Whether `program` is the entry script of AWS's base images, or a stand-in for it."""
    path = startup.which(subject.files, program, subject.launch.environment, subject.launch.working_dir)
    node = subject.files.resolve(path) if path else None
    if node is None or node.kind != "file" or posixpath.basename(node.path) != _ENTRY_SCRIPT:
        return False
    if node.size_bytes > _SCRIPT_BYTES_MAX:
        return False
    return BOOTSTRAP.encode() in subject.files.read(node.path)


def config_place(subject: Subject, field: str) -> Place:
    """Where ENTRYPOINT, CMD or WORKDIR was set: the function's ImageConfig, or the image.

    Args:
        subject: the image and its launch.
        field: ``ENTRYPOINT``, ``CMD`` or ``WORKDIR``.
    """
    launch = subject.launch
    overridden = {
        "ENTRYPOINT": (launch.entrypoint_overridden, "ImageConfig.EntryPoint"),
        "CMD": (launch.command_overridden, "ImageConfig.Command"),
        "WORKDIR": (launch.working_dir_overridden, "ImageConfig.WorkingDirectory"),
    }[field]
    if overridden[0]:
        return Place(path=overridden[1])
    history = (entry.created_by for entry in reversed(subject.image.config.history))
    instruction = next((text for text in history if field in text.split("(nop)")[-1].split()[:1]), "")
    return Place(path=field, instruction=instruction)


def program_place(subject: Subject) -> Place:
    """Where the first word of the command line was set."""
    return config_place(subject, "ENTRYPOINT" if subject.launch.entrypoint else "CMD")


def setting(subject: Subject) -> str:
    """What to write before a new command: the instruction, or the function's override of it."""
    return "set ImageConfig.Command to" if subject.launch.command_overridden else "CMD"


def variable_place(subject: Subject, name: str) -> Place:
    """Where an environment variable was set: the function, or the image."""
    if name in subject.launch.function_env:
        return Place(path=f"Environment.Variables.{name}")
    return Place(path=f"ENV {name}")


def usual_entrypoint(subject: Subject) -> str:
    """The ENTRYPOINT that this image's kind should have, as JSON."""
    if subject.files.resolve(f"/{_ENTRY_SCRIPT}") is not None:
        return f'["/{_ENTRY_SCRIPT}"]'
    traced = startup.trace(subject)
    python = traced.executable if traced is not None else "/usr/local/bin/python3"
    return f'["{python}", "-m", "awslambdaric"]'


def looks_like_handler(text: str) -> bool:
    """Whether `text` is written like a handler: MODULE.FUNCTION, no path of a program."""
    return _HANDLER.fullmatch(text) is not None and not text.endswith((".sh", ".py"))


def is_aws_python(subject: Subject) -> bool:
    """Whether the runtime under ``/var/runtime`` is AWS's for Python, or a stand-in for it."""
    files = subject.files
    return files.resolve(f"{BOOTSTRAP}.py") is not None or (
        files.resolve(BOOTSTRAP) is not None and files.resolve("/var/runtime/awslambdaric") is not None
    )


def extensions(subject: Subject) -> tuple[str, ...]:
    """Paths of the processes that Lambda starts beside the runtime.

    Every file there but directories, as AWS's emulator lists them (internal/lambda/agents/agent.go).
    """
    if subject.files.resolve("/opt/disable-extensions-jwigqn8j") is not None:
        return ()
    paths = (posixpath.join(EXTENSIONS, name) for name in subject.files.names(EXTENSIONS))
    return tuple(path for path in paths if _kind(subject.files.get(path)) != "dir")


def _kind(node: Node | None) -> str:
    return "" if node is None else node.kind


def _python(subject: Subject, traced: startup.Start) -> Start:
    """What a Python process runs, by its command line."""
    rest = traced.arguments
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        rest = rest[2:] if rest[0] in _FLAGS_WITH_VALUE else rest[1:]
    exact = not any(_changes_directory(subject, path) for path in traced.via)
    if rest[:2] == ("-m", "awslambdaric"):
        return Start(kind=Kind.CLIENT, arguments=rest[2:], python=traced.executable, exact=exact)
    name = posixpath.basename(rest[1] if rest[:1] == ("-m",) and len(rest) > 1 else "".join(rest[:1]))
    if name in SERVERS:
        return Start(kind=Kind.SERVER, server=name, python=traced.executable, exact=exact)
    return Start(kind=Kind.UNKNOWN, python=traced.executable)


def _changes_directory(subject: Subject, path: str) -> bool:
    node = subject.files.resolve(path)
    if node is None or node.kind != "file" or node.size_bytes > _SCRIPT_BYTES_MAX:
        return False
    return _CHANGES_DIRECTORY.search(subject.files.read(node.path)) is not None
