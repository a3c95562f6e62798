"""A profile for other people's viewers: speedscope and HAR; pure.

Formats: speedscope's JSON schema (https://github.com/jlfwong/speedscope/wiki/Importing-from-custom-sources)
and HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), with a request for each module, as
importtime-waterfall has it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from understudy.coldstart.watched import Profile, Span

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_CREATOR = {"name": "understudy", "version": "1"}


def speedscope(profile: Profile, *, name: str) -> dict[str, Any]:
    """The document that https://www.speedscope.app opens; milliseconds."""
    numbers: dict[str, int] = {}
    frames: list[dict[str, Any]] = []
    events = []
    for kind, at_ms, span in _events(profile.spans):
        label = span.name if span.kind == "import" else f"{span.kind} {span.name}"
        if label not in numbers:
            numbers[label] = len(frames)
            frames.append({"name": label, **({"file": span.path, "line": span.line} if span.path else {})})
        events.append({"type": kind, "frame": numbers[label], "at": at_ms})
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "name": name,
        "exporter": "understudy",
        "shared": {"frames": frames},
        "profiles": [
            {
                "type": "evented",
                "name": name,
                "unit": "milliseconds",
                "startValue": 0,
                "endValue": profile.init_ms,
                "events": events,
            }
        ],
    }


def har(profile: Profile, *, name: str) -> dict[str, Any]:
    """The document that browsers and waterfall viewers open: every span is a request."""
    page = {
        "id": "init",
        "title": name,
        "startedDateTime": _EPOCH.isoformat(),
        "pageTimings": {"onContentLoad": -1, "onLoad": profile.init_ms},
    }
    return {
        "log": {
            "version": "1.2",
            "creator": _CREATOR,
            "pages": [page],
            "entries": [_entry(span) for span in profile.spans],
        }
    }


def _events(spans: Sequence[Span]) -> Iterator[tuple[str, float, Span]]:
    """Begins and ends in the order of time, properly nested."""
    inside: dict[int, list[int]] = defaultdict(list)
    for number, span in enumerate(spans):
        inside[span.parent].append(number)

    def walk(number: int) -> Iterator[tuple[str, float, Span]]:
        span = spans[number]
        yield "O", span.begin_ms, span
        for child in inside[number]:
            yield from walk(child)
        yield "C", span.end_ms, span

    for top in inside[-1]:
        yield from walk(top)


def _entry(span: Span) -> dict[str, Any]:
    nothing = {"headersSize": -1, "bodySize": -1, "cookies": [], "headers": []}
    return {
        "pageref": "init",
        "startedDateTime": (_EPOCH + timedelta(milliseconds=span.begin_ms)).isoformat(),
        "time": span.ms,
        "request": {
            **nothing,
            "method": span.kind.upper(),
            "url": f"https://{span.name}/",
            "httpVersion": "HTTP/1.1",
            "queryString": [],
        },
        "response": {
            **nothing,
            "status": 200,
            "statusText": "OK",
            "httpVersion": "HTTP/1.1",
            "content": {"size": 0, "mimeType": "text/x-python"},
            "redirectURL": "",
        },
        "cache": {},
        "timings": {"send": 0, "wait": span.ms, "receive": 0},
    }
