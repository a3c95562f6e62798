"""A function's log lines, read as any client of CloudWatch Logs reads them."""

from collections.abc import Iterator
from dataclasses import dataclass

from understudy.reconcile.aws import Aws


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One log event.

    Attributes:
        at_ms: time, epoch milliseconds.
        stream: log stream, one for each execution environment.
        event_id: unique in the log group; made of the event where the endpoint gives none.
    """

    at_ms: int
    stream: str
    event_id: str
    message: str


def lines(aws: Aws, group: str, *, since_ms: int, pattern: str = "") -> Iterator[LogLine]:
    """Yields the events of a log group, oldest first; none when the group does not exist.

    Raises:
        AwsError: the pattern is malformed, or the call was refused.
    """
    client = aws.logs()
    token: str | None = None
    while True:
        more = {"nextToken": token} if token else {}
        answer = aws.find(
            client.filter_log_events, logGroupName=group, startTime=since_ms, filterPattern=pattern, **more
        )
        if answer is None:
            return
        for event in answer["events"]:
            yield LogLine(
                at_ms=event["timestamp"],
                stream=event["logStreamName"],
                event_id=event.get("eventId")
                or f"{event['logStreamName']} {event['timestamp']} {event['message']}",
                message=event["message"],
            )
        token = answer.get("nextToken")
        if not token:
            return
