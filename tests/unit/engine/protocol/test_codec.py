"""The codec agrees with botocore: what its serialiser sends we read, what we answer its parser reads."""

import functools
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import prepare_request_dict
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from tests.unit.engine.protocol.shape_strategies import values
from understudy.engine.protocol import codec
from understudy.engine.protocol.call import ApiError, HttpRequest, HttpResponse

SERVICES = ["lambda", "ecr", "apigatewayv2", "logs"]
_model = functools.cache(codec.load_model)
RELAXED = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def _operations(model: ServiceModel, *, output: bool) -> list[OperationModel]:
    """The operations whose input (or output) is no event stream."""
    operations = [model.operation_model(name) for name in model.operation_names]
    if output:
        return [
            operation
            for operation in operations
            if operation.output_shape and not operation.has_event_stream_output
        ]
    return [operation for operation in operations if operation.input_shape]


def sent(operation: OperationModel, params: dict[str, Any]) -> HttpRequest:
    """The request that a botocore client sends for these parameters."""
    protocol = operation.service_model.metadata["protocol"]
    request = create_serializer(protocol, include_validation=False).serialize_to_request(params, operation)
    prepare_request_dict(request, "http://localhost:4566", context={})
    url = urlsplit(request["url"])
    body = request["body"]
    return HttpRequest(
        method=request["method"],
        path=url.path,
        query=url.query,
        headers={name.lower(): str(value) for name, value in request["headers"].items()},
        body=body.encode() if isinstance(body, str) else bytes(body or b""),
    )


def received(operation: OperationModel, response: HttpResponse) -> dict[str, Any]:
    """What a botocore client makes of a response."""
    streaming = operation.has_streaming_output
    assert isinstance(response.body, bytes)
    wire = {
        "status_code": response.status,
        "headers": CaseInsensitiveDict({k.decode(): v.decode("latin-1") for k, v in response.headers}),
        # botocore hands a streaming body to its parser unread; a list stands for the stream here.
        "body": [response.body] if streaming else response.body,
        "context": {},
    }
    parser = create_parser(operation.service_model.metadata["protocol"])
    parsed: dict[str, Any] = parser.parse(wire, operation.output_shape)
    parsed.pop("ResponseMetadata", None)
    return parsed


@pytest.mark.parametrize("service", SERVICES)
@RELAXED
@given(data=st.data())
def test_reads_what_botocore_sends(service: str, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(_operations(_model(service), output=False)))
    assert operation.input_shape is not None
    params = data.draw(values(operation.input_shape))
    parsed = codec.codec(service).decode(sent(operation, params))
    assert parsed.operation == operation.name
    assert parsed.params == _as_sent(operation, params)


def _as_sent(operation: OperationModel, params: dict[str, Any]) -> dict[str, Any]:
    """Drops what the wire cannot carry: an empty list in a query, an empty raw payload."""
    assert operation.input_shape is not None
    payload = operation.input_shape.serialization.get("payload")
    if payload and operation.input_shape.members[payload].type_name == "structure":
        params = {payload: {}, **params}
    located = {
        name
        for name, member in operation.input_shape.members.items()
        if "location" in member.serialization or (name == payload and member.type_name == "blob")
    }
    return {name: value for name, value in params.items() if name not in located or value not in ([], b"")}


@pytest.mark.parametrize("service", SERVICES)
@RELAXED
@given(data=st.data())
def test_answers_what_botocore_reads(service: str, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(_operations(_model(service), output=True)))
    shape = operation.output_shape
    assert shape is not None
    output = data.draw(values(shape))
    response = codec.codec(service).serialise(operation.name, output, "id")
    parsed = received(operation, response)
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name == "blob":
        body = parsed.pop(payload)
        expected = output.get(payload, b"")
        assert (body[0] if isinstance(body, list) else body.encode()) == expected
        output.pop(payload, None)
    elif payload and payload not in output:
        parsed.pop(payload)
    for name, member in shape.members.items():
        if member.serialization.get("location") == "statusCode":
            output.setdefault(name, response.status)
    assert parsed == output


