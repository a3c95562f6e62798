"""Reading logs: lists in pages, events by position.

A position is an event's time and number. GetLogEvents gives one token for each direction and gives the same
one back at the end, which is how AWS's clients know that they are done.
"""

import base64
import binascii
import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from understudy.engine.logs import pattern
from understudy.engine.logs.store import GroupKey
from understudy.engine.protocol import ApiError, Call
from understudy.engine.state import State

Output = dict[str, Any]

_DEFAULT_LIST = 50
_DEFAULT_EVENTS = 10_000
_SCAN_PAGE = 2_000
_TOKEN = re.compile(r"([fb])/(\d{20})(\d{36})/s")
_LATEST_MS = 2**62


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Position:
    """Where an event stands among its stream's or group's events."""

    at_ms: int
    number: int

    def token(self, direction: str) -> str:
        """Returns a GetLogEvents token."""
        return f"{direction}/{self.at_ms:020d}{self.number:036d}/s"


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)


def _page_token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _from_page_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError) as exc:
        raise _invalid("The specified nextToken is invalid.") from exc


def describe_groups(state: State, call: Call) -> Output:
    """Returns a page of groups in the order of their names."""
    params = call.params
    limit = params.get("limit", _DEFAULT_LIST)
    after = _from_page_token(params["nextToken"]) if "nextToken" in params else ""
    rows = state.execute(
        "SELECT g.*, (SELECT coalesce(sum(bytes), 0) FROM log_streams s WHERE s.group_id = g.id) AS bytes "
        "FROM log_groups g WHERE account = ? AND region = ? AND name > ? AND substr(name, 1, length(?)) = ? "
        "AND instr(lower(name), lower(?)) > 0 ORDER BY name LIMIT ?",
        (
            call.account_id,
            call.region,
            after,
            prefix := params.get("logGroupNamePrefix", ""),
            prefix,
            params.get("logGroupNamePattern", ""),
            limit + 1,
        ),
    )
    output: Output = {"logGroups": [_group(row) for row in rows[:limit]]}
    if len(rows) > limit:
        output["nextToken"] = _page_token(rows[limit - 1]["name"])
    return output


def _group(row: sqlite3.Row) -> Output:
    arn = GroupKey(name=row["name"], account_id=row["account"], region=row["region"]).arn
    return {
        "logGroupName": row["name"],
        "creationTime": row["created_ms"],
        "retentionInDays": row["retention_days"],
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "storedBytes": row["bytes"],
        "kmsKeyId": row["kms_key"],
        "logGroupClass": row["class"],
        "logGroupArn": arn,
    }


def describe_streams(state: State, group: sqlite3.Row, call: Call) -> Output:
    """Returns a page of a group's streams, by name or by the time of their last event."""
    params = call.params
    by_time = params.get("orderBy") == "LastEventTime"
    prefix = params.get("logStreamNamePrefix", "")
    if by_time and prefix:
        raise _invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    limit = params.get("limit", _DEFAULT_LIST)
    offset = int(_from_page_token(params["nextToken"])) if "nextToken" in params else 0
    order = "coalesce(last_ms, 0), name" if by_time else "name"
    if params.get("descending"):
        order = ", ".join(f"{column} DESC" for column in order.rsplit(", ", 1))
    rows = state.execute(
        # Safe: `order` is one of four texts above.
        f"SELECT * FROM log_streams WHERE group_id = ? AND substr(name, 1, length(?)) = ? ORDER BY {order} "  # noqa: S608
        "LIMIT ? OFFSET ?",
        (group["id"], prefix, prefix, limit + 1, offset),
    )
    arn = GroupKey(name=group["name"], account_id=group["account"], region=group["region"]).arn
    output: Output = {"logStreams": [_stream(row, arn) for row in rows[:limit]]}
    if len(rows) > limit:
        output["nextToken"] = _page_token(str(offset + limit))
    return output


def _stream(row: sqlite3.Row, group_arn: str) -> Output:
    return {
        "logStreamName": row["name"],
        "creationTime": row["created_ms"],
        "firstEventTimestamp": row["first_ms"],
        "lastEventTimestamp": row["last_ms"],
        "lastIngestionTime": row["ingested_ms"],
        "uploadSequenceToken": f"{row['ingested_ms'] or 0:056d}",
        "arn": f"{group_arn}:log-stream:{row['name']}",
        "storedBytes": 0,
    }


