import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.manifests.model import ResourceKey
from understudy.reconcile import errors
from understudy.reconcile.errors import ApplyError, AwsError
from understudy.reconcile.model import ApplyReport, Observed


def test_ours_do_not_derive_from_botocore() -> None:
    for ours in (AwsError, ApplyError):
        assert issubclass(ours, UnderstudyError)
        assert not issubclass(ours, BotoCoreError | ClientError)


def test_refusal_keeps_code_operation_and_status() -> None:
    refused = ClientError(
        {
            "Error": {"Code": "AccessDeniedException", "Message": "no"},
            "ResponseMetadata": {
                "HTTPStatusCode": 403,
                "RequestId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
                "HostId": "",
            },
        },
        "CreateFunction",
    )
    with pytest.raises(AwsError) as caught, errors.translated():
        raise refused
    found = caught.value
    assert (found.aws_code, found.operation, found.status, found.retryable) == (
        "AccessDeniedException",
        "CreateFunction",
        403,
        False,
    )
    assert found.hint.startswith("grant the action")
    assert found.__cause__ is refused


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoCredentialsError(), "aws-credentials"),
        (EndpointConnectionError(endpoint_url="http://localhost:4566"), "aws-unreachable"),
        (ReadTimeoutError(endpoint_url="http://localhost:4566"), "aws-client"),
    ],
)
def test_problems_of_the_environment_have_their_own_type(error: Exception, code: str) -> None:
    with pytest.raises(EnvironmentProblemError) as caught, errors.translated():
        raise error
    assert caught.value.code == code


def test_value_that_aws_s_model_forbids_is_the_manifest_s_fault() -> None:
    report = "Invalid length for parameter Name, value: 1"
    with (
        pytest.raises(UnderstudyError, match="Invalid length for parameter Name") as caught,
        errors.translated(),
    ):
        raise ParamValidationError(report=report)
    assert (caught.value.code, caught.value.retryable) == ("aws-parameters", False)


def test_apply_error_tells_every_failure() -> None:
    failures = {
        ResourceKey("Role", name): UnderstudyError("code", f"{name} failed", hint="do it")
        for name in ("a", "b")
    }
    report = ApplyReport(applied={}, observed=Observed(resources={}), duration_s=0)
    found = ApplyError(failures, report)
    assert found.message == "Role/a: a failed\n  also: Role/b: b failed"
    assert found.hint == "do it"
