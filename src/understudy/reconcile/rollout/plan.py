"""Decides about releases: what a canary is, what a log says, when to abort, what history becomes; pure."""

import re
from collections.abc import Iterable, Sequence

from understudy.errors import UnderstudyError
from understudy.reconcile.function_logs import LogLine
from understudy.reconcile.rollout.model import Canary, Seen

COLD_START_LIMIT_S = 15.0
KEPT = 10
"""Releases that the history remembers."""
WITHOUT_PROOF_TAG = "understudy.dev/without-proof"

_CANARY = re.compile(r"(?P<share>\d+(?:\.\d+)?)%/(?P<time>\d+)(?P<unit>[smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_FATAL = re.compile(
    r"Runtime\.(?:BadFunctionCode|ExitError|HandlerNotFound|ImportModuleError|InvalidEntrypoint"
    r"|MalformedHandlerName|UserCodeSyntaxError)"
)
# Lambda's own verdicts, and lines that the runtime or a JSON logger marks as errors.
_ERROR = re.compile(
    r"Status: (?:error|timeout)|Task timed out after|^\[(?:ERROR|CRITICAL|FATAL)\]"
    r'|"level":\s*"(?:ERROR|CRITICAL|FATAL)"|"status":\s*"(?:error|timeout|failure)"'
)
_REPORT = re.compile(r'^REPORT RequestId: (?P<id>\S+)|"platform\.report".*?"requestId":\s*"(?P<json>[^"]+)"')
_INIT = re.compile(r'Init Duration: (?P<ms>[\d.]+) ms|"initDurationMs":\s*(?P<json>[\d.]+)')
# What AWS takes in the value of a tag, and how much of it; a description takes as much.
_NO_TAG = re.compile(r"[^\w\s+\-=.:/@]")
_LONGEST = 256
_REASON = "without proof: "


def parse_canary(text: str) -> Canary:
    """The canary that `10%/5m` stands for.

    Raises:
        UnderstudyError: it stands for none.
    """
    found = _CANARY.fullmatch(text.strip())
    share = float(found["share"]) / 100 if found else 0.0
    if found is None or not 0 < share < 1 or int(found["time"]) == 0:
        raise UnderstudyError(
            "canary-unreadable",
            f"canary {text!r} is not PERCENT%/TIME with a share between 0 % and 100 %",
            hint="write for example --canary 10%/5m",
        )
    return Canary(share=share, seconds=float(int(found["time"]) * _SECONDS[found["unit"]]))


def counts(line: LogLine) -> bool:
    """Whether `seen` makes anything of a line; most lines are the app's own."""
    return any(pattern.search(line.message) for pattern in (_FATAL, _ERROR, _REPORT, _INIT))


def seen(lines: Iterable[LogLine], version: str) -> Seen:
    """What the lines of one version say; its log streams carry `[VERSION]` in their names."""
    mine = [line.message.strip() for line in lines if f"[{version}]" in line.stream]
    reports = [found["id"] or found["json"] for line in mine if (found := _REPORT.search(line))]
    inits = [float(found["ms"] or found["json"]) for line in mine if (found := _INIT.search(line))]
    return Seen(
        invocations=len(reports),
        errors=tuple(line for line in mine if _ERROR.search(line)),
        fatal=tuple(line for line in mine if _FATAL.search(line)),
        cold_start_s=max(inits, default=0.0) / 1000,
        request_ids=frozenset(reports),
    )


def cause_to_abort(new: Seen, old: Seen) -> str:
    """Why a canary ends early; empty while it may go on.

    A version that cannot start ends it at once; other errors do when they are more frequent than those of
    the version that serves the rest, so an app that logs an error now and then can still be released.
    """
    if new.fatal:
        return new.fatal[0]
    if not new.errors:
        return ""
    rate, known = len(new.errors) / max(new.invocations, 1), len(old.errors) / max(old.invocations, 1)
    if rate <= known:
        return ""
    return f"{len(new.errors)} errors in {new.invocations} invocations, such as: {new.errors[0]}"


def tag_of(alias: str) -> str:
    """The function's tag that holds the history of an alias."""
    return "understudy.dev/live" if alias == "live" else f"understudy.dev/live.{alias}"


def parse_history(text: str) -> tuple[str, ...]:
    """Version numbers, newest first, from the text of a tag; what is no number is left out."""
    return tuple(word for word in text.split() if word.isdecimal())


def history_text(versions: Sequence[str]) -> str:
    """The text of a tag that `parse_history` reads."""
    return " ".join(versions[:KEPT])


def moved(history: Sequence[str], old: str, new: str) -> tuple[str, ...]:
    """The history once an alias that pointed at `old` points at `new`.

    `old` comes second whatever the history said: a process that died between a move and this note, or a
    hand at work elsewhere, leaves no gap.
    """
    return tuple(dict.fromkeys([new, *([old] if old else []), *history]))[:KEPT]


def previous(history: Sequence[str], live: str) -> str | None:
    """The version that an alias goes back to; None when there is none."""
    return next((version for version in history if version != live), None)


def tag_text(text: str) -> str:
    """A text as the value of a tag can hold it."""
    return _NO_TAG.sub(" ", " ".join(text.split()))[:_LONGEST].strip()


def without_proof(reason: str) -> str:
    """What the description of a version says when it was deployed without proof."""
    return f"{_REASON}{reason}"


def reason_of(description: str) -> str:
    """Why a version was deployed without proof, from its description; empty when it was proved."""
    return description.partition(_REASON)[2]


def description(*parts: str) -> str:
    """The description of a version, of those parts that say something."""
    return "; ".join(part for part in parts if part)[:_LONGEST]
