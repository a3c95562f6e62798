"""CloudWatch Logs as functions and people use it: groups, streams, retention, tags, put, get and filter.

Error names and texts are AWS's. Log classes other than STANDARD are stored and not acted on; metric filters,
subscriptions, Insights and exports are not here and say so when called.
"""

import json
import sqlite3
from typing import Any

from understudy.engine.logs import read
from understudy.engine.logs import store as logs
from understudy.engine.logs.store import DAY_MS, GroupKey, LogStore
from understudy.engine.protocol import ApiError, Call, Operation
from understudy.engine.state import State

Output = dict[str, Any]

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288),
    3653,
)
_TOO_OLD_MS = 14 * DAY_MS
_TOO_NEW_MS = 2 * 3_600_000
_ALREADY = "ResourceAlreadyExistsException"


def group_key(call: Call) -> GroupKey:
    """Returns the group that a call names, by name or by ARN.

    Raises:
        ApiError: the call names none.
    """
    name = call.params.get("logGroupName") or call.params.get("logGroupIdentifier")
    if name is None:
        raise ApiError("InvalidParameterException", "Either logGroupName or logGroupIdentifier is required")
    return _key(call, name)


def _key(call: Call, name: str) -> GroupKey:
    if name.startswith("arn:"):
        name = name.split(":log-group:", 1)[-1].removesuffix(":*")
    return GroupKey(name=name, account_id=call.account_id, region=call.region)


def existing_group(state: State, key: GroupKey) -> sqlite3.Row:
    """Returns the row of a group.

    Raises:
        ApiError: ResourceNotFoundException.
    """
    row = logs.find_group(state, key)
    if row is None:
        raise ApiError("ResourceNotFoundException", "The specified log group does not exist.")
    return row


def existing_stream(state: State, group: sqlite3.Row, name: str) -> sqlite3.Row:
    """Returns the row of a stream.

    Raises:
        ApiError: ResourceNotFoundException.
    """
    row = logs.find_stream(state, group["id"], name)
    if row is None:
        raise ApiError("ResourceNotFoundException", "The specified log stream does not exist.")
    return row


