"""The server that all doubles are made of: clients cannot tell it from the endpoint behind."""

import socket
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.contract import reconcile_servers as servers
from tests.doubles import wire
from tests.doubles.server import Double, Dropped, Forward
from tests.doubles.wire import Call, Message


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.moto_process(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture
def double(moto: str) -> Iterator[Double]:
    with Double(moto) as double:
        yield double


def client(double: Double, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=double.url,
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def test_calls_of_every_protocol_are_known_and_answered(double: Double) -> None:
    s3, api = client(double, "s3"), client(double, "apigatewayv2")
    s3.create_bucket(Bucket="double")
    s3.put_bucket_versioning(Bucket="double", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="double", Key="a/b", Body=b"text")
    assert s3.get_object(Bucket="double", Key="a/b")["Body"].read() == b"text"
    assert s3.head_object(Bucket="double", Key="a/b")["ContentLength"] == 4
    client(double, "iam").list_roles()
    client(double, "sts").get_caller_identity()
    client(double, "dynamodb").list_tables()
    found = api.create_api(Name="x", ProtocolType="HTTP")
    api.get_api(ApiId=found["ApiId"])
    client(double, "lambda").list_functions()
    client(double, "logs").describe_log_groups()
    client(double, "ecr").describe_repositories()
    assert [(call.service, call.operation) for call in double.calls] == [
        ("s3", "CreateBucket"),
        ("s3", "PutBucketVersioning"),
        ("s3", "PutObject"),
        ("s3", "GetObject"),
        ("s3", "HeadObject"),
        ("iam", "ListRoles"),
        ("sts", "GetCallerIdentity"),
        ("dynamodb", "ListTables"),
        ("apigatewayv2", "CreateApi"),
        ("apigatewayv2", "GetApi"),
        ("lambda", "ListFunctions"),
        ("logs", "DescribeLogGroups"),
        ("ecr", "DescribeRepositories"),
    ]
    assert double.calls[8].params["name"] == "x"
    assert double.calls[9].params == {"apiId": found["ApiId"]}
    assert [call.writes for call in double.calls[:5]] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("lambda", "get_function", {"FunctionName": "f"}),
        ("dynamodb", "list_tables", {}),
        ("iam", "list_roles", {}),
        ("s3", "get_bucket_cors", {"Bucket": "b"}),
    ],
)
def test_refusals_are_read_as_the_service_writes_them(
    double: Double, service: str, operation: str, params: dict[str, str]
) -> None:
    async def refuse(call: Call, forward: Forward) -> Message:
        return wire.refusal(call, "ThrottlingException", "Rate exceeded", 429)

    double.hook = refuse
    with pytest.raises(ClientError) as caught:
        getattr(client(double, service), operation)(**params)
    error = caught.value.response
    assert (error["Error"]["Code"], error["Error"]["Message"]) == ("ThrottlingException", "Rate exceeded")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_dropped_call_is_a_closed_connection(double: Double) -> None:
    async def drop(call: Call, forward: Forward) -> Message:
        raise Dropped

    double.hook = drop
    with pytest.raises(ConnectionClosedError):
        client(double, "iam").list_roles()


def test_what_dead_clients_sent_has_had_its_effect_when_it_is_idle(double: Double) -> None:
    host, _, port = double.url.removeprefix("http://").partition(":")
    for _ in range(8):
        with socket.create_connection((host, int(port))) as dying:
            dying.sendall(b"GET /moto-api/ HTTP/1.1\r\nhost: x\r\n\r\n")
    double.wait_idle()
    assert len(double.calls) == 8
