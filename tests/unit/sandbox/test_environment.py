"""The phases of an execution environment, driven by a fake runtime over the real Runtime API."""

import asyncio
import contextlib
import dataclasses
import errno
import json
import re
from collections.abc import AsyncIterator

import pytest

from tests.fakes.runtime import ExtensionClient, FakeExecutor, ProcessEndedError, Program, RuntimeClient, echo
from understudy.errors import UnderstudyError
from understudy.image.rootfs import Rootfs
from understudy.sandbox.environment import ExecutionEnvironment, InvokeRequest
from understudy.sandbox.model import ExitStatus, LaunchFailure, SandboxSpec
from understudy.sandbox.response_stream import ResponseStream

SPEC = SandboxSpec(
    rootfs=Rootfs(layers=()),
    entrypoint=("/bootstrap",),
    command=("app.handler",),
    working_dir="/var/task",
    environment={"A": "b"},
    memory_mb=1769,
    timeout_s=60,
)


def request(payload: bytes = b"{}", **more: object) -> InvokeRequest:
    return InvokeRequest(request_id="r-1", payload=payload, **more)  # type: ignore[arg-type]


class Harness:
    def __init__(self, *programs: Program, spec: SandboxSpec = SPEC, explain: bool = False) -> None:
        self.lines: list[bytes] = []
        self.executor = FakeExecutor(*programs)
        self.sandbox = self.executor.sandbox
        self.environment = ExecutionEnvironment(
            spec, executor=self.executor, log=self.lines.append, explain_init_errors=explain
        )

    @property
    def log(self) -> str:
        return b"".join(self.lines).decode()


def pass_s(seconds: float) -> None:
    """Lets time pass for the event loop at once: no timer of a test is a race with what comes before it."""
    loop = asyncio.get_running_loop()
    now = loop.time
    loop.time = lambda: now() + seconds  # type: ignore[method-assign]


@contextlib.asynccontextmanager
async def running(
    *programs: Program, spec: SandboxSpec = SPEC, explain: bool = False
) -> AsyncIterator[Harness]:
    harness = Harness(*programs, spec=spec, explain=explain)
    await harness.environment.start()
    try:
        yield harness
    finally:
        await harness.environment.shutdown()


async def test_answers_with_what_the_runtime_posted() -> None:
    async with running(echo) as harness:
        result = await harness.environment.invoke(request(b'{"n": 1}'))
    assert result.payload == b'{"n": 1}'
    assert result.function_error is None


async def test_a_start_that_raises_leaves_no_sandbox_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    harness = Harness(echo)
    monkeypatch.setattr(harness.sandbox, "start", full)
    await harness.environment.start()
    with pytest.raises(OSError, match="Too many open files"):
        await harness.environment.ready()
    await harness.environment.shutdown()
    assert harness.sandbox.closed
    assert harness.environment.state == "dead"


async def test_only_the_first_report_has_the_init_duration_and_bills_it() -> None:
    async with running(echo) as harness:
        first = await harness.environment.invoke(request())
        second = await harness.environment.invoke(request())
    assert first.init_ms is not None
    assert first.billed_ms >= first.init_ms
    assert second.init_ms is None
    assert harness.log.count("Init Duration:") == 1
    assert "INIT_REPORT" not in harness.log


async def test_log_tail_is_start_output_end_report() -> None:
    async def prints(client: RuntimeClient) -> None:
        while True:
            invocation = await client.next()
            client.print(b"one\ntw")
            client.print(b"o\n")
            await client.respond(invocation.request_id, b"null")

    async with running(prints) as harness:
        result = await harness.environment.invoke(request())
    assert re.fullmatch(
        rb"START RequestId: r-1 Version: \$LATEST\none\ntwo\nEND RequestId: r-1\n"
        rb"REPORT RequestId: r-1\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 1769 MB"
        rb"\tMax Memory Used: 20 MB\tInit Duration: [\d.]+ ms\t\n",
        result.log_tail,
    )
    assert b"".join(harness.lines) == result.log_tail


async def test_without_a_tail_the_report_follows_the_answer() -> None:
    async with running(echo) as harness:
        result = await harness.environment.invoke(request(tail=False))
        assert [line.split(b" ")[0] for line in harness.lines] == [b"START"]
        assert (result.log_tail, result.max_memory_mb) == (b"", 0)
        assert result.billed_ms >= 1
        await harness.environment.invoke(InvokeRequest(request_id="r-2", payload=b"{}", tail=False))
        before = [line.split(b"\t")[0].strip() for line in harness.lines]
        await asyncio.wait_for(harness.sandbox.was_frozen.wait(), 60)
    assert before == [
        b"START RequestId: r-1 Version: $LATEST",
        b"END RequestId: r-1",
        b"REPORT RequestId: r-1",
        b"START RequestId: r-2 Version: $LATEST",
    ]
    assert [line.split(b"\t")[0].strip() for line in harness.lines[4:]] == [
        b"END RequestId: r-2",
        b"REPORT RequestId: r-2",
    ]
    assert b"Max Memory Used: 20 MB" in harness.lines[2]


