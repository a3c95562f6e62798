"""Errors of AWS and of applying, in our own types: nothing of botocore leaves this package."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
)
from botocore.parsers import ResponseParserError

from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.manifests.model import ResourceKey
from understudy.reconcile import retries

if TYPE_CHECKING:
    from understudy.reconcile.model import ApplyReport

ABSENT = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "ImageNotFoundException",
        "LifecyclePolicyNotFoundException",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchCORSConfiguration",
        "NoSuchEntity",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchTagSet",
        "NotFound",
        "NotFoundException",
        "ObjectLockConfigurationNotFoundError",
        "OwnershipControlsNotFoundError",
        "PolicyNotFoundException",
        "ProvisionedConcurrencyConfigNotFoundException",
        "QueueDoesNotExist",
        "RepositoryNotFoundException",
        "RepositoryPolicyNotFoundException",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
        "TableNotFoundException",
    }
)
"""Codes that say that there is no such thing."""
_EXISTING = frozenset(
    {
        "AlreadyExistsException",
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "ConflictException",
        "EntityAlreadyExists",
        "EntityAlreadyExistsException",
        "RepositoryAlreadyExistsException",
        "ResourceAlreadyExistsException",
        "ResourceConflictException",
        "ResourceInUseException",
    }
)
# What is deleted holds something that a read, which lagged, did not show.
_NOT_EMPTY = frozenset({"BucketNotEmpty", "DeleteConflict", "DeleteConflictException"})


class AwsError(UnderstudyError):
    """AWS refused a call.

    Attributes:
        operation: the AWS operation.
        aws_code: AWS's error code, as `ResourceConflictException`.
        status: HTTP status.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        operation: str,
        aws_code: str,
        status: int,
        retryable: bool = False,
    ) -> None:
        super().__init__("aws-refused", message, hint=hint, where=operation, retryable=retryable)
        self.operation = operation
        self.aws_code = aws_code
        self.status = status


class AmbiguousError(UnderstudyError):
    """Several resources could be the one that a manifest means."""


class ApplyError(UnderstudyError):
    """Some resources could not be brought to their desired state; the others are.

    Attributes:
        failures: the error per resource.
        report: what was done before and beside.
    """

    def __init__(self, failures: Mapping[ResourceKey, UnderstudyError], report: "ApplyReport") -> None:
        key, first = next(iter(failures.items()))
        others = "".join(f"\n  also: {other}: {error.message}" for other, error in list(failures.items())[1:])
        super().__init__(
            first.code,
            f"{key}: {first.message}{others}",
            hint=first.hint,
            where=first.where,
            retryable=first.retryable,
        )
        self.failures = failures
        self.report = report


_HINTS: Mapping[str, str] = {
    "ExpiredToken": "sign in again, for example aws sso login",
    "ExpiredTokenException": "sign in again, for example aws sso login",
    "UnrecognizedClientException": "check the credentials with aws sts get-caller-identity",
    "InvalidClientTokenId": "check the credentials with aws sts get-caller-identity",
    "AccessDenied": "grant the action that the message names to this identity",
    "AccessDeniedException": "grant the action that the message names to this identity",
}


def is_passing(error: UnderstudyError) -> bool:
    """Whether looking at the resource again may show a way on: AWS was busy, cut off, behind or ahead."""
    if isinstance(error, AwsError):
        return error.retryable or error.aws_code in ABSENT | _EXISTING | _NOT_EMPTY
    return error.code == "aws-client" and error.retryable


def code_of(error: ClientError) -> str:
    """AWS's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def text_of(error: ClientError) -> str:
    """AWS's error message."""
    return str(error.response.get("Error", {}).get("Message", ""))


@contextmanager
def translated() -> Iterator[None]:
    """Raises our errors in the place of botocore's.

    Raises:
        AwsError: AWS refused a call.
        UnderstudyError: AWS's model forbids a value before it is sent.
        EnvironmentProblemError: there are no credentials, or nothing answers at the endpoint.
    """
    try:
        yield
    except ClientError as exc:
        code = code_of(exc)
        status = int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        hint = _HINTS.get(code, "correct what the message names, then run the same command again")
        message = f"{exc.operation_name} was refused: {code}: {text_of(exc)}"
        raise AwsError(
            message,
            hint=hint,
            operation=exc.operation_name,
            aws_code=code,
            status=status,
            retryable=status >= 500 or retries.settles(code, text_of(exc)),
        ) from exc
    except ParamValidationError as exc:
        raise UnderstudyError(
            "aws-parameters",
            " ".join(str(exc).split()),
            hint="correct the value in the manifest, then run the same command again",
        ) from exc
    except NoCredentialsError as exc:
        raise EnvironmentProblemError(
            "aws-credentials", "no AWS credentials were found", hint="sign in, for example aws sso login"
        ) from exc
    except EndpointConnectionError as exc:
        raise EnvironmentProblemError(
            "aws-unreachable", str(exc), hint="./understudy up", retryable=True
        ) from exc
    except (BotoCoreError, ResponseParserError) as exc:
        raise EnvironmentProblemError(
            "aws-client",
            f"{type(exc).__name__}: {exc}",
            hint="run the same command again",
            retryable=isinstance(exc, HTTPClientError | ConnectTimeoutError | ResponseParserError),
        ) from exc
