"""Asks one version of a function whether it runs the image that it should, and answers."""

import json

from understudy.reconcile import invocation
from understudy.reconcile.aws import Aws
from understudy.reconcile.rollout.model import RolloutError, Subject

HEALTH = "/health"
_OK = 200


def running_digest(aws: Aws, function: str, qualifier: str) -> str:
    """The digest of the image that a version or alias runs; empty when there is none of that name.

    AWS resolves the image that a function was given; an endpoint that resolves nothing repeats it.
    """
    answer = aws.find(aws.lambda_().get_function, FunctionName=function, Qualifier=qualifier)
    code = answer.get("Code", {}) if answer else {}
    found = (str(code.get(name, "")).partition("@")[2] for name in ("ResolvedImageUri", "ImageUri"))
    return next((digest for digest in found if digest), "")


def check(aws: Aws, subject: Subject, version: str) -> str:
    """Returns once a version runs its digest and, where HTTP reaches it, is healthy; with the request's id.

    Raises:
        RolloutError: it runs another image, fails, or is not healthy.
    """
    found = running_digest(aws, subject.function, version)
    if found != subject.digest:
        raise _failed(subject, version, f"runs {found or 'no image'}, expected {subject.digest}")
    return health(aws, subject, version) if subject.door and subject.is_whole else ""


def health(aws: Aws, subject: Subject, version: str) -> str:
    """Returns the id of a request for the health of a version, once it was answered with 200.

    Raises:
        RolloutError: it failed, answered otherwise, or another version answered.
    """
    is_rest = subject.door is not None and subject.door.kind == "RestAPI"
    event = invocation.rest_event(HEALTH, subject.stage) if is_rest else invocation.http_event(HEALTH)
    answer = invocation.invoke(aws, f"{subject.function}:{version}", event)
    if answer.function_error:
        raise _failed(subject, version, f"fails: {_error(answer.payload)}")
    if answer.version != version:
        raise _failed(subject, version, f"did not answer, version {answer.version or '(none)'} did")
    status = _status(answer.payload)
    if status != _OK:
        raise _failed(subject, version, f"answers GET {HEALTH} with {status}, expected {_OK}")
    return answer.request_id


def _failed(subject: Subject, version: str, what: str) -> RolloutError:
    return RolloutError(
        "probe-failed",
        f"version {version} of {subject.function} {what}",
        hint=f"./understudy logs {subject.function}, with the same --target",
    )


def _status(payload: bytes) -> int:
    """The status of an answer in payload format 2.0, in which a document without a status means 200."""
    try:
        document = json.loads(payload)
    except ValueError:
        return 502
    found = document.get("statusCode", _OK) if isinstance(document, dict) else _OK
    return found if isinstance(found, int) else 502


def _error(payload: bytes) -> str:
    try:
        document = json.loads(payload)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return payload[:300].decode(errors="replace")
    return f"{document.get('errorType', 'Error')}: {document.get('errorMessage', '')}"[:300]
