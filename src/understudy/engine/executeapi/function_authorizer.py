"""Functions that say whether a request may pass, and the policies by which they say so.

Answers are kept for as long as their authorizer allows, by the values of its identity sources.
"""

import json
import re
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from understudy.engine.executeapi.invoker import PRINCIPAL, Invoker
from understudy.engine.protocol import ApiError

Answer = Mapping[str, Any]
_MAX_KEPT = 4096


class AuthorizerFailedError(Exception):
    """The function gave no verdict.

    Attributes:
        unauthorized: whether it raised the error that REST APIs answer with 401.
    """

    def __init__(self, reason: str, *, unauthorized: bool = False) -> None:
        super().__init__(reason)
        self.unauthorized = unauthorized


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a function is asked.

    Attributes:
        function: its ARN.
        source_arn: on whose behalf it is invoked, for its resource policy.
        open: whether the resource policy does not matter.
        key: what an answer is kept by.
        ttl_s: how long an answer is kept; 0 does not keep it.
        event: makes the event; not called where an answer is kept.
    """

    function: str
    source_arn: str
    open: bool
    key: Hashable
    ttl_s: float
    event: Callable[[], Mapping[str, Any]]


class FunctionAuthorizer:
    """Asks functions, and remembers their answers for as long as they may be."""

    def __init__(self, invoker: Invoker, clock: Callable[[], float] = time.monotonic) -> None:
        self._invoker = invoker
        self._clock = clock
        self._kept: dict[Hashable, tuple[float, Answer]] = {}

    async def answer(self, question: Question) -> Answer:
        """Returns the function's answer, or the one that is kept.

        Raises:
            AuthorizerFailedError: the function failed, or its answer is no object.
        """
        since, answer = self._kept.get(question.key, (-question.ttl_s, {}))
        if answer and self._clock() - since < question.ttl_s:
            return answer
        answer = await self._ask(question)
        if question.ttl_s:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[question.key] = (self._clock(), answer)
        return answer

    async def _ask(self, question: Question) -> Answer:
        function, source = question.function, question.source_arn
        if not question.open and not self._invoker.permits(function, principal=PRINCIPAL, source_arn=source):
            raise AuthorizerFailedError(f"the policy of {function} does not let {source} invoke it")
        try:
            outcome = await self._invoker.invoke(function, json.dumps(question.event()).encode())
            answer = json.loads(outcome.payload)
        except ApiError as exc:
            raise AuthorizerFailedError(exc.message) from exc
        except ValueError as exc:
            raise AuthorizerFailedError("the authorizer's answer is not JSON") from exc
        if not isinstance(answer, dict) or not answer:
            raise AuthorizerFailedError("the authorizer's answer is no object")
        if outcome.function_error:
            told = answer.get("errorMessage")
            raise AuthorizerFailedError(
                f"the authorizer's function failed: {told}", unauthorized=told == "Unauthorized"
            )
        return answer


def effect(policy: object, arn: str) -> str | None:
    """Returns what an IAM policy says of ``execute-api:Invoke`` on `arn`: Deny before Allow, or nothing.

    Raises:
        AuthorizerFailedError: it is no policy.
    """
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        raise AuthorizerFailedError("the authorizer's answer holds no policyDocument")
    effects = {
        str(item.get("Effect"))
        for item in statements
        if _matches(item.get("Action"), "execute-api:Invoke") and _matches(item.get("Resource"), arn)
    }
    return next((one for one in ("Deny", "Allow") if one in effects), None)


def _matches(patterns: object, value: str) -> bool:
    listed = patterns if isinstance(patterns, list) else [patterns]
    return any(isinstance(one, str) and _wildcard(one).fullmatch(value) for one in listed)


def _wildcard(pattern: str) -> re.Pattern[str]:
    translated = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(translated, re.IGNORECASE | re.DOTALL)