async def test_a_report_is_not_lost_when_the_environment_ends() -> None:
    async with running(echo) as harness:
        await harness.environment.invoke(request(tail=False))
    assert harness.lines[-1].startswith(b"REPORT RequestId: r-1\t")


async def test_log_tail_holds_the_last_four_kilobytes() -> None:
    async def chatty(client: RuntimeClient) -> None:
        invocation = await client.next()
        client.print(b"x" * 50 + b"\n" + b"y" * 9000 + b"\n")
        await client.respond(invocation.request_id, b"null")
        await client.next()

    async with running(chatty) as harness:
        result = await harness.environment.invoke(request())
    assert len(result.log_tail) == 4096
    assert result.log_tail.endswith(b"\t\n")


async def test_unfinished_line_is_logged_when_the_process_ends() -> None:
    async def cut_off(client: RuntimeClient) -> None:
        await client.next()
        client.print(b"last words")
        raise ProcessEndedError(ExitStatus(code=1))

    async with running(cut_off) as harness:
        await harness.environment.invoke(request())
    assert b"last words\n" in harness.lines


async def test_runtime_sees_the_invocation_headers() -> None:
    seen: dict[str, str] = {}

    async def looks(client: RuntimeClient) -> None:
        invocation = await client.next()
        seen.update(invocation.headers)
        await client.respond(invocation.request_id, b"null")
        await client.next()

    async with running(looks) as harness:
        await harness.environment.invoke(
            request(invoked_function_arn="arn:f", trace_id="Root=1", client_context='{"a":\n1}')
        )
    assert seen["lambda-runtime-aws-request-id"] == "r-1"
    assert seen["lambda-runtime-invoked-function-arn"] == "arn:f"
    assert seen["lambda-runtime-trace-id"] == "Root=1"
    assert json.loads(seen["lambda-runtime-client-context"]) == {"a": 1}
    assert int(seen["lambda-runtime-deadline-ms"]) > 1_700_000_000_000


async def test_entry_point_gets_command_and_environment_and_the_api_address() -> None:
    async with running(echo) as harness:
        await harness.environment.ready()
    argv, environment = harness.sandbox.starts[0]
    assert argv == ["/bootstrap", "app.handler"]
    assert environment.pop("AWS_LAMBDA_RUNTIME_API").startswith("127.0.0.1:")
    assert environment == {"A": "b"}


async def test_handler_error_is_unhandled_with_the_posted_document() -> None:
    async def raises(client: RuntimeClient) -> None:
        while True:
            invocation = await client.next()
            await client.fail(invocation.request_id, b'{"errorType":"ValueError","errorMessage":"boom"}')

    async with running(raises) as harness:
        result = await harness.environment.invoke(request())
    assert result.function_error == "Unhandled"
    assert result.error_type == "ValueError"
    assert b"boom" in result.payload
    assert "Status:" not in harness.log


@pytest.mark.parametrize(
    ("status", "error_type", "reason"),
    [
        (ExitStatus(code=7), "Runtime.ExitError", "Runtime exited with error: exit status 7"),
        (ExitStatus(code=0), "Runtime.ExitError", "Runtime exited without providing a reason"),
        (ExitStatus(code=-6), "Runtime.ExitError", "Runtime exited with error: signal: aborted"),
        (
            ExitStatus(code=-9, oom_killed=True),
            "Runtime.OutOfMemory",
            "Runtime exited with error: signal: killed",
        ),
    ],
    ids=["status", "silent", "signal", "oom"],
)
async def test_crash_is_told_in_awss_words(status: ExitStatus, error_type: str, reason: str) -> None:
    async def crashes(client: RuntimeClient) -> None:
        await client.next()
        raise ProcessEndedError(status)

    async with running(crashes) as harness:
        result = await harness.environment.invoke(request())
    assert json.loads(result.payload) == {
        "errorType": error_type,
        "errorMessage": f"RequestId: r-1 Error: {reason}",
    }
    assert f"\tStatus: error\tError Type: {error_type}\n" in harness.log


