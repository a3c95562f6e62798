"""LocalStack's last release without a token as the delegate: it keeps S3, the engine adds the rest.

What this cannot show here is in docs/localstack-delegate.md: DynamoDB and Kinesis, whose servers LocalStack
downloads when they are first used.
"""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.contract.engine_process import EngineProcess, eventually, rss_bytes
from tests.contract.lambda_image import put_runtime_image
from tests.contract.localstack_process import VERSION, LocalStack
from tests.ports import free_port
from understudy.image.store import Store

MIB = 1 << 20
HANDLER = """
import os, socket


def handler(event, headers):
    host, _, port = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as stream:
        head = f"GET /seeds/note HTTP/1.1\\r\\nHost: {host}:{port}\\r\\nConnection: close"
        stream.sendall(f"{head}\\r\\n\\r\\n".encode())
        answer = b"".join(iter(lambda: stream.recv(65536), b""))
    print("read the note", flush=True)
    return {"statusCode": 200, "body": answer.partition(b"\\r\\n\\r\\n")[2].decode()}
"""
URI = "000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566/app"


class Pair:
    """An engine and the LocalStack behind it."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.engine = EngineProcess(folder / ".understudy", delegate_url=f"http://127.0.0.1:{port}")
        self.store = Store(self.engine.config.data_dir / "store")
        self.engine.start()
        self.localstack = LocalStack(folder / "l", port=port, public_port=self.engine.ready["port"])

    def delegate(self) -> dict[str, Any]:
        """What the engine's health says of its delegate."""
        health: dict[str, Any] = httpx.get(f"{self.engine.url}/_understudy/health", timeout=60).json()[
            "delegate"
        ]
        return health

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client of the engine."""
        return self.engine.client(service, **config)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The engine first: what it is asked before LocalStack is there waits for it."""
    made = Pair(tmp_path_factory.mktemp("external"))
    try:
        assert made.delegate()["state"] == "starting"
        with ThreadPoolExecutor(1) as pool:
            early = pool.submit(made.client("s3").create_bucket, Bucket="seeds")
            made.localstack.start()
            assert early.result()["ResponseMetadata"]["HTTPStatusCode"] == 200
        yield made
    finally:
        made.engine.close()
        made.localstack.stop()


def test_health_shows_a_delegate_that_is_no_child(pair: Pair) -> None:
    delegate = pair.delegate()
    assert delegate["name"] == f"localstack {VERSION}"
    assert delegate["state"] == "running"
    assert delegate["url"] == pair.localstack.url
    assert delegate["pid"] is None
    services = httpx.get(f"{pair.engine.url}/_localstack/health", timeout=60).json()["services"]
    assert services["s3"] in ("available", "running")
    assert {services[name] for name in ("ecr", "lambda", "apigateway", "logs")} == {"running"}


def test_what_localstack_refuses_the_engine_does(pair: Pair) -> None:
    direct = httpx.post(
        pair.localstack.url,
        content=b"{}",
        headers={
            "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
            "content-type": "application/x-amz-json-1.1",
        },
        timeout=60,
    )
    assert direct.status_code == 501
    assert "license" in direct.text
    assert pair.client("ecr").describe_repositories()["repositories"] == []


def test_an_http_api_calls_an_image_function_that_reads_localstacks_s3(pair: Pair) -> None:
    digest = put_runtime_image(pair.store.open(), handler=HANDLER)
    ecr, functions, apis, logs = (pair.client(name) for name in ("ecr", "lambda", "apigatewayv2", "logs"))
    logs.create_log_group(logGroupName="/aws/lambda/app")
    role = pair.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    pair.client("s3").put_object(Bucket="seeds", Key="note", Body=b"kept by LocalStack")
    ecr.create_repository(repositoryName="app")
    raw = pair.store.read(digest).decode()
    ecr.put_image(repositoryName="app", imageManifest=raw, imageTag="1")
    arn = functions.create_function(
        FunctionName="app", Role=role, PackageType="Image", Code={"ImageUri": f"{URI}:1"}
    )["FunctionArn"]
    functions.get_waiter("function_active_v2").wait(FunctionName="app", WaiterConfig={"Delay": 1})
    functions.add_permission(
        FunctionName="app",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    api = apis.create_api(Name="app", ProtocolType="HTTP", Target=arn)
    answer = httpx.get(
        f"{pair.engine.url}/", headers={"host": f"{api['ApiId']}.execute-api.localhost"}, timeout=60
    )
    assert (answer.status_code, answer.text) == (200, "kept by LocalStack")
    logged = eventually(
        lambda: logs.filter_log_events(logGroupName="/aws/lambda/app", filterPattern="note")["events"],
        "the function's line is in its log",
    )
    assert logged[0]["message"].strip() == "read the note"


def test_queue_urls_lead_back_to_the_engine(pair: Pair) -> None:
    sns, sqs = pair.client("sns"), pair.client("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    assert url == (
        f"http://sqs.us-east-1.localhost.localstack.cloud:{pair.engine.ready['port']}/000000000000/jobs"
    )
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, Message="through both")
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert message["Body"] == "through both"


def test_identities_keys_and_secrets_are_localstacks(pair: Pair) -> None:
    assert pair.client("sts").get_caller_identity()["Account"] == "000000000000"
    secret = pair.client("secretsmanager").create_secret(Name="token", SecretString="s")["ARN"]
    assert secret.startswith("arn:aws:secretsmanager:us-east-1:000000000000:secret:token-")
    key = pair.client("kms").create_key()["KeyMetadata"]["KeyId"]
    sealed = pair.client("kms").encrypt(KeyId=key, Plaintext=b"plain")["CiphertextBlob"]
    assert pair.client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"plain"


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_large_bodies_stream_through_in_flat_memory(pair: Pair, style: str) -> None:
    block, sha = os.urandom(MIB), hashlib.sha256()
    before = rss_bytes(pair.engine.pid)
    url = pair.client("s3", s3={"addressing_style": "path"}).generate_presigned_url(
        "put_object", Params={"Bucket": "seeds", "Key": style}
    )
    answer = httpx.put(url, content=(block for _ in range(64)), timeout=120)
    assert answer.status_code == 200, answer.text
    place, headers = f"{pair.engine.url}/seeds/{style}", {}
    if style == "virtual":
        place = f"{pair.engine.url}/{style}"
        headers = {"host": f"seeds.s3.localhost.localstack.cloud:{pair.engine.ready['port']}"}
    with httpx.stream("GET", place, headers=headers, timeout=120) as stream:
        for chunk in stream.iter_bytes():
            sha.update(chunk)
    assert sha.digest() == hashlib.sha256(block * 64).digest()
    assert rss_bytes(pair.engine.pid) - before < 24 * MIB


def test_localstacks_own_errors_pass_as_they_are(pair: Pair) -> None:
    with pytest.raises(ClientError) as caught:
        pair.client("s3").get_object(Bucket="seeds", Key="absent")
    assert caught.value.response["Error"]["Code"] == "NoSuchKey"


def test_localstack_may_go_and_come_back(pair: Pair) -> None:
    before = pair.delegate()["restarts"]
    pair.localstack.stop()
    eventually(lambda: pair.delegate()["state"] == "unreachable", "health shows that it is gone")
    assert pair.client("ecr").describe_repositories()["repositories"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(pair.client("s3").list_buckets)
        pair.localstack.start()
        assert waiting.result()["Buckets"] == []
    assert (pair.delegate()["state"], pair.delegate()["restarts"]) == ("running", before + 1)
