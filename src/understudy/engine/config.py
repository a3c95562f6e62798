"""What an engine is told when it starts: flags of ``python -m understudy.engine``, or the same as JSON.

What flags leave open, LocalStack's environment variables may say; where both speak of addresses, they must
agree.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from understudy.engine import localstack
from understudy.engine.delegate import address
from understudy.engine.localstack import LocalStackSettings
from understudy.errors import UnderstudyError
from understudy.sandbox import executors

DEFAULT_PORT = 4566
LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """The settings of one engine.

    Attributes:
        data_dir: all state lives below it (``.understudy`` of a project).
        port: 0 lets the kernel choose; the ready file names the choice.
        hosts: addresses to listen on.
        allowed_hosts: further host names that requests may name, such as a compose service.
        hooks_dir: folder with ``boot.d``, ``start.d``, ``ready.d`` and ``shutdown.d``; None for no hooks.
        delegate_python: interpreter of the delegate's environment; None for no delegate of our own.
        delegate_url: ``http://host:port`` of an emulator that somebody else runs, in its place.
        ready_file: written when requests are accepted.
        die_with_parent: stop when the process that started the engine ends.
        prewarm: whether a new version gets an environment before its first request; off to see cold starts.
        executor: what isolates functions, ``namespaces`` or ``docker``.
        log_level: of the engine's own log.
        localstack: what LocalStack's environment variables ask for.
    """

    data_dir: Path
    port: int = DEFAULT_PORT
    hosts: tuple[str, ...] = LOOPBACK
    allowed_hosts: tuple[str, ...] = ()
    hooks_dir: Path | None = None
    delegate_python: Path | None = None
    delegate_url: str | None = None
    ready_file: Path | None = None
    die_with_parent: bool = False
    prewarm: bool = True
    executor: str = executors.NAMESPACES
    log_level: str = "info"
    localstack: LocalStackSettings = field(default_factory=LocalStackSettings)

    @property
    def run_dir(self) -> Path:
        """Folder of the running engine's lock, logs and ready file."""
        return self.data_dir / "run"

    @property
    def ready_path(self) -> Path:
        """The ready file's path."""
        return self.ready_file or self.run_dir / "engine.json"

    def argv(self) -> list[str]:
        """Returns the arguments that make `parse` return this configuration: what a launcher passes."""
        document = {
            "data_dir": str(self.data_dir),
            "port": self.port,
            "hosts": list(self.hosts),
            "allowed_hosts": list(self.allowed_hosts),
            "hooks_dir": str(self.hooks_dir) if self.hooks_dir else None,
            "delegate_python": str(self.delegate_python) if self.delegate_python else None,
            "delegate_url": self.delegate_url,
            "ready_file": str(self.ready_file) if self.ready_file else None,
            "die_with_parent": self.die_with_parent,
            "prewarm": self.prewarm,
            "executor": self.executor,
            "log_level": self.log_level,
        }
        return [
            "--config",
            json.dumps({name: value for name, value in document.items() if value is not None}),
        ]


def parse(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> EngineConfig:
    """Returns the configuration that a command line states; flags win over ``--config``.

    Args:
        argv: the command line, without the command.
        environ: where LocalStack's settings and UNDERSTUDY_EXECUTOR are looked for; nowhere by default.

    Raises:
        UnderstudyError: the JSON is none, a setting is unknown or refused, or the data folder is missing.
        SystemExit: argparse's own, for unknown flags.
    """
    parser = argparse.ArgumentParser(prog="python -m understudy.engine", description=__doc__)
    parser.add_argument("--config", default="{}", help="settings as a JSON object")
    parser.add_argument("--data-dir", help="where all state lives")
    parser.add_argument("--port", type=int, help=f"default {DEFAULT_PORT}; 0 for any")
    parser.add_argument("--host", action="append", dest="hosts", help="address to listen on; repeatable")
    parser.add_argument(
        "--allow-host", action="append", dest="allowed_hosts", help="further host name; repeatable"
    )
    parser.add_argument("--hooks-dir", help="folder with boot.d, start.d, ready.d, shutdown.d")
    parser.add_argument("--delegate-python", help="interpreter of the delegate's environment")
    parser.add_argument(
        "--delegate-url", help="http://host:port of an emulator that is there already, such as LocalStack"
    )
    parser.add_argument("--ready-file", help="written when requests are accepted")
    parser.add_argument("--die-with-parent", action="store_true", default=None)
    parser.add_argument(
        "--no-prewarm", action="store_false", dest="prewarm", default=None, help="to see cold starts"
    )
    parser.add_argument(
        "--executor", choices=executors.NAMES, help=f"what isolates functions; default {executors.VARIABLE}"
    )
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"))
    given = {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}
    environ = environ or {}
    usual = {"executor": executors.chosen(environ)} if executors.VARIABLE in environ else {}
    stated = {**usual, **_document(given.pop("config")), **given}
    settings = localstack.read(
        environ, any_service="delegate_url" in stated, inherited=bool(stated.get("die_with_parent"))
    )
    return _config({**stated, **_agreed(stated, settings), "localstack": settings})


def _agreed(stated: Mapping[str, object], settings: LocalStackSettings) -> dict[str, object]:
    """What LocalStack's settings say of the engine's own, once they contradict nothing that was stated."""
    asked: dict[str, tuple[str, object]] = {}
    if settings.listen:
        ports = {each.port for each in settings.listen if each.port}
        hosts = [each.host for each in settings.listen if each.host]
        asked["port"] = ("GATEWAY_LISTEN", next(iter(ports), DEFAULT_PORT))
        if hosts:
            asked["hosts"] = ("GATEWAY_LISTEN", hosts)
    if settings.executor:
        asked["executor"] = ("LAMBDA_RUNTIME_EXECUTOR", settings.executor)
    for name, (variable, value) in asked.items():
        if name in stated and stated[name] != value:
            raise UnderstudyError(
                "localstack-setting",
                f"{variable} asks for {name} {value}, the command line for {stated[name]}",
                hint=f"unset {variable}, or start the engine without --{name.rstrip('s').replace('_', '-')}",
            )
    agreed = {name: value for name, (_, value) in asked.items()}
    # The log is the reader's: who asks for more of it shall not have to know what a launcher said.
    return agreed | ({"log_level": settings.log_level} if settings.log_level else {})


def _document(text: str) -> dict[str, object]:
    try:
        document = json.loads(text)
    except ValueError as exc:
        raise _bad(f"--config is no JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise _bad("--config is no JSON object")
    unknown = sorted(set(document) - set(EngineConfig.__dataclass_fields__))
    if unknown:
        raise _bad(f"--config has an unknown setting {unknown[0]!r}")
    return document


def _config(settings: dict[str, object]) -> EngineConfig:
    if "data_dir" not in settings:
        raise _bad("--data-dir is missing")
    if "delegate_url" in settings:
        if "delegate_python" in settings:
            raise _bad("--delegate-url and --delegate-python name two delegates, one is possible")
        address.parse(str(settings["delegate_url"]))
    typed: dict[str, object] = {}
    for name, value in settings.items():
        if name in ("data_dir", "hooks_dir", "delegate_python", "ready_file"):
            typed[name] = Path(str(value)).absolute()
        elif isinstance(value, list):
            typed[name] = tuple(str(item) for item in value)
        else:
            typed[name] = value
    return EngineConfig(**typed)  # type: ignore[arg-type]  # names are checked above, types by argparse


def _bad(message: str) -> UnderstudyError:
    return UnderstudyError("engine-config", message, hint="run python -m understudy.engine --help")
