from pathlib import Path

import pytest

from tests.fakes.runtime import Program, Recorder, RuntimeClient, echo
from understudy.coldstart import measure
from understudy.coldstart.instrument import MARK
from understudy.coldstart.model import Condition, Subject
from understudy.errors import UnderstudyError
from understudy.image.rootfs import Rootfs
from understudy.sandbox.model import SandboxSpec


def subject(*layers: Path) -> Subject:
    spec = SandboxSpec(
        rootfs=Rootfs(layers=layers),
        entrypoint=("/bootstrap",),
        command=("app.handler",),
        working_dir="/var/task",
        environment={},
        timeout_s=2,
    )
    return Subject(
        image="shop", digest="sha256:0", function="shop", spec=spec, event=b'{"a": 1}', event_name="a"
    )


async def fails(client: RuntimeClient) -> None:
    await client.call("POST", "init/error", b'{"errorType": "KeyError", "errorMessage": "\'DB_URL\'"}')


async def watched(client: RuntimeClient) -> None:
    client.print(f"{MARK}[('python', 0.0)]\n".encode())
    while True:
        client.print(f"{MARK}[('next', 1.0)]\n".encode())
        invocation = await client.next()
        await client.respond(invocation.request_id, b"{}")


async def test_each_round_starts_every_subject_once_and_the_first_is_not_counted() -> None:
    executor = Recorder(echo)
    small, large = Condition(memory_mb=128), Condition(memory_mb=1769, throttled_init=True)
    rounds: list[int] = []

    found = await measure.series([(subject(), small), (subject(), large)], 2, executor, rounds.append)

    assert [(one.condition, len(one.samples)) for one in found] == [(small, 2), (large, 2)]
    assert [spec.memory_mb for spec in executor.specs] == [128, 1769] * 3
    assert {spec.cpu for spec in executor.specs[1::2]} == {"lambda-throttled-init"}
    assert executor.specs[0].environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert rounds == [0, 1, 2]
    assert all(one.init_ms > 0 and one.error == "" for series in found for one in series.samples)


async def test_one_that_does_not_start_is_told_in_lambda_s_words() -> None:
    with pytest.raises(UnderstudyError, match=r"does not start: KeyError: 'DB_URL'"):
        await measure.cold_start(subject(), Condition(memory_mb=128), Recorder(fails))


@pytest.mark.parametrize(("program", "told"), [(watched, True), (echo, False)])
async def test_a_watched_start_tells_or_has_nothing_to_tell(program: Program, told: bool) -> None:
    executor = Recorder(program)
    found = await measure.record(subject(), Condition(memory_mb=128), {"/x/sitecustomize.py": ""}, executor)

    assert (found is not None) is told
    assert set(executor.specs[0].files) == {"/x/sitecustomize.py"}
    if found is not None:
        assert len(found.next_ms) >= 4


async def test_files_that_a_start_or_a_request_reads_are_told(tmp_path: Path) -> None:
    (tmp_path / "read").write_bytes(b"x")

    async def reads(client: RuntimeClient) -> None:
        while True:
            invocation = await client.next()
            (tmp_path / "read").read_bytes()
            await client.respond(invocation.request_id, b"{}")

    paths = [tmp_path / "read", tmp_path / "gone"]
    found = await measure.opens(subject(tmp_path), Condition(memory_mb=128), paths, Recorder(reads))

    assert found == {tmp_path / "read"}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b'{"statusCode": 503}', "HTTP 503"),
        (b'{"statusCode": 404}', ""),
        (b'{"statusCode": "500"}', ""),
        (b'["statusCode"]', ""),
        (b"", ""),
    ],
)
async def test_an_answer_that_is_a_server_s_error_is_one(answer: bytes, error: str) -> None:
    async def answers(client: RuntimeClient) -> None:
        while True:
            await client.respond((await client.next()).request_id, answer)

    executor = Recorder(answers)
    found = await measure.cold_start(subject(), Condition(memory_mb=128), executor)

    assert found.error == error
    opened = await measure.opens(subject(), Condition(memory_mb=128), [], executor)
    assert (opened is None) is bool(error)


def test_the_empty_handler_replaces_the_function_s_and_nothing_else() -> None:
    found = measure.empty(subject())

    assert found.spec.command == ("understudy_empty.handler",)
    names: dict[str, object] = {}
    exec(found.spec.files["/var/task/understudy_empty.py"], names)
    handler = names["handler"]
    assert callable(handler)
    assert handler({}, None) == {}


def test_dropping_passes_over_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("nowhere")

    measure.drop(Rootfs(layers=(tmp_path,)))

    assert (tmp_path / "file").read_text() == "text"


def test_the_host_is_this_one() -> None:
    found = measure.host()

    assert found.processors >= 1
    assert found.kernel
