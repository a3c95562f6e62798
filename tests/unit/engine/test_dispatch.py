"""Dispatch: the signature decides, then the target header, then the path."""

import pytest

from understudy.engine import dispatch
from understudy.engine.dispatch import Dispatcher, Signature

ALL = Dispatcher(["lambda", "ecr", "apigateway", "apigatewayv2", "logs"])


def _signed(service: str, key: str = "test", region: str = "eu-west-1") -> bytes:
    credential = f"{key}/20260102/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host".encode()


def test_reads_the_authorization_header() -> None:
    found = dispatch.signature({b"authorization": _signed("lambda", "123456789012")}, b"")
    assert found == Signature(access_key="123456789012", region="eu-west-1", service="lambda")
    assert dispatch.account_id(found) == "123456789012"


def test_reads_a_presigned_query() -> None:
    query = b"X-Amz-Algorithm=A&X-Amz-Credential=AKIA%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=1"
    found = dispatch.signature({}, query)
    assert found == Signature(access_key="AKIA", region="us-east-1", service="s3")
    assert dispatch.account_id(found) == "000000000000"


@pytest.mark.parametrize(
    "header", [b"Bearer x", b"Basic eA==", b"AWS4-HMAC-SHA256 Credential=x", b"AWS4-HMAC"]
)
def test_other_authorizations_sign_nothing(header: bytes) -> None:
    assert dispatch.signature({b"authorization": header}, b"") is None


def test_reads_a_signature_without_region() -> None:
    header = b"AWS4-ECDSA-P256-SHA256 Credential=AKIA/20260102/s3/aws4_request, SignedHeaders=host"
    assert dispatch.signature({b"authorization": header}, b"") == Signature(
        access_key="AKIA", region="us-east-1", service="s3"
    )


@pytest.mark.parametrize(
    ("scope", "target", "path", "expected"),
    [
        pytest.param("lambda", None, "/2015-03-31/functions", "lambda", id="lambda"),
        pytest.param("ecr", b"AmazonEC2ContainerRegistry_V20150921.X", "/", "ecr", id="ecr"),
        pytest.param("apigateway", None, "/v2/apis/x", "apigatewayv2", id="http-api"),
        pytest.param("apigateway", None, "/restapis", "apigateway", id="rest-api"),
        pytest.param("s3", None, "/v2/apis", None, id="a-bucket-named-v2"),
        pytest.param("dynamodb", b"DynamoDB_20120810.GetItem", "/", None, id="delegated"),
        pytest.param(None, b"Logs_20140328.PutLogEvents", "/", "logs", id="unsigned-target"),
        pytest.param(None, b"DynamoDB_20120810.GetItem", "/", None, id="unsigned-delegated"),
    ],
)
def test_finds_the_signed_service(
    scope: str | None, target: bytes | None, path: str, expected: str | None
) -> None:
    signed = dispatch.signature({b"authorization": _signed(scope)}, b"") if scope else None
    assert ALL.signed(signed, target, path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/2015-03-31/functions/f/invocations", "lambda"),
        ("/2020-05-31/distribution", None),
        ("/v2/apis", "apigatewayv2"),
        ("/v2/apisx", None),
        ("/bucket/key", None),
    ],
)
def test_finds_an_unsigned_service_by_path(path: str, expected: str | None) -> None:
    assert ALL.unsigned(path) == expected


def test_a_service_that_is_not_there_is_never_chosen() -> None:
    nothing = Dispatcher([])
    assert nothing.unsigned("/2015-03-31/functions") is None
    assert nothing.signed(Signature(access_key="x", region="y", service="ecr"), None, "/") is None