ERRORS = [
    pytest.param(
        "lambda",
        ApiError("ResourceNotFoundException", "Function not found: f"),
        404,
        b'{"Type":"User","Message":"Function not found: f"}',
        id="lambda-capital-Message-and-Type",
    ),
    pytest.param(
        "lambda",
        ApiError("ResourceConflictException", "Function already exist: f"),
        409,
        b'{"Type":"User","message":"Function already exist: f"}',
        id="lambda-small-message",
    ),
    pytest.param(
        "ecr",
        ApiError("RepositoryNotFoundException", "gone"),
        400,
        b'{"__type":"RepositoryNotFoundException","message":"gone"}',
        id="ecr",
    ),
    pytest.param(
        "logs",
        ApiError("ResourceNotFoundException", "The specified log group does not exist."),
        400,
        b'{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}',
        id="logs",
    ),
    pytest.param(
        "apigatewayv2",
        ApiError("NotFoundException", "Invalid API identifier specified"),
        404,
        b'{"message":"Invalid API identifier specified"}',
        id="apigatewayv2-small-message",
    ),
]


@pytest.mark.parametrize(("service", "error", "status", "body"), ERRORS)
def test_words_an_error_as_the_service_does(service: str, error: ApiError, status: int, body: bytes) -> None:
    response = codec.codec(service).serialise_error(error, "id")
    assert (response.status, response.body) == (status, body)
    if service in ("lambda", "apigatewayv2"):
        assert (b"x-amzn-errortype", error.code.encode()) in response.headers


def test_an_error_carries_its_further_members() -> None:
    error = ApiError(
        "TooManyRequestsException",
        "Rate Exceeded.",
        fields={"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "retryAfterSeconds": "1"},
    )
    response = codec.codec("lambda").serialise_error(error, "id")
    assert response.status == 429
    assert (b"retry-after", b"1") in response.headers
    assert b"ReservedFunctionConcurrentInvocationLimitExceeded" in response.body


def test_an_invoke_answer_is_the_payload_with_its_headers() -> None:
    output = {
        "StatusCode": 200,
        "Payload": b"[1]",
        "FunctionError": "Unhandled",
        "ExecutedVersion": "$LATEST",
    }
    response = codec.codec("lambda").serialise("Invoke", {**output, "LogResult": "bG9n"}, "id-1")
    assert response.body == b"[1]"
    assert {
        (b"x-amz-function-error", b"Unhandled"),
        (b"x-amz-executed-version", b"$LATEST"),
        (b"x-amz-log-result", b"bG9n"),
        (b"x-amzn-requestid", b"id-1"),
    } <= set(response.headers)


def test_refuses_an_output_member_that_the_model_does_not_know() -> None:
    with pytest.raises(KeyError, match="Nonsense"):
        codec.codec("ecr").serialise("DescribeImages", {"Nonsense": 1}, "id")
    with pytest.raises(KeyError, match="answers nothing"):
        codec.codec("logs").serialise("CreateLogGroup", {"x": 1}, "id")


def test_names_an_unknown_operation() -> None:
    with pytest.raises(ApiError, match="UnknownOperationException: Unknown operation Dance"):
        codec.codec("ecr").parse(HttpRequest(method="POST", path="/", headers={"x-amz-target": "E.Dance"}))
    with pytest.raises(ApiError, match="PATCH /2015-03-31/functions"):
        codec.codec("lambda").parse(HttpRequest(method="PATCH", path="/2015-03-31/functions"))


@pytest.mark.parametrize(
    ("service", "code"), [("lambda", "InvalidRequestContentException"), ("logs", "SerializationException")]
)
def test_refuses_a_body_that_is_no_json(service: str, code: str) -> None:
    request = HttpRequest(
        method="POST",
        path="/2015-03-31/functions" if service == "lambda" else "/",
        headers={"x-amz-target": "Logs_20140328.CreateLogGroup"},
        body=b"{",
    )
    with pytest.raises(ApiError, match=code):
        codec.codec(service).parse(request)


def test_refuses_a_service_of_another_protocol() -> None:
    with pytest.raises(NotImplementedError, match="rest-xml"):
        codec.Codec(_model("s3"))