def get_events(state: State, stream: sqlite3.Row, call: Call, *, oldest_ms: int) -> Output:
    """Returns events of one stream in order, the newest page first unless ``startFromHead``."""
    params = call.params
    first_ms = max(params.get("startTime", 0), oldest_ms)
    end_ms = params.get("endTime", _LATEST_MS)
    limit = params.get("limit", _DEFAULT_EVENTS)
    forward, at = bool(params.get("startFromHead", False)), None
    if "nextToken" in params:
        found = _TOKEN.fullmatch(params["nextToken"])
        if found is None:
            raise _invalid("The specified nextToken is invalid.")
        forward, at = found[1] == "f", Position(at_ms=int(found[2]), number=int(found[3]))
    compare, order = (">", "ASC") if forward else ("<", "DESC")
    start = at or Position(at_ms=-1 if forward else _LATEST_MS, number=0)
    rows = state.execute(
        "SELECT id, at_ms, ingested_ms, message FROM log_events WHERE stream_id = ? AND at_ms >= ? AND "  # noqa: S608 - two fixed words
        f"at_ms < ? AND (at_ms, id) {compare} (?, ?) ORDER BY at_ms {order}, id {order} LIMIT ?",
        (stream["id"], first_ms, end_ms, start.at_ms, start.number, limit),
    )
    if not forward:
        rows.reverse()
    places = [Position(at_ms=row["at_ms"], number=row["id"]) for row in rows]
    resting = at or Position(at_ms=0, number=0)
    return {
        "events": [
            {"timestamp": row["at_ms"], "message": row["message"], "ingestionTime": row["ingested_ms"]}
            for row in rows
        ],
        "nextForwardToken": (places[-1] if places else resting).token("f"),
        "nextBackwardToken": (places[0] if places else resting).token("b"),
    }


def filter_events(state: State, group: sqlite3.Row, call: Call, *, oldest_ms: int) -> Output:
    """Returns a page of a group's events that match ``filterPattern``, in order of time."""
    params = call.params
    matches = pattern.parse(params.get("filterPattern", ""))
    limit = params.get("limit", _DEFAULT_EVENTS)
    streams = _stream_names(state, group, params)
    at = Position(at_ms=-1, number=0)
    if "nextToken" in params:
        at_ms, _, number = _from_page_token(params["nextToken"]).partition("/")
        at = Position(at_ms=int(at_ms), number=int(number))
    first_ms = max(params.get("startTime", 0), oldest_ms)
    end_ms = params.get("endTime", _LATEST_MS)
    found: list[Output] = []
    while True:
        rows = state.execute(
            "SELECT id, stream_id, at_ms, ingested_ms, message FROM log_events WHERE group_id = ? AND "
            "at_ms >= ? AND at_ms <= ? AND (at_ms, id) > (?, ?) ORDER BY at_ms, id LIMIT ?",
            (group["id"], first_ms, end_ms, at.at_ms, at.number, _SCAN_PAGE),
        )
        for row in rows:
            at = Position(at_ms=row["at_ms"], number=row["id"])
            if row["stream_id"] in streams and matches(row["message"]):
                found.append(_filtered(row, streams[row["stream_id"]]))
                if len(found) == limit:
                    token = _page_token(f"{at.at_ms}/{at.number}")
                    return {"events": found, "searchedLogStreams": [], "nextToken": token}
        if len(rows) < _SCAN_PAGE:
            return {"events": found, "searchedLogStreams": []}


def _stream_names(state: State, group: sqlite3.Row, params: dict[str, Any]) -> dict[int, str]:
    if "logStreamNames" in params and "logStreamNamePrefix" in params:
        raise _invalid("logStreamNames and logStreamNamePrefix are mutually exclusive.")
    rows = state.execute("SELECT id, name FROM log_streams WHERE group_id = ?", (group["id"],))
    wanted, prefix = params.get("logStreamNames"), params.get("logStreamNamePrefix", "")
    names = {
        row["id"]: row["name"]
        for row in rows
        if row["name"].startswith(prefix) and (wanted is None or row["name"] in wanted)
    }
    if wanted is not None and not names:
        raise ApiError("ResourceNotFoundException", "The specified log stream does not exist.")
    return names


def _filtered(row: sqlite3.Row, stream: str) -> Output:
    return {
        "logStreamName": stream,
        "timestamp": row["at_ms"],
        "message": row["message"],
        "ingestionTime": row["ingested_ms"],
        "eventId": f"{row['at_ms']:020d}{row['id']:036d}",
    }
