"""Which Python the effective entrypoint ends in, followed through links, wrappers and entry scripts.

Reads files, runs nothing. What it cannot follow it says, and it never guesses a Python for an image whose
entrypoint ends in another program.
"""

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from understudy.verify.model import Files, Launch, Subject
from understudy.verify.python import shell

# What a process of Lambda has when neither image nor function sets PATH (lambda-contract B2).
_DEFAULT_PATH = "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
_DEPTH_MAX = 12
_PYTHON = re.compile(r"(?:python|pypy)\d*(?:\.\d+)?t?")
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
_OPTIONS_OF_ENV_WITH_VALUE = frozenset({"-u", "--unset", "-C", "--chdir"})
# Programs that run the rest of their command line, with those of their options that take a value.
_WRAPPERS: Mapping[str, frozenset[str]] = {
    "aws-lambda-rie": frozenset({"--log-level", "--runtime-api-address"}),
    "catatonit": frozenset(),
    "chronic": frozenset(),
    "dumb-init": frozenset({"-r", "--rewrite"}),
    "nice": frozenset({"-n", "--adjustment"}),
    "setsid": frozenset(),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    "tini": frozenset({"-p", "-e"}),
    "tini-static": frozenset({"-p", "-e"}),
    "ddtrace-run": frozenset(),
    "newrelic-admin": frozenset(),
    "opentelemetry-instrument": frozenset(),
}
_RUNNERS = frozenset({"uv", "poetry", "pdm", "pipenv", "hatch"})
_ELF = b"\x7fELF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A Python process as the entrypoint starts it.

    Attributes:
        executable: absolute path as started; links of its last part are not followed.
        arguments: what comes after the executable.
        via: scripts and wrappers on the way, first to last.
        traced: False when the entrypoint could not be followed and this is the Python it most likely means.
    """

    executable: str
    arguments: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    traced: bool = True


class _OtherProgramError(Exception):
    """The entrypoint ends in a program that is no Python."""


@dataclass(slots=True, kw_only=True)
class _Tracer:
    files: Files
    working_dir: str
    environment: dict[str, str]
    via: list[str] = field(default_factory=list)

    def follow(self, words: Sequence[str], depth: int = _DEPTH_MAX) -> Start | None:
        if not words or not words[0] or not depth:
            return None
        path = which(self.files, words[0], self.environment, self.working_dir)
        node = None if path is None else self.files.resolve(path)
        if path is None or node is None or node.kind != "file":
            return None
        head = self.files.head(node.path)
        if head.startswith(b"#!"):
            return self._script(path, head, words, depth)
        names = {posixpath.basename(path), posixpath.basename(node.path)}
        if not head.startswith(_ELF):
            return None
        if any(_PYTHON.fullmatch(name) for name in names):
            return Start(executable=path, arguments=tuple(words[1:]), via=tuple(self.via))
        return self._wrapped(names, words, depth)

    def _script(self, path: str, head: bytes, words: Sequence[str], depth: int) -> Start | None:
        line = head.split(b"\n", 1)[0][2:].decode("utf-8", "replace").strip()
        program, _, option = line.partition(" ")
        name = posixpath.basename(path)
        if name in _WRAPPERS:
            return self._wrapped({name}, words, depth)
        self.via.append(path)
        started = [program, *([option.strip()] if option.strip() else []), path, *words[1:]]
        return self.follow(started, depth - 1)

    def _wrapped(self, names: set[str], words: Sequence[str], depth: int) -> Start | None:
        arguments = list(words[1:])
        if names & _SHELLS or "busybox" in names:
            return self._shell(arguments, depth)
        if "env" in names:
            return self._env(arguments, depth)
        for name in names & _WRAPPERS.keys():
            self.via.append(words[0])
            return self.follow(_after_options(arguments, _WRAPPERS[name]), depth - 1)
        if names & _RUNNERS and "run" in arguments:
            return self._runner(arguments[arguments.index("run") + 1 :], depth)
        raise _OtherProgramError

    def _env(self, arguments: list[str], depth: int) -> Start | None:
        while arguments:
            word = arguments[0]
            if word.startswith(("-S", "--split-string=")):
                rest = word.removeprefix("--split-string=").removeprefix("-S")
                arguments = [*rest.split(), *arguments[1:]]
            elif "=" in word and not word.startswith("-"):
                name, _, value = word.partition("=")
                self.environment[name] = value
                arguments = arguments[1:]
            elif word.startswith("-"):
                arguments = arguments[2 if word in _OPTIONS_OF_ENV_WITH_VALUE else 1 :]
            else:
                break
        # A shebang passes "python3 -u" to env as one word; env itself would fail on it without -S.
        return self.follow(arguments, depth - 1)

    def _shell(self, arguments: list[str], depth: int) -> Start | None:
        while arguments and arguments[0].startswith(("-", "+")):
            if arguments[0].startswith("-") and "c" in arguments[0] and not arguments[0].startswith("--"):
                return self._commands("".join(arguments[1:2]), arguments[3:], depth)
            arguments = arguments[1:]
        if not arguments:
            return None
        path = posixpath.join(self.working_dir, arguments[0])
        try:
            text = self.files.read(path).decode("utf-8", "replace")
        except (FileNotFoundError, OSError):
            return None
        if path not in self.via:
            self.via.append(path)
        return self._commands(text, arguments[1:], depth)

    def _commands(self, text: str, arguments: Sequence[str], depth: int) -> Start | None:
        found: list[tuple[tuple[bool, bool, int], Start]] = []
        other = False
        for number, command in enumerate(shell.commands(text, arguments, self.environment)):
            branch = _Tracer(
                files=self.files,
                working_dir=self.working_dir,
                environment=dict(self.environment),
                via=list(self.via),
            )
            try:
                start = branch.follow(command.words, depth - 1)
            except _OtherProgramError:
                other = other or command.replaces
                continue
            if start is not None:
                client = any("awslambdaric" in word or "bootstrap" in word for word in start.arguments)
                found.append(((command.replaces, client, number), start))
        if not found and other:
            raise _OtherProgramError
        return max(found, key=lambda item: item[0])[1] if found else None

    def _runner(self, arguments: list[str], depth: int) -> Start | None:
        rest = _after_options(
            arguments, frozenset({"--project", "--directory", "--with", "--python", "-p", "--env-file"})
        )
        venv = self.environment.get("UV_PROJECT_ENVIRONMENT") or self.environment.get("VIRTUAL_ENV")
        folder = posixpath.join(self.working_dir, venv or ".venv", "bin")
        self.environment["PATH"] = f"{folder}:{self.environment.get('PATH', _DEFAULT_PATH)}"
        return self.follow(rest, depth - 1)


def trace(subject: Subject) -> Start | None:
    """Returns the Python that the effective entrypoint leads to, None when it leads to another program."""
    launch = subject.launch
    tracer = _Tracer(
        files=subject.files, working_dir=launch.working_dir or "/", environment=dict(launch.environment)
    )
    words = [*launch.entrypoint, *launch.command]
    try:
        start = tracer.follow(words)
    except _OtherProgramError:
        return None
    return start or _likely(subject.files, launch)


def _likely(files: Files, launch: Launch) -> Start | None:
    """The Python that a broken entrypoint was meant to reach, so that the other rules still see the image."""
    words = [*launch.entrypoint, *launch.command]
    client = next((place for place, word in enumerate(words) if "awslambdaric" in word), None)
    aws = files.resolve("/var/runtime/bootstrap.py") is not None
    if client is not None:
        arguments: tuple[str, ...] = ("-m", "awslambdaric", *words[client + 1 :])
    elif aws:
        arguments = ("/var/runtime/bootstrap.py",)
    else:
        arguments = tuple(words[1:])
    named = [word for word in words if _PYTHON.fullmatch(posixpath.basename(word))]
    for name in (*(["/var/lang/bin/python3"] if aws else []), *named, "python3", "python"):
        path = which(files, posixpath.basename(name), launch.environment, launch.working_dir)
        path = name if name.startswith("/") and files.resolve(name) is not None else path
        if path is not None:
            return Start(executable=path, arguments=arguments, traced=False)
    return None


def which(files: Files, program: str, environment: Mapping[str, str], working_dir: str) -> str | None:
    """Returns where `program` is found as execvp would, links of its last part not followed."""
    if "/" in program:
        path = posixpath.normpath(posixpath.join(working_dir or "/", program))
        return path if files.resolve(path) is not None else None
    for folder in environment.get("PATH", _DEFAULT_PATH).split(":"):
        path = posixpath.normpath(posixpath.join(working_dir or "/", folder, program))
        node = files.resolve(path)
        if node is not None and node.kind == "file":
            return path
    return None


def _after_options(arguments: Sequence[str], with_value: frozenset[str]) -> list[str]:
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        if option in with_value and rest:
            rest.pop(0)
    return rest
