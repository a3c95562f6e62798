"""A runtime without an image: an executor whose "process" is a coroutine that speaks the real Runtime API.

`tests/contract/test_sandbox_executor.py` holds it to what the namespace executor does.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from understudy.sandbox.executor import Peek
from understudy.sandbox.model import ExitStatus, SandboxSpec

MEGABYTE = 1024 * 1024


class ProcessEndedError(Exception):
    """Raised by a program to end its process with `status`."""

    def __init__(self, status: ExitStatus) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class Invocation:
    """What `/next` answered."""

    headers: dict[str, str]
    payload: bytes

    @property
    def request_id(self) -> str:
        return self.headers["lambda-runtime-aws-request-id"]


class ExtensionClient:
    """An extension beside the runtime, over one connection of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._identifier = ""

    @classmethod
    async def register(cls, address: str, name: str, *events: str) -> "ExtensionClient":
        host, port = address.split(":")
        made = cls(*await asyncio.open_connection(host, int(port)))
        body = json.dumps({"events": events}).encode()
        made._send("POST", "register", f"Lambda-Extension-Name: {name}", body)
        headers, _ = await made._answer()
        made._identifier = headers["lambda-extension-identifier"]
        return made

    def ask(self) -> None:
        """Asks for the next event, without waiting for it."""
        self._send("GET", "event/next", f"Lambda-Extension-Identifier: {self._identifier}")

    async def event(self) -> dict[str, str]:
        """The event that was asked for."""
        found: dict[str, str] = json.loads((await self._answer())[1])
        return found

    def close(self) -> None:
        self._writer.close()

    def _send(self, method: str, path: str, header: str, body: bytes = b"") -> None:
        head = f"{method} /2020-01-01/extension/{path} HTTP/1.1\r\nHost: x\r\n{header}\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def _answer(self) -> tuple[dict[str, str], bytes]:
        await self._reader.readline()
        headers: dict[str, str] = {}
        while (line := (await self._reader.readline()).strip()) != b"":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return headers, await self._reader.readexactly(int(headers["content-length"]))