async def test_crash_resets_the_process_and_the_next_invocation_starts_another() -> None:
    async def crashes(client: RuntimeClient) -> None:
        await client.next()
        raise ProcessEndedError(ExitStatus(code=1))

    async with running(crashes, echo) as harness:
        await harness.environment.invoke(request())
        assert harness.environment.state == "idle"
        result = await harness.environment.invoke(request(b'"again"'))
        assert not harness.sandbox.closed
    assert result.payload == b'"again"'
    assert result.init_ms is None
    assert len(harness.sandbox.starts) == 2


async def test_timeout_kills_the_process_and_reports_the_limit() -> None:
    async def hangs(client: RuntimeClient) -> None:
        await client.next()
        await asyncio.Event().wait()

    async with running(hangs, echo) as harness:
        result = await harness.environment.invoke(request(timeout_s=0.05))
        again = await harness.environment.invoke(request())
    assert json.loads(result.payload)["errorMessage"] == (
        "RequestId: r-1 Error: Task timed out after 0.05 seconds"
    )
    assert result.error_type == "Sandbox.Timedout"
    assert "\tStatus: timeout\n" in harness.log
    assert again.function_error is None


async def test_failed_init_is_retried_within_the_invocation() -> None:
    async def fails(client: RuntimeClient) -> None:
        await client.fail_init("Runtime.ImportModuleError", "Unable to import module 'app'")
        raise ProcessEndedError(ExitStatus(code=1))

    async with running(fails, fails, echo) as harness:
        result = await harness.environment.invoke(request())
        recovered = await harness.environment.invoke(request())
    kinds = [line.split(b" ")[0] for line in harness.lines][:5]
    assert kinds == [b"INIT_REPORT", b"INIT_REPORT", b"START", b"END", b"REPORT"]
    assert b"Phase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n" in harness.lines[0]
    assert b"Phase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError\n" in harness.lines[1]
    assert result.error_type == "Runtime.ImportModuleError"
    assert json.loads(result.payload)["errorMessage"] == "Unable to import module 'app'"
    assert recovered.function_error is None


async def test_init_beyond_its_limit_is_retried_under_the_function_timeout() -> None:
    async def slow(client: RuntimeClient) -> None:
        await asyncio.Event().wait()
        await client.next()

    spec = dataclasses.replace(SPEC, init_timeout_s=0.05)
    async with running(slow, echo, spec=spec) as harness:
        result = await harness.environment.invoke(request())
    assert b"Phase: init\tStatus: timeout\n" in harness.lines[0]
    assert result.function_error is None
    assert result.init_ms is None


async def test_init_that_never_ends_is_a_timeout_of_the_function() -> None:
    async def slow(client: RuntimeClient) -> None:
        await asyncio.Event().wait()
        await client.next()

    spec = dataclasses.replace(SPEC, init_timeout_s=0.05)
    async with running(slow, spec=spec) as harness:
        result = await harness.environment.invoke(request(timeout_s=0.1))
    assert result.error_type == "Sandbox.Timedout"
    assert b"after 0.10 seconds" in result.payload
    assert b"Phase: invoke\tStatus: timeout\n" in harness.lines[1]


async def test_init_error_is_not_success_even_when_the_process_exits_with_zero() -> None:
    async def leaves(client: RuntimeClient) -> None:
        raise ProcessEndedError(ExitStatus(code=0))

    async with running(leaves) as harness:
        report = await harness.environment.ready()
    assert report.fault is not None
    assert report.fault.error_type == "Runtime.ExitError"


async def test_unstartable_entry_point_is_an_invalid_entrypoint() -> None:
    failure = LaunchFailure(stage="exec", errno=8, text="Exec format error")

    async def unstartable(client: RuntimeClient) -> None:
        raise ProcessEndedError(ExitStatus(code=127, failed=failure))

    async with running(unstartable) as harness:
        result = await harness.environment.invoke(request())
    assert result.error_type == "Runtime.InvalidEntrypoint"
    assert b"fork/exec /bootstrap: exec format error" in result.payload


async def test_image_without_command_is_an_invalid_entrypoint() -> None:
    spec = dataclasses.replace(SPEC, entrypoint=(), command=())
    async with running(echo, spec=spec) as harness:
        result = await harness.environment.invoke(request())
    assert result.error_type == "Runtime.InvalidEntrypoint"


async def test_answer_above_the_limit_is_refused() -> None:
    statuses: list[int] = []

    async def huge(client: RuntimeClient) -> None:
        invocation = await client.next()
        statuses.append(await client.respond(invocation.request_id, b"x" * (6 * 1024 * 1024 + 101)))
        await client.next()

    async with running(huge) as harness:
        result = await harness.environment.invoke(request())
    assert result.error_type == "Function.ResponseSizeTooLarge"
    assert b"(6291556 bytes)" in result.payload


