"""Access logs of stages: a line per request, made of ``$context`` variables, in a log group of the engine.

Source: API Gateway developer guide, "Customizing HTTP API access logs" and "Set up CloudWatch logging for
REST APIs". A format is text of any kind (CLF, JSON, XML, CSV) in which variables are replaced; one without a
value becomes ``-``. Firehose streams are refused by name.
"""

import functools
import re
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from understudy.engine.protocol import ApiError

_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_:-]+(?:\.[A-Za-z0-9_:-]+)*)")
_GROUP = re.compile(r"arn:aws[a-z-]*:logs:([a-z0-9-]+):(\d{12}):log-group:([A-Za-z0-9_./#-]+?)(?::\*)?")
_REQUEST_ID = re.compile(r"\$context\.(requestId|extendedRequestId)\b")


class Append(Protocol):
    """The log store's way of taking lines."""

    def __call__(
        self, group: str, stream: str, events: Sequence[tuple[int, str]], *, account_id: str, region: str
    ) -> None:
        """Queues events ``(epoch milliseconds, text)``; group and stream are made when missing."""
        ...


def check(destination: str, format_: str) -> None:
    """Passes when a stage may log there in that form.

    Raises:
        ApiError: BadRequestException.
    """
    if _GROUP.fullmatch(destination) is None:
        raise ApiError(
            "BadRequestException",
            f"understudy writes access logs to CloudWatch log groups only; got destination {destination!r}",
        )
    if "\n" in format_.rstrip("\n"):
        raise ApiError(
            "BadRequestException",
            "Access Log format must be single line, new line character is allowed only at end of the format",
        )
    if not _REQUEST_ID.search(format_):
        raise ApiError(
            "BadRequestException",
            "AccessLogSettings format must include one of $context.requestId or $context.extendedRequestId",
        )


def render(format_: str, context: Mapping[str, object]) -> str:
    """Returns the line of one request; `context` is by the variable's path, ``identity.sourceIp``."""

    def value(found: re.Match[str]) -> str:
        known = context.get(found[1])
        return "-" if known is None or known == "" else str(known)

    return _VARIABLE.sub(value, format_).rstrip("\n")


@functools.lru_cache(maxsize=4)
def clf_time(epoch_s: int) -> str:
    """Returns a time in the common log format, ``02/Jan/2026:03:04:05 +0000``."""
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(epoch_s))


class AccessLog:
    """Writes the lines of all stages; `append` is the log store's."""

    def __init__(self, append: Append) -> None:
        self._append = append

    def write(self, destination: str, format_: str, stream: str, context: Mapping[str, object]) -> None:
        """Queues one request's line; never waits."""
        found = _GROUP.fullmatch(destination)
        if found is not None:
            line = render(format_, context)
            region, account_id, group = found.groups()
            events = [(int(time.time() * 1000), line)]
            self._append(group, stream, events, account_id=account_id, region=region)
