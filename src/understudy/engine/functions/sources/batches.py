"""One batch on its way through a function: the invocation, and which records it failed on.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
says when an answer means that the whole batch failed.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.engine import identifiers
from understudy.engine.functions.invoke import Invocation, InvokeOutcome
from understudy.engine.functions.sources.model import SourceMapping
from understudy.engine.protocol import ApiError

Invoke = Callable[[Invocation], Awaitable[InvokeOutcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What became of a batch.

    Attributes:
        request_id: of the invocation.
        failed: identifiers of the records that it failed on; all of them when the function failed.
        answer: what the function answered; None when it did not run.
        problem: why it did not run, as `LastProcessingResult` puts it.
    """

    request_id: str
    failed: frozenset[str]
    answer: InvokeOutcome | None = None
    problem: str = ""

    @property
    def summary(self) -> str:
        """`LastProcessingResult` after this batch."""
        return self.problem or ("PROBLEM: Function call failed" if self.failed else "OK")


async def run(
    invoke: Invoke, mapping: SourceMapping, records: Sequence[Mapping[str, Any]], identities: Sequence[str]
) -> BatchResult:
    """Invokes the mapping's function with `records`.

    Args:
        invoke: runs an invocation to its end.
        mapping: whose function.
        records: as the function gets them.
        identities: what identifies each of them in an answer.
    """
    request_id = identifiers.request_id()
    payload = json.dumps({"Records": records}, separators=(",", ":")).encode()
    everything = frozenset(identities)
    try:
        answer = await invoke(Invocation(target=mapping.target, payload=payload, request_id=request_id))
    except ApiError as exc:
        problem = f"PROBLEM: {exc.code}: {exc.message}"
        return BatchResult(request_id=request_id, failed=everything, problem=problem)
    if answer.function_error is not None:
        failed = everything
    elif mapping.settings.report_failures:
        failed = reported(answer.payload, everything)
    else:
        failed = frozenset()
    return BatchResult(request_id=request_id, failed=failed, answer=answer)


def reported(payload: bytes, identities: Collection[str]) -> frozenset[str]:
    """The records that an answer reports as failed; every record when the report makes no sense."""
    everything = frozenset(identities)
    try:
        document = json.loads(payload or b"null")
    except (ValueError, RecursionError):
        return everything
    if document is None:
        return frozenset()
    if not isinstance(document, dict):
        return everything
    failures = document.get("batchItemFailures")
    if failures is None:
        return frozenset()
    if not isinstance(failures, list):
        return everything
    named = [each.get("itemIdentifier") if isinstance(each, dict) else None for each in failures]
    known = frozenset(name for name in named if isinstance(name, str) and name in everything)
    return known if len(known) == len(set(map(str, named))) else everything
