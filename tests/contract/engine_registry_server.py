"""An engine of ECR and registry alone, as a process of its own whose memory and stalls can be measured.

Run as ``python -m tests.contract.engine_registry_server STATE_DIR PORT`` (0 for any); prints the port.
"""

import asyncio
import json
import os
import socket
import sys
import time
from pathlib import Path

import uvicorn

from understudy.engine.app import Engine, respond
from understudy.engine.ecr import EcrService, Repositories, Uploads
from understudy.engine.protocol import HttpResponse, Receive, Scope, Send
from understudy.engine.registry import RegistryRouter
from understudy.engine.state import State
from understudy.image.store import Store

_TICK_S = 0.002


class Probe:
    """Tells at ``/_probe`` the process's memory and how long the event loop was away at most since the last.

    Time in which the thread was ready and the kernel gave it no core is other processes' and does not count
    as ours; it is reported next to it.
    """

    def __init__(self) -> None:
        self._stall_s = 0.0
        self._wall_s = 0.0

    def matches(self, scope: Scope) -> bool:
        return bool(scope["path"] == "/_probe")

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = _process_status()
        figures = {
            "rss_kb": int(status["VmRSS"].split()[0]),
            "peak_kb": int(status["VmHWM"].split()[0]),
            "stall_ms": self._stall_s * 1000,
            "wall_stall_ms": self._wall_s * 1000,
        }
        self._stall_s = self._wall_s = 0.0
        _reset_peak()
        await respond(send, HttpResponse(status=200, body=json.dumps(figures).encode()))

    async def watch(self) -> None:
        schedstat = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        while True:
            before, starved = time.perf_counter(), _starved_s(schedstat)
            await asyncio.sleep(_TICK_S)
            wall = time.perf_counter() - before - _TICK_S
            self._wall_s = max(self._wall_s, wall)
            self._stall_s = max(self._stall_s, wall - (_starved_s(schedstat) - starved))


def _process_status() -> dict[str, str]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _reset_peak() -> None:
    """Lets VmHWM start again at the present size (proc_pid_clear_refs(5))."""
    Path("/proc/self/clear_refs").write_text("5")


def _starved_s(schedstat: int) -> float:
    """Returns how long this thread has waited for a core (kernel: scheduler/sched-stats.rst)."""
    return int(os.pread(schedstat, 64, 0).split()[1]) / 1e9


class Nothing:
    """Stands where the delegate would: everything that reaches it is a dispatch fault."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, HttpResponse(status=599, body=scope["path"].encode()))


async def serve(state_dir: Path, wanted_port: int) -> None:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", wanted_port))
    port = listener.getsockname()[1]
    state = State(state_dir / "engine.sqlite").open()
    repositories = Repositories(state, Store(state_dir / "store").open()).open()
    uploads = Uploads(repositories)
    probe = Probe()
    engine = Engine(
        services=[EcrService(repositories, uploads, port=port)],
        routers=[RegistryRouter(repositories, uploads)],
        endpoints=probe,
        fallback=Nothing(),
    )
    config = uvicorn.Config(engine, log_level="warning", lifespan="off", loop="uvloop", http="httptools")
    watching = asyncio.create_task(probe.watch())
    listener.listen()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await uvicorn.Server(config).serve(sockets=[listener])
    watching.cancel()
    await uploads.close()
    state.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
