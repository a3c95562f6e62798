"""Runs real sandboxes as whatever user it is started as, and prints what they showed, as JSON.

It is its own process so that the same scenarios run as root and unprivileged, and can be killed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import fcntl
import json
import os
import shutil
import socket
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from understudy.image.rootfs import PackedLayer, Rootfs
from understudy.image.steps import Mount, Step
from understudy.sandbox import Endpoint, InvokeRequest, NamespaceExecutor, SandboxSpec, namespaces
from understudy.sandbox.environment import ExecutionEnvironment
from understudy.sandbox.processes import run_in_image
from understudy.sandbox.steps import NamespaceStepRunner

if TYPE_CHECKING:
    from understudy.sandbox.docker.executor import DockerExecutor
    from understudy.sandbox.parking import Parked

STATE, LAYERS, INTERPRETER, MODE = Path(sys.argv[1]), sys.argv[2].split(":"), sys.argv[3], sys.argv[4]
PACKED = os.environ.get("DRIVER_PACKED", "")
SPEC = SandboxSpec(
    rootfs=Rootfs(
        layers=tuple(Path(layer) for layer in LAYERS),
        packed=tuple(
            PackedLayer(diff_id=diff_id, path=Path(path))
            for diff_id, path in (json.loads(PACKED) if PACKED else ())
        ),
    ),
    entrypoint=(INTERPRETER, "/var/task/client.py"),
    command=(),
    working_dir="/var/task",
    environment={"PATH": "/usr/bin:/bin", "GREETING": "hello"},
    memory_mb=256,
    ephemeral_mb=512,
    timeout_s=20,
    cpu="host",
)


def made_executor() -> NamespaceExecutor | DockerExecutor:
    """The executor that the scenarios run over."""
    if not PACKED:
        return NamespaceExecutor(STATE)
    from understudy.sandbox.docker.executor import DockerExecutor

    return DockerExecutor(STATE)


def say(found: object) -> None:
    """Prints one line of JSON."""
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


class Run:
    """One environment with its log."""

    def __init__(self, executor: NamespaceExecutor | DockerExecutor, **changes: object) -> None:
        self.log: list[str] = []
        spec = dataclasses.replace(SPEC, **changes)  # type: ignore[arg-type]
        self.environment = ExecutionEnvironment(
            spec, executor=executor, log=lambda line: self.log.append(line.decode())
        )
        self.number = 0

    async def __aenter__(self) -> Run:
        await self.environment.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.environment.shutdown()

    async def do(self, code: str, **more: object) -> dict:
        """What an invocation with `code` came to."""
        self.number += 1
        request = InvokeRequest(
            request_id=f"r-{self.number}",
            payload=json.dumps(code).encode(),
            **more,  # type: ignore[arg-type]
        )
        result = await self.environment.invoke(request)
        return {
            "payload": json.loads(result.payload),
            "error_type": result.error_type,
            "max_memory_mb": result.max_memory_mb,
            "init_ms": result.init_ms,
            "tail": result.log_tail.decode(),
        }

    async def value(self, code: str) -> object:
        """`result` of `code`."""
        return (await self.do(code))["payload"]


async def one_life(executor: NamespaceExecutor | DockerExecutor, found: dict) -> None:
    """What one environment shows through crash, timeout and freezing."""
    async with Run(executor) as run:
        found["facts"] = await run.value("result = facts()")
        found["constraints"] = dict(run.environment.constraints)
        found["foreign_pid"] = await run.value(f"result = os.path.exists('/proc/{os.getpid()}')")
        found["order"] = (
            await run.do("print('a', flush=True); os.write(2, b'b\\n'); print('c', flush=True)")
        )["tail"]
        await run.value("STATE['kept'] = 1; pathlib.Path('/tmp/kept').touch()")
        found["before_crash"] = await run.value("result = STATE.get('kept')")
        found["crash"] = await run.do("child = os.fork() or time.sleep(600); os._exit(9)")
        found["after_crash"] = await run.do(
            "result = [STATE.get('kept'), os.path.exists('/tmp/kept'), facts()['processes']]"
        )
        found["timeout"] = await run.do("time.sleep(60)", timeout_s=0.3)
        found["after_timeout"] = await run.value("result = os.path.exists('/tmp/kept')")
        found["disk_full"] = await run.value("result = fill(600)")
        await run.value("tick()")
        found["ticks"] = await ticks_at_rest(run)
        found["log"] = run.log


async def ticks_at_rest(run: Run) -> int:
    """How often it ticked within a second without a request; it may freeze late, but not every time."""
    freezes = run.environment.constraints["frozen-when-idle"] != "no"
    for _ in range(20 if freezes else 1):
        before = await run.value("result = STATE['ticks']")
        await asyncio.sleep(1)
        ticks: int = await run.value("result = STATE['ticks']") - before  # type: ignore[operator]
        if ticks < 100:
            break
    return ticks


async def limits(executor: NamespaceExecutor | DockerExecutor, found: dict) -> None:
    """What happens beyond memory, disk and process limits."""
    async with Run(executor, memory_mb=128) as run:
        found["oom"] = await run.do("grow()")
        found["after_oom"] = await run.do("result = 'alive'")
    async with Run(executor, memory_mb=128) as run:
        found["tmp_beyond_memory"] = await run.do("result = fill(300)")
    async with Run(executor, memory_mb=128, command=("grow",)) as run:
        found["oom_init"] = await run.do("result = 1")
    async with Run(executor) as run:
        found["threads"] = await run.value("result = count_threads(1200)")


async def starts(executor: NamespaceExecutor | DockerExecutor, found: dict) -> None:
    """What happens when the entry point does not start well."""
    found["init"] = {}
    # Whoever shall be late has to begin in time.
    for mode, limit_s in {"fail-once": 60, "fail": 60, "slow-once": 5, "exit": 60}.items():
        async with Run(executor, command=(mode,), init_timeout_s=limit_s) as run:
            result = await run.do("result = 'ok'")
            found["init"][mode] = {"result": result, "log": run.log}
    found["entrypoints"] = {}
    for path in ("/nope", "/var/task/noexec", "/var/task/noformat", "/var/task/crlf", "nowhere"):
        async with Run(executor, entrypoint=(path,)) as run:
            found["entrypoints"][path] = (await run.do(""))["payload"]
    async with Run(executor, working_dir="/nowhere") as run:
        found["working_dir"] = (await run.do(""))["payload"]


def left() -> list[str]:
    """Files that are still there."""
    return sorted(str(path) for path in STATE.rglob("*") if path != STATE / "run")


async def facts() -> None:
    """Prints the result of all scenarios."""
    executor = made_executor()
    await executor.open()
    found: dict = {}
    for scenario in (one_life, limits, starts):
        await scenario(executor, found)
    await executor.close()
    found["left"] = left()
    say(found)


async def roots() -> None:
    """Prints what environments of one image share, and what becomes of its layers."""
    executor = made_executor()
    await executor.open()
    layer = STATE / "layer"
    shutil.copytree(LAYERS[1], layer)
    image = Rootfs(layers=(Path(LAYERS[0]), layer))
    found: dict = {}
    async with Run(executor, rootfs=image) as one, Run(executor, rootfs=image, ephemeral_mb=600) as two:
        await one.value("pathlib.Path('/tmp/mine').touch()")
        found["root"] = [await run.value("result = os.stat('/').st_dev") for run in (one, two)]
        found["tmp"] = [await run.value("result = os.stat('/tmp').st_dev") for run in (one, two)]
        found["seen"] = await two.value("result = os.path.exists('/tmp/mine')")
        found["sizes"] = [await run.value("result = facts()['tmp_bytes'] >> 20") for run in (one, two)]
    found["leased"] = leased(layer)
    layer.rename(STATE / "old")
    shutil.copytree(LAYERS[1], layer)
    (layer / "var/task/new").touch()
    async with Run(executor, rootfs=image) as run:
        found["again"] = await run.value("result = os.path.exists('/var/task/new')")
    await executor.close()
    found["leased_after"] = leased(layer)
    say(found)


def leased(layer: Path) -> bool:
    """Whether an image collection would spare `layer`."""
    descriptor = os.open(layer, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


async def parked() -> None:
    """Prints what becomes of sandboxes that are made ahead."""
    executor = made_executor()
    await executor.open()
    parking = executor._parking
    assert parking is not None
    found: dict = {"open": executor.parked}
    take, taken = parking.take, []

    def counted() -> Parked | None:
        taken.append(take())
        return taken[-1]

    parking.take = counted  # type: ignore[method-assign]
    async with Run(executor) as run:
        found["value"] = await run.value("result = os.getpid()")
    found["taken"] = sum(one is not None for one in taken)
    parking.fill()
    found["again"] = executor.parked
    for each in parking._parked:
        each.link.shutdown(socket.SHUT_WR)
        while each.link.recv(1, socket.MSG_PEEK):
            pass
    async with Run(executor) as run:
        found["after_death"] = await run.value("result = os.getpid()")
    await executor.close()
    say(found)


async def hang() -> None:
    """Prints the processes of one environment, then obeys lines on stdin."""
    executor = made_executor()
    await executor.open()
    run = Run(executor)
    await run.environment.start()
    await run.do("os.fork() or time.sleep(600)")
    sandbox = run.environment._sandbox
    if isinstance(executor, NamespaceExecutor) and isinstance(sandbox, namespaces.NamespaceSandbox):
        groups = [str(folder) for folder in executor._groups.folders] if executor._groups else []
        pids = {"engine": os.getpid(), "fork_server": executor.fork_server_pid, "holder": sandbox.holder_pid}
        say({"pids": pids, "runtime": sandbox.group.pids(), "groups": groups})
    else:
        say({"container": sandbox.identifier})
    loop = asyncio.get_running_loop()
    while (line := await loop.run_in_executor(None, sys.stdin.readline)) != "":
        if line == "state\n":
            say(run.environment.state)
        elif line == "again\n":
            async with Run(executor) as other:
                say(await other.value("result = 'alive'"))


def build_steps() -> None:
    """Prints what build steps did."""
    found: dict = {}
    with NamespaceStepRunner(STATE) as runner:
        for name, changes in {
            "run": {},
            "offline": {"network": False},
            "status": {"argv": (INTERPRETER, "-c", "raise SystemExit(5)")},
            "killed": {"argv": (INTERPRETER, "-c", "import os; os.kill(os.getpid(), 9)")},
            "absent": {"argv": ("nosuch",)},
            "user": {"user": "0:0"},
        }.items():
            found[name] = one_step(runner, STATE / name, changes)
    say(found)


PROGRAM = """
import json, os, pathlib, socket
pathlib.Path("/made").mkdir(); pathlib.Path("/made/file").write_text("x")
os.remove("/etc/passwd")
os.rename("/var/task/noexec", "/var/task/moved")
pathlib.Path("/etc/resolv.conf").open("a").write("# mine")
pathlib.Path("/cache/used").write_text("x")
def reach():
    try: socket.create_connection(("127.0.0.1", 1), 1)
    except OSError as error: return error.strerror
