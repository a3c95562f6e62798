"""Lambda's refusals with AWS's names and texts.

Texts are those that AWS answered when LocalStack's test suite was recorded against it
(tests/aws/services/lambda_/*.snapshot.json in localstack/localstack) or that users quote in public threads;
where AWS has no text because the limit is ours, the message says "understudy".
"""

from understudy.engine.protocol import ApiError

_USER = {"Type": "User"}

REVISION_MISMATCH = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)


def invalid_parameter(message: str) -> ApiError:
    """A value that Lambda understood and does not accept."""
    return ApiError("InvalidParameterValueException", message, status=400, fields=_USER)


def validation(member: str, value: object, constraint: str) -> ApiError:
    """A value that does not fit the member's constraint in the service model."""
    return ApiError("ValidationException", validation_text(member, value, constraint), status=400)


def validation_text(member: str, value: object, constraint: str) -> str:
    """AWS's wording of one broken constraint."""
    subject = f"Value '{value}' at '{member}'"
    return f"1 validation error detected: {subject} failed to satisfy constraint: {constraint}"


def not_found(message: str) -> ApiError:
    """Something named in the request does not exist."""
    return ApiError("ResourceNotFoundException", message, status=404, fields=_USER)


def function_not_found(arn: str) -> ApiError:
    """No function, version or alias has this ARN."""
    return not_found(f"Function not found: {arn}")


def conflict(message: str) -> ApiError:
    """The resource is in a state that does not allow the call."""
    return ApiError("ResourceConflictException", message, status=409, fields=_USER)


def update_in_progress(arn: str) -> ApiError:
    """A second change came before the first was done."""
    return conflict(
        f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
    )


def wrong_state(state: str) -> ApiError:
    """The function is not active."""
    return conflict(
        "The operation cannot be performed at this time. "
        f"The function is currently in the following state: {state}"
    )


def revision_mismatch() -> ApiError:
    """The caller's RevisionId is not the current one."""
    return ApiError("PreconditionFailedException", REVISION_MISMATCH, status=412, fields=_USER)


def throttled(reason: str) -> ApiError:
    """No room for another concurrent execution; `reason` is a member of ThrottleReason."""
    return ApiError(
        "TooManyRequestsException", "Rate Exceeded.", status=429, fields={"Reason": reason, "Type": "User"}
    )


def payload_too_large(size_bytes: int, invocation_type: str, limit_bytes: int) -> ApiError:
    """The request's payload exceeds the limit of its invocation type."""
    return ApiError(
        "RequestTooLargeException",
        f"{size_bytes} byte payload is too large for the {invocation_type} invocation type "
        f"(limit {limit_bytes} bytes)",
        status=413,
        fields=_USER,
    )


def bad_content(reason: str) -> ApiError:
    """The payload is not JSON."""
    return ApiError(
        "InvalidRequestContentException",
        f"Could not parse request body into json: Could not parse payload into json: {reason}",
        status=400,
        fields=_USER,
    )


def access_denied() -> ApiError:
    """The ARN belongs to another account."""
    return ApiError("AccessDeniedException", "", status=403)


def image_access_denied() -> ApiError:
    """The image is another account's, whose repository does not let Lambda in."""
    return ApiError(
        "AccessDeniedException",
        "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
        status=403,
    )


def not_here(what: str) -> ApiError:
    """A feature of Lambda that understudy refuses rather than pretends to have."""
    return invalid_parameter(f"understudy does not support {what}")