class LogsService:
    """The operations of ``logs`` over a `LogStore`."""

    name = "logs"

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self.operations: dict[str, Operation] = {
            "CreateLogGroup": self.create_log_group,
            "DeleteLogGroup": self.delete_log_group,
            "CreateLogStream": self.create_log_stream,
            "DeleteLogStream": self.delete_log_stream,
            "PutLogEvents": self.put_log_events,
            "PutRetentionPolicy": self.put_retention_policy,
            "DeleteRetentionPolicy": self.delete_retention_policy,
            "DescribeLogGroups": self.describe_log_groups,
            "DescribeLogStreams": self.describe_log_streams,
            "DescribeSubscriptionFilters": self.describe_subscription_filters,
            "GetLogEvents": self.get_log_events,
            "FilterLogEvents": self.filter_log_events,
            "TagResource": self.tag,
            "TagLogGroup": self.tag,
            "UntagResource": self.untag,
            "UntagLogGroup": self.untag,
            "ListTagsForResource": self.list_tags,
            "ListTagsLogGroup": self.list_tags,
        }

    async def create_log_group(self, call: Call) -> Output:
        """Creates a group."""
        params = call.params

        def _work(state: State) -> Output:
            try:
                logs.create_group(
                    state,
                    group_key(call),
                    self._store.now_ms(),
                    params.get("tags", {}),
                    log_class=params.get("logGroupClass"),
                    kms_key=params.get("kmsKeyId"),
                )
            except sqlite3.IntegrityError as exc:
                raise ApiError(_ALREADY, "The specified log group already exists") from exc
            return {}

        return await self._store.run(_work)

    async def delete_log_group(self, call: Call) -> Output:
        """Deletes a group with its streams and events."""

        def _work(state: State) -> Output:
            group = existing_group(state, group_key(call))
            state.execute("DELETE FROM log_groups WHERE id = ?", (group["id"],))
            return {}

        return await self._store.run(_work)

    async def create_log_stream(self, call: Call) -> Output:
        """Creates a stream."""

        def _work(state: State) -> Output:
            group = existing_group(state, group_key(call))
            try:
                logs.create_stream(state, group["id"], call.params["logStreamName"], self._store.now_ms())
            except sqlite3.IntegrityError as exc:
                raise ApiError(_ALREADY, "The specified log stream already exists") from exc
            return {}

        return await self._store.run(_work)

    async def delete_log_stream(self, call: Call) -> Output:
        """Deletes a stream with its events."""

        def _work(state: State) -> Output:
            group = existing_group(state, group_key(call))
            stream = existing_stream(state, group, call.params["logStreamName"])
            state.execute("DELETE FROM log_streams WHERE id = ?", (stream["id"],))
            return {}

        return await self._store.run(_work)

    async def put_log_events(self, call: Call) -> Output:
        """Stores events; those too old or too new are left out and counted, as on AWS."""
        events = [(event["timestamp"], event["message"]) for event in call.params["logEvents"]]
        times = [at_ms for at_ms, _ in events]
        if times != sorted(times):
            raise ApiError(
                "InvalidParameterException",
                "Log events in a single PutLogEvents request must be in chronological order.",
            )
        if times[-1] - times[0] > DAY_MS:
            raise ApiError(
                "InvalidParameterException",
                "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
            )

        def _work(state: State) -> Output:
            group = existing_group(state, group_key(call))
            stream = existing_stream(state, group, call.params["logStreamName"])
            now_ms = self._store.now_ms()
            kept, rejected = _accepted(events, now_ms, group["retention_days"])
            with state.transaction():
                logs.insert_events(state, group["id"], stream["id"], kept, now_ms)
            output: Output = {"nextSequenceToken": f"{now_ms:056d}"}
            return {**output, "rejectedLogEventsInfo": rejected} if rejected else output

        return await self._store.run(_work)

    async def put_retention_policy(self, call: Call) -> Output:
        """Sets after how many days events go; those already past it go at once."""
        days = call.params["retentionInDays"]
        if days not in RETENTIONS:
            raise ApiError(
                "InvalidParameterException",
                f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy "
                f"constraint: Member must satisfy enum value set: {list(RETENTIONS)}",
            )
        return await self._set_retention(call, days)

    async def delete_retention_policy(self, call: Call) -> Output:
        """Lets events stay for ever."""
        return await self._set_retention(call, None)

    async def _set_retention(self, call: Call, days: int | None) -> Output:
        def _work(state: State) -> Output:
            group = existing_group(state, group_key(call))
            state.execute("UPDATE log_groups SET retention_days = ? WHERE id = ?", (days, group["id"]))
            self._store.sweep(state)
            return {}

        return await self._store.run(_work)

    async def describe_log_groups(self, call: Call) -> Output:
        """Lists groups by name, prefix or part of the name."""
        return await self._store.run(lambda state: read.describe_groups(state, call))

    async def describe_log_streams(self, call: Call) -> Output:
        """Lists the streams of a group."""
        return await self._store.run(
            lambda state: read.describe_streams(state, existing_group(state, group_key(call)), call)
        )

    async def describe_subscription_filters(self, call: Call) -> Output:
        """Finds none: nothing here can be subscribed, which is what tools ask for after each create."""

        def _work(state: State) -> Output:
            existing_group(state, group_key(call))
            return {"subscriptionFilters": []}

        return await self._store.run(_work)

    async def get_log_events(self, call: Call) -> Output:
        """Returns events of a stream, with tokens to go on in both directions."""

        def _work(state: State) -> Output:
            group = existing_group(state, group_key(call))
            stream = existing_stream(state, group, call.params["logStreamName"])
            oldest_ms = _oldest(group["retention_days"], self._store.now_ms())
            return read.get_events(state, stream, call, oldest_ms=oldest_ms)

        return await self._store.run(_work)

    async def filter_log_events(self, call: Call) -> Output:
        """Returns events of a group that match a filter pattern."""

        def _work(state: State) -> Output:
            group = existing_group(state, group_key(call))
            oldest_ms = _oldest(group["retention_days"], self._store.now_ms())
            return read.filter_events(state, group, call, oldest_ms=oldest_ms)

        return await self._store.run(_work)

    async def tag(self, call: Call) -> Output:
        """Adds tags to a group."""

        def _work(state: State) -> Output:
            group = self._tagged(state, call)
            tags = {**json.loads(group["tags"]), **call.params["tags"]}
            state.execute("UPDATE log_groups SET tags = ? WHERE id = ?", (json.dumps(tags), group["id"]))
            return {}

        return await self._store.run(_work)

    async def untag(self, call: Call) -> Output:
        """Removes tags from a group."""
        gone = call.params.get("tagKeys") or call.params.get("tags") or []

        def _work(state: State) -> Output:
            group = self._tagged(state, call)
            tags = {name: value for name, value in json.loads(group["tags"]).items() if name not in gone}
            state.execute("UPDATE log_groups SET tags = ? WHERE id = ?", (json.dumps(tags), group["id"]))
            return {}

        return await self._store.run(_work)

    async def list_tags(self, call: Call) -> Output:
        """Returns a group's tags."""
        return await self._store.run(lambda state: {"tags": json.loads(self._tagged(state, call)["tags"])})

    @staticmethod
    def _tagged(state: State, call: Call) -> sqlite3.Row:
        return existing_group(
            state, _key(call, call.params.get("resourceArn") or call.params["logGroupName"])
        )


def _oldest(retention_days: int | None, now_ms: int) -> int:
    return now_ms - retention_days * DAY_MS if retention_days else 0


def _accepted(
    events: list[logs.Event], now_ms: int, retention_days: int | None
) -> tuple[list[logs.Event], dict[str, int]]:
    """Returns the events that may be stored and AWS's account of the others."""
    old = sum(at_ms < now_ms - _TOO_OLD_MS for at_ms, _ in events)
    expired = sum(at_ms < _oldest(retention_days, now_ms) for at_ms, _ in events)
    new = sum(at_ms > now_ms + _TOO_NEW_MS for at_ms, _ in events)
    rejected = {}
    if old:
        rejected["tooOldLogEventEndIndex"] = old
    if expired:
        rejected["expiredLogEventEndIndex"] = expired
    if new:
        rejected["tooNewLogEventStartIndex"] = len(events) - new
    return events[max(old, expired) : len(events) - new], rejected