class RuntimeClient:
    """A minimal Runtime API client over one keep-alive connection."""

    def __init__(self, address: str, output: Callable[[bytes], None]) -> None:
        self.address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.print = output

    async def call(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = {}
    ) -> tuple[int, dict[str, str], bytes]:
        if self._streams is None:
            host, port = self.address.split(":")
            self._streams = await asyncio.open_connection(host, int(port))
        reader, writer = self._streams
        lines = [f"{method} /2018-06-01/runtime/{path} HTTP/1.1", f"Host: {self.address}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {len(body)}")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        return await self._answer(reader)

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
        status = int((await reader.readline()).split()[1])
        answered: dict[str, str] = {}
        while (line := (await reader.readline()).strip()) != b"":
            name, _, value = line.decode().partition(":")
            answered[name.lower()] = value.strip()
        return status, answered, await reader.readexactly(int(answered.get("content-length", "0")))

    async def next(self) -> Invocation:
        _, headers, payload = await self.call("GET", "invocation/next")
        return Invocation(headers, payload)

    async def respond(self, request_id: str, body: bytes) -> int:
        return (await self.call("POST", f"invocation/{request_id}/response", body))[0]

    def stream(self, request_id: str, *chunks: bytes) -> None:
        """Starts a streamed response with `chunks` on the connection of the last `next`."""
        if self._streams is None:
            raise ConnectionError("next comes first")
        lines = [
            f"POST /2018-06-01/runtime/invocation/{request_id}/response HTTP/1.1",
            f"Host: {self.address}",
            "Lambda-Runtime-Function-Response-Mode: streaming",
            "Content-Type: text/plain",
            "Transfer-Encoding: chunked",
        ]
        self._streams[1].write(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.send(*chunks)

    def send(self, *chunks: bytes) -> None:
        """Goes on with the streamed response; an empty chunk ends it."""
        if self._streams is None:
            raise ConnectionError("stream comes first")
        for chunk in chunks:
            self._streams[1].write(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    async def accepted(self) -> int:
        """The status that the streamed response was answered with."""
        if self._streams is None:
            raise ConnectionError("stream comes first")
        return (await self._answer(self._streams[0]))[0]

    async def fail(self, request_id: str, body: bytes) -> int:
        return (await self.call("POST", f"invocation/{request_id}/error", body))[0]

    async def fail_init(self, error_type: str, message: str) -> int:
        body = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
        header = {"Lambda-Runtime-Function-Error-Type": error_type}
        return (await self.call("POST", "init/error", body, header))[0]

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()


Program = Callable[[RuntimeClient], Awaitable[None]]


class FakeProcess:
    """One run of a program."""

    def __init__(self, client: RuntimeClient, program: Program) -> None:
        self._client = client
        self._task = asyncio.create_task(self._run(program))
        self.drained = 0
        self.signals: list[int] = []

    async def _run(self, program: Program) -> ExitStatus:
        try:
            await program(self._client)
        except ProcessEndedError as exit_now:
            return exit_now.status
        except asyncio.CancelledError:
            return ExitStatus(code=-9)
        except (ConnectionError, asyncio.IncompleteReadError, IndexError):
            return ExitStatus(code=1)
        finally:
            self._client.close()
        return ExitStatus(code=0)

    async def wait(self) -> ExitStatus:
        with contextlib.suppress(asyncio.CancelledError):
            return await asyncio.shield(self._task)
        return ExitStatus(code=-9)

    def kill(self) -> None:
        self._task.cancel()

    def signal(self, number: int) -> None:
        self.signals.append(number)

    def drain(self) -> None:
        self.drained += 1

    def memory_peak_bytes(self) -> int:
        return 20 * MEGABYTE

    def check_memory(self) -> None:
        return

    async def peek(self) -> Peek | None:
        return Peek(
            executable="/usr/bin/python3",
            argv=("/usr/bin/python3", "-m", "awslambdaric", "app.handler"),
            environment={"PATH": "/bin"},
            working_dir="/var/task",
        )


@dataclass
class FakeSandbox:
    """Runs its programs one after the other; the last one for every further start."""

    programs: Sequence[Program]
    starts: list[tuple[list[str], dict[str, str]]] = field(default_factory=list)
    cpu: list[float | None] = field(default_factory=list)
    closed: bool = False
    frozen: bool = False
    was_frozen: asyncio.Event = field(default_factory=asyncio.Event)
    constraints: Mapping[str, str] = field(default_factory=dict)
    processes: list[FakeProcess] = field(default_factory=list)
    isolation: None = None
    doorway: None = None

    @property
    def alive(self) -> bool:
        return not self.closed

    def start(
        self, argv: Sequence[str], environment: Mapping[str, str], output: Callable[[bytes], None]
    ) -> FakeProcess:
        program = self.programs[min(len(self.starts), len(self.programs) - 1)]
        self.starts.append((list(argv), dict(environment)))
        address = environment.get("AWS_LAMBDA_RUNTIME_API", "")
        process = FakeProcess(RuntimeClient(address, output), program)
        self.processes.append(process)
        return process

    def limit_cpu(self, vcpus: float | None) -> None:
        self.cpu.append(vcpus)

    def freeze(self) -> None:
        self.frozen = True
        self.was_frozen.set()

    def thaw(self) -> None:
        self.frozen = False

    async def close(self) -> None:
        self.closed = True
        for process in self.processes:
            process.kill()
        await asyncio.gather(*(process.wait() for process in self.processes))


class FakeExecutor:
    """Prepares one `FakeSandbox`."""

    def __init__(self, *programs: Program) -> None:
        self.sandbox = FakeSandbox(programs)

    async def prepare(self, spec: SandboxSpec) -> FakeSandbox:
        del spec
        return self.sandbox


class Recorder(FakeExecutor):
    """Remembers what it was asked to prepare."""

    def __init__(self, *programs: Program) -> None:
        super().__init__(*programs)
        self.specs: list[SandboxSpec] = []
        self.programs = programs

    async def prepare(self, spec: SandboxSpec) -> FakeSandbox:
        self.specs.append(spec)
        return FakeSandbox(self.programs)


async def echo(client: RuntimeClient) -> None:
    """Answers every event with itself."""
    while True:
        invocation = await client.next()
        await client.respond(invocation.request_id, invocation.payload)