def forbidden():
    try: open("/secret", "w")
    except OSError as error: return error.strerror
print(json.dumps({"uid": os.getuid(), "cwd": os.getcwd(), "env": dict(os.environ), "reach": reach(),
    "hostname": socket.gethostname(), "shm": os.path.exists("/dev/shm"), "sys": os.path.exists("/sys/class"),
    "secret": pathlib.Path("/secret").read_text(), "forbidden": forbidden(), "umask": oct(os.umask(0)),
    "interfaces": [name for _, name in socket.if_nameindex()], "pid": os.getpid()}))
"""


def one_step(runner: NamespaceStepRunner, folder: Path, changes: dict) -> dict:
    """Runs one step and lists its difference."""
    for name in ("upper", "work", "cache"):
        (folder / name).mkdir(parents=True)
    (folder / "secret").write_text("s3cret")
    step = Step(
        lower=tuple(Path(layer) for layer in LAYERS),
        upper=folder / "upper",
        work=folder / "work",
        argv=(INTERPRETER, "-c", PROGRAM),
        env={"A": "b", "PATH": "/bin"},
        working_dir="/var",
        user="",
        mounts=(
            Mount(kind="cache", target=PurePosixPath("/cache"), source=folder / "cache", read_only=False),
            Mount(kind="secret", target=PurePosixPath("/secret"), source=folder / "secret", read_only=True),
        ),
    )
    output = bytearray()
    status = runner.run(dataclasses.replace(step, **changes), output.extend)
    made = {
        str(path.relative_to(folder / "upper")): path.is_char_device()
        for path in sorted((folder / "upper").rglob("*"))
    }
    cache = [path.name for path in (folder / "cache").iterdir()]
    return {"status": status, "output": output.decode(), "upper": made, "cache": cache}


def process() -> None:
    """Runs a program in the image with a folder of the host shown, and ends it."""
    shown = STATE / "shown"
    shown.mkdir()
    (shown / "client.py").write_text("print('from the host', flush=True); import time; time.sleep(600)")
    spec = dataclasses.replace(SPEC, command=())
    output = bytearray()
    with run_in_image(spec, STATE, binds=[(shown, PurePosixPath("/var/task"))]) as running:

        def seen(data: bytes) -> None:
            output.extend(data)
            running.terminate()

        status = running.wait(seen)
    say({"status": status, "output": output.decode()})


TRY = """
import socket
def attempt(action):
    try:
        return str(action())
    except OSError as error:
        return type(error).__name__ + " " + errno.errorcode.get(error.errno or 0, str(error.errno))
