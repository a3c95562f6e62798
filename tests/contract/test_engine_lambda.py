"""Lambda as users of the SDK see it: real boto3, real HTTP, real sandbox, a small real image."""

import asyncio
import base64
import contextlib
import http.client
import json
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.engine_lambda_server import ROLE, URI, LambdaServer, serving
from understudy.engine.functions import LambdaConfig

ARN = "arn:aws:lambda:us-east-1:000000000000:function:dash"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LambdaServer]:
    async with serving(tmp_path) as made:
        await made.push("1", "one")
        yield made


class Gate:
    """Holds the calls whose event names its port under ``gate``, until it is opened."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(120)
        self._inside: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]

    async def wait_for(self, count: int) -> None:
        """Returns once `count` calls are held."""
        while len(self._inside) < count:
            self._inside.append((await asyncio.to_thread(self._listener.accept))[0])

    def open(self) -> None:
        """Lets go on who is held."""
        for each in (*self._inside, self._listener):
            each.close()


async def invoke(server: LambdaServer, event: object = None, **params: Any) -> tuple[dict[str, Any], Any]:
    def work(client: Any) -> Any:
        answer = client.invoke(FunctionName="dash", Payload=json.dumps(event or {}), **params)
        return answer, json.loads(answer["Payload"].read() or b"null")

    answer, payload = await server.call(work)
    return answer, payload


async def refusal(server: LambdaServer, operation: str, **params: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        await server.call(lambda client: getattr(client, operation)(**params))
    return dict(caught.value.response)


async def test_a_function_from_creation_to_answer(server: LambdaServer) -> None:
    digest = server.repositories.resolve_image(f"{URI}:1").digest
    got = await server.active(Environment={"Variables": {"MINE": "1"}}, MemorySize=256)
    assert got["Code"]["ResolvedImageUri"] == f"{URI}@{digest}"
    assert got["Configuration"]["CodeSha256"] == digest.removeprefix("sha256:")
    assert got["Configuration"]["State"] == "Active"
    answer, payload = await invoke(server, {"a": 1}, LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert payload["text"] == "one"
    assert payload["event"] == {"a": 1}
    assert payload["arn"] == ARN
    assert payload["environment"]["MINE"] == "1"
    assert payload["environment"]["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert payload["environment"]["AWS_ACCESS_KEY_ID"] == "000000000000"
    assert payload["environment"]["AWS_ENDPOINT_URL"] == server.url
    assert payload["uid"] == 993
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert re.search(r"START RequestId: \S+ Version: \$LATEST\n", tail)
    assert "handling 1\n" in tail
    assert re.search(r"REPORT RequestId: \S+\tDuration: [\d.]+ ms\t.*Memory Size: 256 MB\t", tail)


async def test_new_code_is_live_after_the_waiter(server: LambdaServer) -> None:
    await server.active()
    await invoke(server)
    await server.push("2", "two")

    def update(client: Any) -> Any:
        client.update_function_code(FunctionName="dash", ImageUri=f"{URI}:2")
        client.get_waiter("function_updated_v2").wait(
            FunctionName="dash", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        return client.get_function_configuration(FunctionName="dash")

    configuration = await server.call(update)
    assert configuration["LastUpdateStatus"] == "Successful"
    _, payload = await invoke(server)
    assert payload["text"] == "two"


async def test_no_environment_of_before_answers_once_new_variables_are_live(server: LambdaServer) -> None:
    await server.active(Environment={"Variables": {"MINE": "old"}})
    await asyncio.gather(*(invoke(server, {"sleep": 0.2}) for _ in range(3)))

    def update(client: Any) -> None:
        client.update_function_configuration(FunctionName="dash", Environment={"Variables": {"MINE": "new"}})
        client.get_waiter("function_updated_v2").wait(
            FunctionName="dash", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )

    await server.call(update)
    answers = await asyncio.gather(*(invoke(server, {"sleep": 0.2}) for _ in range(4)))
    assert {payload["environment"]["MINE"] for _, payload in answers} == {"new"}


async def test_provisioned_environments_are_ready_and_say_so(server: LambdaServer) -> None:
    await server.active(Publish=True)
    await server.call(
        lambda client: client.put_provisioned_concurrency_config(
            FunctionName="dash", Qualifier="1", ProvisionedConcurrentExecutions=2
        )
    )
    for _ in range(6000):
        found = await server.call(
            lambda client: client.get_provisioned_concurrency_config(FunctionName="dash", Qualifier="1")
        )
        if found["Status"] != "IN_PROGRESS":
            break
        await asyncio.sleep(0.01)
    assert (found["Status"], found["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    _, payload = await invoke(server, Qualifier="1")
    assert payload["environment"]["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency"
    assert payload["calls"] == 1
    assert server.service.environments == 2


async def test_functions_fail_as_on_aws(server: LambdaServer) -> None:
    await server.active(Timeout=8)  # what crashed starts again within it
    answer, payload = await invoke(server, {"error": "no"})
    assert (answer["FunctionError"], payload["errorType"]) == ("Unhandled", "ValueError")
    answer, payload = await invoke(server, {"exit": 3})
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    answer, payload = await invoke(server, {"sleep": 60})
    assert payload["errorType"] == "Sandbox.Timedout"
    assert payload["errorMessage"].endswith("Task timed out after 8.00 seconds")
    answer, payload = await invoke(server)
    assert "FunctionError" not in answer


async def test_an_environment_serves_again_and_eight_serve_at_once(server: LambdaServer) -> None:
    await server.active(Timeout=60)
    _, first = await invoke(server)
    _, second = await invoke(server)
    assert (first["pid"], first["calls"], second["calls"]) == (second["pid"], 1, 2)
    gate = Gate()
    running = [asyncio.create_task(invoke(server, {"gate": gate.port})) for _ in range(8)]
    await gate.wait_for(8)
    assert server.service.environments == 8
    gate.open()
    started = {payload["started"] for _, payload in await asyncio.gather(*running)}
    assert len(started) == 8


async def test_reserved_concurrency_throttles(server: LambdaServer) -> None:
    await server.active(Timeout=60)
    await server.call(
        lambda client: client.put_function_concurrency(FunctionName="dash", ReservedConcurrentExecutions=2)
    )
    gate = Gate()
    running = [asyncio.create_task(invoke(server, {"gate": gate.port})) for _ in range(2)]
    await gate.wait_for(2)
    response = await refusal(server, "invoke", FunctionName="dash")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Error"]["Code"] == "TooManyRequestsException"
    assert response["Error"]["Message"] == "Rate Exceeded."
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    gate.open()
    await asyncio.gather(*running)


async def test_refusals_reach_the_sdk_as_exceptions(server: LambdaServer) -> None:
    missing = await refusal(server, "get_function", FunctionName="dash")
    assert missing["Error"] == {
        "Code": "ResourceNotFoundException",
        "Message": f"Function not found: {ARN}",
    }
    assert missing["Type"] == "User"
    await server.active()
    taken = await refusal(
        server,
        "create_function",
        FunctionName="dash",
        Role=ROLE,
        PackageType="Image",
        Code={"ImageUri": f"{URI}:1"},
    )
    assert taken["Error"]["Code"] == "ResourceConflictException"
    unknown = await refusal(server, "update_function_code", FunctionName="dash", ImageUri=f"{URI}:9")
    assert unknown["Error"]["Message"] == (
        f"Source image {URI}:9 does not exist. Provide a valid source image."
    )
    large = await refusal(server, "invoke", FunctionName="dash", Payload=b" " * 6_291_457)
    assert large["Error"]["Code"] == "RequestTooLargeException"
    assert large["ResponseMetadata"]["HTTPStatusCode"] == 413


async def test_a_connection_is_good_for_another_request_after_a_deletion(server: LambdaServer) -> None:
    await server.active()
    signed = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, Signature=0"

    def statuses() -> list[int]:
        found = []
        with contextlib.closing(http.client.HTTPConnection(server.url.removeprefix("http://"))) as connection:
            for method in ("GET", "DELETE", "GET"):
                connection.request(method, "/2015-03-31/functions/dash", headers={"authorization": signed})
                answer = connection.getresponse()
                answer.read()
                found.append(answer.status)
        return found

    # A body behind the 204 was read as the next answer's first line.
    assert await asyncio.to_thread(statuses) == [200, 204, 404]


async def test_versions_and_a_weighted_alias(server: LambdaServer) -> None:
    await server.active(Publish=True)
    await server.push("2", "two")

    def publish(client: Any) -> Any:
        client.update_function_code(FunctionName="dash", ImageUri=f"{URI}:2", Publish=True)
        client.get_waiter("published_version_active").wait(
            FunctionName="dash", Qualifier="2", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        return client.create_alias(
            FunctionName="dash",
            Name="live",
            FunctionVersion="1",
            RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
        )

    await server.call(publish)
    seen = {(await invoke(server, Qualifier="live"))[1]["text"] for _ in range(40)}
    assert seen == {"one", "two"}
    _, payload = await invoke(server, Qualifier="1")
    assert (payload["text"], payload["arn"]) == ("one", f"{ARN}:1")


async def test_log_lines_arrive_in_the_function_s_group(server: LambdaServer) -> None:
    await server.active()
    _, payload = await invoke(server)
    stream = payload["environment"]["AWS_LAMBDA_LOG_STREAM_NAME"]
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
    client = server.client("logs")
    for _ in range(1200):
        # The group is there as soon as the answer is, END and REPORT come a moment later.
        found = await asyncio.to_thread(client.filter_log_events, logGroupName="/aws/lambda/dash")
        messages = [event["message"] for event in found["events"] if event["logStreamName"] == stream]
        if any(message.startswith("REPORT") for message in messages):
            break
        await asyncio.sleep(0.05)
    assert [message.split()[0] for message in messages] == ["START", "handling", "END", "REPORT"]


async def test_events_are_run_later(server: LambdaServer) -> None:
    await server.active()
    answer, _ = await invoke(server, {"later": 1}, InvocationType="Event")
    assert answer["StatusCode"] == 202
    await server.service.settle()
    _, payload = await invoke(server)
    assert payload["calls"] == 2
    answer, _ = await invoke(server, InvocationType="DryRun")
    assert answer["StatusCode"] == 204


async def test_an_image_for_another_machine_fails_at_its_first_run(server: LambdaServer) -> None:
    await server.push("arm", "arm", architecture="arm64")
    await server.active(Code={"ImageUri": f"{URI}:arm"})
    answer, payload = await invoke(server)
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Runtime.InvalidEntrypoint"
    assert payload["errorMessage"].endswith("exec format error")


async def test_functions_survive_the_engine(tmp_path: Path) -> None:
    async with serving(tmp_path) as first:
        await first.push("1", "one")
        await first.active(Publish=True)
    async with serving(tmp_path, LambdaConfig(prewarm=False)) as second:
        _, payload = await invoke(second, Qualifier="1")
        assert payload["text"] == "one"
        got = await second.call(lambda client: client.get_function(FunctionName="dash"))
        assert got["Configuration"]["State"] == "Active"


async def test_an_idle_environment_ends_and_the_next_request_starts_another(tmp_path: Path) -> None:
    async with serving(tmp_path, LambdaConfig(idle_s=0.2)) as server:
        await server.push("1", "one")
        await server.active()
        await invoke(server)
        for _ in range(1200):
            if server.service.environments == 0:
                break
            await asyncio.sleep(0.05)
        assert server.service.environments == 0
        await server.service.settle()
        _, payload = await invoke(server)
        assert payload["calls"] == 1
