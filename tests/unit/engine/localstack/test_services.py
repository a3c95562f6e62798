"""What ``SERVICES`` stands for, and how a service that it leaves out answers."""

import json

from understudy.engine.localstack import services


def test_composites_and_dependencies_are_added() -> None:
    found = services.resolve(["lambda", "ssm"])
    assert found.names == {"lambda", "s3", "sts", "ssm", "secretsmanager", "kms"}
    assert {"dynamodbstreams", "kinesis", "apigateway"} <= services.resolve(["serverless"]).names
    assert services.resolve(["apigatewayv2"]).names == {"apigateway"}
    assert services.resolve(["swf", "s3"]).unknown == ("swf",)


def test_a_disabled_service_answers_in_the_form_of_its_protocol() -> None:
    text = "Service 'cloudwatch' is not enabled. Please check your 'SERVICES' configuration variable."
    answer = services.disabled("monitoring", b"application/x-amz-json-1.0")
    assert (answer.status, json.loads(bytes(answer.body))["message"]) == (501, text)  # type: ignore[arg-type]
    query = services.disabled("sts", b"application/x-www-form-urlencoded; charset=utf-8")
    assert bytes(query.body).startswith(b"<ErrorResponse><Error>")  # type: ignore[arg-type]
    assert bytes(services.disabled("s3", b"").body).startswith(b"<Error>")  # type: ignore[arg-type]