async def test_cpu_is_free_during_init_and_by_memory_afterwards() -> None:
    async with running(echo, spec=dataclasses.replace(SPEC, memory_mb=884)) as harness:
        await harness.environment.invoke(request())
    assert harness.sandbox.cpu == [2.0, pytest.approx(884 / 1769)]


async def test_failed_import_is_explained_by_importing_again() -> None:
    async def fails(client: RuntimeClient) -> None:
        await client.fail_init("Runtime.ImportModuleError", "No module named 'x'")
        raise ProcessEndedError(ExitStatus(code=1))

    async def explains(client: RuntimeClient) -> None:
        frames = [["/var/task/app.py", 3, "import x"]]
        chain = json.dumps({"error": "ModuleNotFoundError: No module named 'x'", "frames": frames})
        client.print(f"noise\nunderstudy-import-chain:{chain}\n".encode())

    async with running(fails, explains, fails, echo, explain=True) as harness:
        report = await harness.environment.ready()
    assert report.import_chain is not None
    assert "/var/task/app.py:3: import x" in harness.log
    assert harness.sandbox.starts[1][0][1] == "-c"
    assert harness.log.index("import x") < harness.log.index("INIT_REPORT")


async def test_state_follows_the_life_of_the_environment() -> None:
    harness = Harness(echo)
    assert harness.environment.state == "idle"
    await harness.environment.start()
    assert harness.environment.state == "starting"
    await harness.environment.ready()
    assert harness.environment.state == "idle"
    await harness.environment.shutdown()
    await harness.environment.shutdown()
    assert harness.environment.state == "dead"
    assert harness.sandbox.closed
    with pytest.raises(UnderstudyError, match="shut down"):
        await harness.environment.invoke(request())


async def test_second_request_meanwhile_is_refused() -> None:
    async def hangs(client: RuntimeClient) -> None:
        await client.next()
        await asyncio.Event().wait()

    async with running(hangs) as harness:
        first = asyncio.create_task(harness.environment.invoke(request(timeout_s=0.2)))
        await asyncio.sleep(0)
        assert harness.environment.state == "busy"
        with pytest.raises(UnderstudyError):
            await harness.environment.invoke(request())
        await first


async def test_idle_environment_is_frozen_and_thaws_for_the_next_request() -> None:
    async with running(echo) as harness:
        await harness.environment.invoke(request())
        await asyncio.wait_for(harness.sandbox.was_frozen.wait(), 60)
        await harness.environment.invoke(request())
        assert not harness.sandbox.frozen


async def test_answer_to_an_abandoned_request_never_reaches_the_next_one() -> None:
    taken = asyncio.Event()
    release = asyncio.Event()

    async def late(client: RuntimeClient) -> None:
        invocation = await client.next()
        taken.set()
        await release.wait()
        await client.respond(invocation.request_id, b'"for the first"')
        await client.next()

    async with running(late, echo) as harness:
        first = asyncio.create_task(harness.environment.invoke(request()))
        await taken.wait()
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        release.set()
        result = await harness.environment.invoke(request(b'"second"'))
    assert result.payload == b'"second"'
    assert len(harness.sandbox.starts) == 2


async def test_caller_that_gives_up_during_init_does_not_end_the_init() -> None:
    go = asyncio.Event()

    async def slow(client: RuntimeClient) -> None:
        await go.wait()
        await echo(client)

    async with running(slow) as harness:
        first = asyncio.create_task(harness.environment.invoke(request()))
        await asyncio.sleep(0)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        go.set()
        result = await harness.environment.invoke(request(b'"second"'))
    assert result.payload == b'"second"'


async def test_shutdown_ends_the_init_phase_and_who_waits_for_it() -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def hangs(_: RuntimeClient) -> None:
        begun.set()
        await never.wait()

    async with running(hangs) as harness:
        waiting = asyncio.create_task(harness.environment.ready())
        await begun.wait()
    await asyncio.wait([waiting])
    assert waiting.cancelled()


async def test_line_without_end_belongs_to_the_request_that_wrote_it() -> None:
    async def mutter(client: RuntimeClient) -> None:
        while True:
            invocation = await client.next()
            client.print(b"no line feed")
            await client.respond(invocation.request_id, b"1")

    async with running(mutter) as harness:
        first = await harness.environment.invoke(request())
        second = await harness.environment.invoke(request())
    assert first.log_tail.count(b"no line feed\nEND RequestId") == 1
    assert second.log_tail.count(b"no line feed\nEND RequestId") == 1


