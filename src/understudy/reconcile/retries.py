"""Which failed calls are made again, and when: the only retries there are, botocore's own are off.

A refusal that goes away by waiting had no effect, so any call may be repeated. A dropped connection or a 5xx
leaves open whether the call had its effect: only what does the same twice is repeated here. A create is
not; whoever made it looks first whether it is there (`apply`).
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, HTTPClientError
from botocore.model import OperationModel

from understudy.reconcile.model import Clock

BUDGET_S = 60.0
_REFUSED_BUDGET_S = 3.0  # nothing listens: an endpoint that restarts is back soon, or it is down
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 5.0

# Every spelling of "too fast" among AWS's services; without LimitExceeded, which is a quota.
_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
# Answers that go away by waiting: code, and a part of the message where the code alone says too little.
_SETTLING: tuple[tuple[str, str], ...] = (
    ("InvalidParameterValueException", "cannot be assumed by Lambda"),  # a new role spreads for seconds
    ("InvalidParameterValueException", "execution role does not have permissions"),  # so do its policies
    ("ResourceConflictException", "in progress"),
    ("ResourceConflictException", "cannot be performed at this time"),
    ("ResourceConflictException", "is currently in the following state: Pending"),
    ("ConcurrentModification", ""),
    ("ConcurrentModificationException", ""),
    ("ConflictException", "concurrent modification"),
    ("ContinuousBackupsUnavailableException", ""),  # of a table that was made a moment ago
    ("EntityTemporarilyUnmodifiable", ""),
    ("EntityTemporarilyUnmodifiableException", ""),
    ("InvalidArgument", "Unable to validate the following destination"),  # S3 of a new permission
    ("InvalidParameterException", "Could not deliver test message"),  # Logs of a new permission
    ("LimitExceededException", "simultaneous"),
    ("MalformedPolicy", "Invalid principal"),  # of a role that was made a moment ago
    ("MalformedPolicyDocument", "Invalid principal"),
    ("OperationAborted", ""),
    ("OperationAbortedException", ""),
    ("ResourceInUseException", "being"),
)
# What does not do the same twice, or is refused the second time.
_ONCE = ("Add", "Create", "Import", "Invoke", "Publish", "Run", "Send", "Start", "UpdateTable", "UpdateTime")


def settles(code: str, text: str) -> bool:
    """Whether a refusal goes away by waiting; what is refused had no effect."""
    return code in _THROTTLED or any(code == known and part in text for known, part in _SETTLING)


def is_repeatable(operation: str) -> bool:
    """Whether an operation may follow itself without doing more than once."""
    return not operation.startswith(_ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """What botocore asks after every answer: whether, and in how many seconds, the call is made again.

    Attributes:
        clock: time; it sleeps here, so that tests need not.
    """

    clock: Clock

    def __call__(
        self,
        response: tuple[Any, Mapping[str, Any]] | None,
        operation: OperationModel,
        attempts: int,
        caught_exception: Exception | None,
        request_dict: dict[str, Any],
        **_: Any,  # noqa: ANN401 - botocore's event holds more
    ) -> float | None:
        """0 to make the call again, after having slept; None to leave it at that answer."""
        budget = _budget(response, operation.name, caught_exception)
        now = self.clock.now()
        started = request_dict["context"].setdefault("understudy_started", now)
        if now - started >= budget:
            return None
        pause = min(_FIRST_PAUSE_S * 2 ** (attempts - 1), _LONGEST_PAUSE_S)
        self.clock.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
        return 0.0


def _budget(response: tuple[Any, Mapping[str, Any]] | None, operation: str, error: Exception | None) -> float:
    """For how many seconds the call is made again; 0 is never."""
    if isinstance(error, EndpointConnectionError):
        return _REFUSED_BUDGET_S
    if isinstance(error, ConnectTimeoutError):
        return BUDGET_S
    if response is None:
        return BUDGET_S if isinstance(error, HTTPClientError) and is_repeatable(operation) else 0.0
    answer = response[1]
    told = answer.get("Error", {})
    if settles(str(told.get("Code", "")), str(told.get("Message", ""))):
        return BUDGET_S
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return BUDGET_S if status >= 500 and is_repeatable(operation) else 0.0
