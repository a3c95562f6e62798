"""The engine's process: takes port and data folder, serves until SIGTERM or SIGINT, leaves nothing behind."""

import asyncio
import logging
import os
import socket
import sys
import time
from collections.abc import Sequence

import uvloop

from understudy.engine import config, listen
from understudy.engine.config import EngineConfig
from understudy.engine.delegate import address, child
from understudy.engine.delegate.external import ExternalDelegate
from understudy.engine.delegate.launch import MiniStack
from understudy.engine.delegate.supervisor import Delegate, NoDelegate, SupervisedDelegate
from understudy.errors import UnderstudyError

_EXIT_FAILED = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Runs an engine; returns the process's exit status."""
    began = time.monotonic()
    try:
        settings = config.parse(sys.argv[1:] if argv is None else argv, os.environ)
        logging.basicConfig(
            level=settings.log_level.upper(),
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
            stream=sys.stderr,
        )
        logging.getLogger("httpx").setLevel(logging.WARNING)  # one line per request, to Docker and others
        if settings.die_with_parent:
            child.die_with(os.getppid())
        with listen.exclusive(settings.run_dir):
            sockets = listen.bind(settings.hosts, settings.port)
            uvloop.run(_serve(settings, sockets, began))
    except asyncio.CancelledError:
        return 0
    except UnderstudyError as error:
        sys.stderr.write(f"{error}\n")
        return _EXIT_FAILED
    return 0


async def _serve(settings: EngineConfig, sockets: list[socket.socket], began: float) -> None:
    delegate = _delegate(settings, sockets[0].getsockname()[1])
    await delegate.start()
    await asyncio.sleep(0)  # the child is started in this turn, and comes up while the engine is imported
    from understudy.engine.process import EngineProcess  # noqa: PLC0415 - half a second beside the delegate's own

    await EngineProcess(settings, sockets=sockets, delegate=delegate, began=began).run()


def _delegate(settings: EngineConfig, port: int) -> Delegate:
    if settings.delegate_url is not None:
        return ExternalDelegate(address.parse(settings.delegate_url))
    if settings.delegate_python is None:
        return NoDelegate()
    public = settings.localstack.public
    emulator = MiniStack(
        python=settings.delegate_python,
        data_dir=settings.data_dir / "delegate",
        engine_port=(public and public.port) or port,
        engine_host=(public and public.host) or "localhost",
    )
    return SupervisedDelegate(emulator, log_path=settings.run_dir / "delegate.log")
