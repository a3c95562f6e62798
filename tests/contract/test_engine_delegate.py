"""The delegate for real: streaming, waiting, restarts, durability, and another emulator in its place."""

import hashlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.engine_process import EngineProcess, eventually, rss_bytes
from tests.fakes.asgi import ask, scope
from understudy.engine.delegate import install
from understudy.engine.delegate.launch import Launch
from understudy.engine.delegate.supervisor import SupervisedDelegate
from understudy.errors import EnvironmentProblemError

MIB = 1024 * 1024
TABLE: dict[str, Any] = {
    "TableName": "items",
    "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(tmp_path_factory.mktemp("delegate") / ".understudy").start()
    process.client("s3").create_bucket(Bucket="bucket")
    yield process
    process.close()


def _delegate(engine: EngineProcess) -> dict[str, Any]:
    health: dict[str, Any] = httpx.get(f"{engine.url}/_understudy/health", timeout=60).json()["delegate"]
    return health


class _Pattern:
    """A body that exists nowhere as a whole."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        block = os.urandom(MIB)
        for _ in range(self.size // MIB):
            self.digest.update(block)
            yield block


def test_a_token_of_the_local_cognito_opens_a_route(engine: EngineProcess) -> None:
    people, apis = engine.client("cognito-idp"), engine.client("apigatewayv2")
    pool = people.create_user_pool(PoolName="people")["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    app = people.create_user_pool_client(UserPoolId=pool, ClientName="web", ExplicitAuthFlows=flows)
    client_id = app["UserPoolClient"]["ClientId"]
    people.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
    people.admin_set_user_password(UserPoolId=pool, Username="ann", Password="Secret-123", Permanent=True)
    signed_in = people.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": "Secret-123"},
    )["AuthenticationResult"]

    api = apis.create_api(Name="guarded", ProtocolType="HTTP")["ApiId"]
    target = apis.create_integration(
        ApiId=api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="GET",
        IntegrationUri=f"{engine.url}/_understudy/health",
    )["IntegrationId"]
    guard = apis.create_authorizer(
        ApiId=api,
        Name="people",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={
            "Issuer": f"https://cognito-idp.us-east-1.amazonaws.com/{pool}",
            "Audience": [client_id],
        },
    )["AuthorizerId"]
    apis.create_route(
        ApiId=api,
        RouteKey="$default",
        Target=f"integrations/{target}",
        AuthorizationType="JWT",
        AuthorizerId=guard,
    )
    apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)

    url = f"{engine.url}/_aws/execute-api/{api}/"
    assert httpx.get(url, timeout=60).status_code == 401
    for token in ("AccessToken", "IdToken"):
        answer = httpx.get(url, headers={"authorization": f"Bearer {signed_in[token]}"}, timeout=60)
        assert (answer.status_code, answer.headers.get("www-authenticate")) == (200, None)


def test_large_bodies_stream_through_in_flat_memory(engine: EngineProcess) -> None:
    body = _Pattern(192 * MIB)
    before = rss_bytes(engine.pid)
    headers = {"content-length": str(body.size)}
    url = engine.client("s3").generate_presigned_url(
        "put_object", Params={"Bucket": "bucket", "Key": "large"}
    )
    answer = httpx.put(url, content=iter(body), headers=headers, timeout=120)
    assert answer.status_code == 200, answer.text
    after_put = rss_bytes(engine.pid)
    received = hashlib.sha256()
    url = engine.client("s3").generate_presigned_url(
        "get_object", Params={"Bucket": "bucket", "Key": "large"}
    )
    with httpx.stream("GET", url, timeout=120) as stream:
        assert stream.headers["content-length"] == str(body.size)
        for chunk in stream.iter_bytes():
            received.update(chunk)
    assert received.hexdigest() == body.digest.hexdigest()
    assert after_put - before < 24 * MIB
    assert rss_bytes(engine.pid) - before < 24 * MIB
    engine.client("s3").delete_object(Bucket="bucket", Key="large")


def test_a_chunked_body_without_length_passes(engine: EngineProcess) -> None:
    url = engine.client("s3").generate_presigned_url(
        "put_object", Params={"Bucket": "bucket", "Key": "chunked"}
    )
    assert httpx.put(url, content=iter([b"a" * 70_000, b"b"]), timeout=60).status_code == 200
    found = engine.client("s3").get_object(Bucket="bucket", Key="chunked")["Body"].read()
    assert found == b"a" * 70_000 + b"b"


def test_expect_continue_is_answered_before_the_body(engine: EngineProcess) -> None:
    with socket.create_connection(("127.0.0.1", engine.ready["port"]), timeout=60) as client:
        client.sendall(
            b"PUT /bucket/expected HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n"
            b"expect: 100-continue\r\nconnection: close\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 100 Continue")
        client.sendall(b"hello")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_s3_addressing_styles_and_sdk_checksums(engine: EngineProcess, style: str) -> None:
    client = engine.client("s3", s3={"addressing_style": "path"})
    client.put_object(Bucket="bucket", Key="dir/a b+c.txt", Body=b"x" * 100_000)
    if style == "path":
        head = client.head_object(Bucket="bucket", Key="dir/a b+c.txt")
        assert head["ContentLength"] == 100_000
    else:
        url = f"{engine.url}/dir/a%20b%2Bc.txt"
        answer = httpx.get(url, headers={"host": "bucket.s3.localhost.localstack.cloud:4566"}, timeout=60)
        assert (answer.status_code, len(answer.content)) == (200, 100_000)


def test_a_request_during_a_restart_waits_for_it(engine: EngineProcess) -> None:
    before = eventually(lambda: _delegate(engine) if _delegate(engine)["pid"] else None, "delegate runs")
    os.kill(before["pid"], signal.SIGKILL)
    eventually(lambda: _delegate(engine)["pid"] != before["pid"], "the child's end was noticed")
    assert [each["Name"] for each in engine.client("s3").list_buckets()["Buckets"]] == ["bucket"]
    after = _delegate(engine)
    assert after["state"] == "running"
    assert after["restarts"] == before["restarts"] + 1


def test_what_was_written_survives_kill_9_of_both(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / ".understudy").start()
    try:
        table, bucket = engine.client("dynamodb"), engine.client("s3")
        table.create_table(**TABLE)
        table.get_waiter("table_exists").wait(TableName="items")
        bucket.create_bucket(Bucket="bucket")
        bucket.put_object(Bucket="bucket", Key="key", Body=b"kept", ContentType="text/x-kept")
        table.put_item(TableName="items", Item={"k": {"S": "kept"}})
        state = tmp_path / ".understudy" / "delegate" / "state" / "dynamodb.json"
        eventually(lambda: state.exists() and '"kept"' in state.read_text(), "the delegate saved")
        child = _delegate(engine)["pid"]
        os.kill(engine.pid, signal.SIGSTOP)
        os.kill(child, signal.SIGKILL)
        engine.stop(signal.SIGKILL)
        engine.start()
        item = engine.client("dynamodb").get_item(TableName="items", Key={"k": {"S": "kept"}})["Item"]
        assert item == {"k": {"S": "kept"}}
        found = engine.client("s3").get_object(Bucket="bucket", Key="key")
        assert (found["Body"].read(), found["ContentType"]) == (b"kept", "text/x-kept")
    finally:
        engine.close()


def test_kill_9_of_the_engine_alone_loses_nothing(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / ".understudy").start()
    try:
        table = engine.client("dynamodb")
        table.create_table(**TABLE)
        table.get_waiter("table_exists").wait(TableName="items")
        for number in range(20):
            table.put_item(TableName="items", Item={"k": {"S": str(number)}})
        engine.stop(signal.SIGKILL)
        engine.start()
        assert engine.client("dynamodb").scan(TableName="items")["Count"] == 20
    finally:
        engine.close()


def test_the_private_port_is_private(engine: EngineProcess) -> None:
    pid = eventually(lambda: _delegate(engine)["pid"], "delegate runs")
    port = eventually(lambda: _listening_port(pid), "delegate listens")
    assert httpx.get(f"http://127.0.0.1:{port}/", timeout=60).status_code == 403


def _listening_port(pid: int) -> int | None:
    inodes = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
            return int(fields[1].rpartition(":")[2], 16)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MotoServer:
    """moto's server as a delegate."""

    name: str = "moto"

    def launch(self, *, socket_fd: int, port: int) -> Launch:
        """Runs on its own port: the inherited socket is closed before it binds."""
        argv = f"['-H', '127.0.0.1', '-p', '{port}']"
        script = f"import os; os.close({socket_fd}); from moto.server import main; main({argv})"
        return Launch(
            argv=(sys.executable, "-c", script), environment=dict(os.environ), health_path="/moto-api/"
        )


@pytest.fixture
async def moto(tmp_path: Path) -> AsyncIterator[SupervisedDelegate]:
    delegate = SupervisedDelegate(MotoServer(), log_path=tmp_path / "moto.log")
    await delegate.start()
    yield delegate
    await delegate.stop()


async def test_moto_server_can_take_its_place(moto: SupervisedDelegate) -> None:
    headers = {
        "x-amz-target": "DynamoDB_20120810.CreateTable",
        "authorization": "AWS4-HMAC-SHA256 Credential=test/20260102/us-east-1/dynamodb/aws4_request, x",
        "content-type": "application/x-amz-json-1.0",
    }
    body = json.dumps(TABLE).encode()
    answer = await ask(moto.handle, scope("POST", "/", {**headers, "content-length": str(len(body))}), [body])
    assert answer.status == 200, answer.body
    assert answer.document["TableDescription"]["TableName"] == "items"
    assert moto.status().state == "running"
    bucket = {"authorization": headers["authorization"].replace("dynamodb", "s3"), "content-length": "0"}
    assert (await ask(moto.handle, scope("PUT", "/a-bucket", bucket))).status == 200


async def test_a_delegate_that_never_comes_is_reported(tmp_path: Path) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Broken:
        name: str = "broken"

        def launch(self, *, socket_fd: int, port: int) -> Launch:
            return Launch(argv=(sys.executable, "-c", "raise SystemExit(7)"), environment={})

    delegate = SupervisedDelegate(Broken(), log_path=tmp_path / "x.log", ready_within_s=0.5)
    await delegate.start()
    answer = await ask(delegate.handle, scope("GET", "/"))
    assert answer.status == 503
    assert str(tmp_path / "x.log") in answer.document["message"]
    assert delegate.status().restarts >= 1
    await delegate.stop()


def test_install_makes_a_whole_environment_or_says_why_not(tmp_path: Path) -> None:
    lock = tmp_path / "delegate.txt"
    lock.write_text("this is no requirement\n")
    with pytest.raises(EnvironmentProblemError, match="cannot be made"):
        install.install(tmp_path / "cache", requirements=lock)
    assert not install.is_installed(tmp_path / "cache", lock)
    lock.write_text("")
    lines: list[str] = []
    python = install.install(tmp_path / "cache", requirements=lock, progress=lines.append)
    assert python.exists()
    assert lines[-1] == "the delegate's environment is ready"