async def test_signal_reaches_the_process_awake() -> None:
    async with running(echo) as harness:
        await harness.environment.ready()
        await harness.sandbox.was_frozen.wait()
        harness.environment.signal(62)
        assert harness.sandbox.processes[0].signals == [62]
        assert not harness.sandbox.frozen


async def streams(client: RuntimeClient) -> None:
    while True:
        invocation = await client.next()
        client.stream(invocation.request_id, b"one", b"two", b"")
        await client.accepted()


async def test_streamed_response_goes_through_the_stream() -> None:
    stream = ResponseStream()
    async with running(streams) as harness:
        result = await harness.environment.invoke(request(stream=stream))
        collected = await harness.environment.invoke(request())
    stream.end()
    assert b"".join([chunk async for chunk in stream]) == b"onetwo"
    assert (result.payload, result.function_error) == (b"", None)
    assert collected.payload == b"onetwo"


async def test_timeout_in_the_middle_of_a_stream_keeps_what_was_sent() -> None:
    async def stalls(client: RuntimeClient) -> None:
        invocation = await client.next()
        client.stream(invocation.request_id, b"one")
        await asyncio.Event().wait()

    stream = ResponseStream()
    async with running(stalls) as harness:
        invoking = asyncio.create_task(harness.environment.invoke(request(stream=stream, timeout_s=3600)))
        first = await anext(stream)
        pass_s(3600)
        result = await invoking
    assert first == b"one"
    assert result.error_type == "Sandbox.Timedout"


async def test_runtime_that_dies_in_the_middle_of_a_stream_truncates_it() -> None:
    async def dies(client: RuntimeClient) -> None:
        invocation = await client.next()
        client.stream(invocation.request_id, b"one")
        await arrived.wait()
        raise ProcessEndedError(ExitStatus(code=1))

    arrived, stream = asyncio.Event(), ResponseStream()
    async with running(dies, echo) as harness:
        invoking = asyncio.create_task(harness.environment.invoke(request(stream=stream)))
        await anext(stream)
        arrived.set()
        result = await invoking
        after = await harness.environment.invoke(request(b'{"n": 2}'))
    assert result.error_type == "Runtime.TruncatedResponse"
    assert after.payload == b'{"n": 2}'


async def test_log_in_json_is_records_and_the_lines_that_pass() -> None:
    async def prints(client: RuntimeClient) -> None:
        invocation = await client.next()
        client.print(b'{"timestamp":"t","level":"DEBUG"}\nplain\n')
        await client.respond(invocation.request_id, b"null")
        await client.next()

    spec = dataclasses.replace(SPEC, log_format="JSON")
    async with running(prints, spec=spec) as harness:
        result = await harness.environment.invoke(request())
    start, plain, report = result.log_tail.splitlines()
    assert [json.loads(start)["type"], plain] == ["platform.start", b"plain"]
    assert json.loads(report)["record"]["metrics"]["maxMemoryUsedMB"] == 20


async def test_extension_that_exits_ends_the_environment_and_is_started_again() -> None:
    spec = dataclasses.replace(SPEC, extensions=("/opt/extensions/agent",))
    seen: list[str] = []

    async def with_agent(client: RuntimeClient) -> None:
        agent = await ExtensionClient.register(client.address, "agent", "INVOKE")
        with contextlib.closing(agent):
            agent.ask()
            invocation = await client.next()
            seen.append((await agent.event())["eventType"])
            await client.respond(invocation.request_id, b"1")
            agent.ask()
        await client.next()

    async with running(with_agent, spec=spec) as harness:
        first = await harness.environment.invoke(request())
        process = harness.environment.process
        assert process is not None
        await process.wait()
        second = await harness.environment.invoke(request())
    assert (first.payload, second.payload) == (b"1", b"1")
    assert seen == ["INVOKE", "INVOKE"]
    assert len(harness.sandbox.starts) == 2


async def test_extension_that_exits_early_fails_the_init_phase() -> None:
    spec = dataclasses.replace(SPEC, extensions=("/opt/extensions/agent",))

    async def with_agent(client: RuntimeClient) -> None:
        agent = await ExtensionClient.register(client.address, "agent")
        agent.ask()
        agent.close()
        await asyncio.Event().wait()

    async with running(with_agent, spec=spec) as harness:
        report = await harness.environment.ready()
    assert report.fault is not None
    assert report.fault.error_type == "Extension.Crash"
    assert "Error Type: Extension.Crash" in harness.log