def connect(*address):
    with socket.create_connection(address, 5) as made:
        made.sendall(b"ping")
        made.shutdown(socket.SHUT_WR)
        return made.recv(100).decode()
"""


async def isolated() -> None:
    """Prints what a sandbox with a network of its own reaches."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).replace(b"i", b"o"))
        writer.close()

    executor = made_executor()
    await executor.open()
    wanted, other = [await asyncio.start_server(serve, "127.0.0.1", 0) for _ in range(2)]
    port, unreachable = (server.sockets[0].getsockname()[1] for server in (wanted, other))
    reachable = (Endpoint(host="localhost", port=port), Endpoint(host="127.0.0.9", port=port))
    found: dict = {}
    async with Run(executor, network="isolated", reachable=reachable, files={"/opt/laid": "over"}) as run:
        for name, action in {
            "endpoint": f"connect('localhost', {port})",
            "endpoint_that_is_down": f"connect('127.0.0.9', {port})",
            "other_port": f"connect('127.0.0.1', {unreachable})",
            "address": "connect('1.1.1.1', 80)",
            "six": "connect('2606:4700::1111', 80)",
            "name": "connect('db.example.com', 5432)",
            "resolved": "socket.gethostbyname('db.example.com')",
            "other_name": "socket.gethostbyname('Other.example.com')",
            "own_name": "socket.gethostbyname(socket.gethostname())",
            "interfaces": "[name for _, name in socket.if_nameindex()]",
            "file": "open('/opt/laid').read()",
        }.items():
            found[name] = await run.value(f"{TRY}\nresult = attempt(lambda: {action})")
        own = run.environment.isolation
        assert own is not None
        found["lookups"] = [lookup.name for lookup in own.lookups]
        found["name_of"] = own.name_of(found["resolved"])
        found["crash"] = (await run.do("os._exit(9)"))["error_type"]
        found["again"] = await run.value("result = 1")
        found["constraint"] = run.environment.constraints["network"]
    wanted.close()
    other.close()
    await executor.close()
    found["left"] = left()
    say(found)


def check() -> None:
    """Prints what `doctor` would say."""
    say([[error.code, error.hint] for error in namespaces.check()])


if __name__ == "__main__":
    scenarios = {"facts": facts, "hang": hang, "isolated": isolated, "roots": roots, "parked": parked}
    if MODE in scenarios:
        asyncio.run(scenarios[MODE]())
    else:
        {"steps": build_steps, "process": process, "check": check}[MODE]()
