"""Lambda authorizers (REQUEST): a function says whether a request may pass.

Source: API Gateway developer guide, "Control access to HTTP APIs with AWS Lambda authorizers"
(http-api-lambda-authorizer): payload formats 1.0 and 2.0, simple answers or IAM policies, answers kept by the
values of the identity sources for at most an hour.
"""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.engine.executeapi.http import HttpRequest
from understudy.engine.executeapi.invoker import PRINCIPAL, Invoker
from understudy.engine.httpapi import events
from understudy.engine.httpapi.events import Routed
from understudy.engine.protocol import ApiError

Answer = Mapping[str, Any]
_FUNCTION = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[^/]+")
_MAX_KEPT = 4096


class AuthorizerFailedError(Exception):
    """The authorizer gave no verdict: the gateway answers 500."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a function is asked.

    Attributes:
        authorizer: botocore's ``Authorizer`` structure.
        identity: the values of its identity sources, none of them missing.
    """

    authorizer: Mapping[str, Any]
    identity: Sequence[str]
    request: HttpRequest
    routed: Routed

    @property
    def function(self) -> str:
        """The function's ARN; empty when the URI names none."""
        found = _FUNCTION.search(self.authorizer["AuthorizerUri"])
        return found[0] if found else ""

    @property
    def arn(self) -> str:
        """What the request is for: stage, method and path as they were asked for."""
        return f"{self._scope}/{self.routed.stage}/{self.request.method}{self.request.path}"

    @property
    def source_arn(self) -> str:
        """On whose behalf the function is invoked."""
        return f"{self._scope}/authorizers/{self.authorizer['AuthorizerId']}"

    @property
    def _scope(self) -> str:
        region = self.function.split(":")[3] if self.function else ""
        return f"arn:aws:execute-api:{region}:{self.routed.account_id}:{self.routed.api_id}"

    def event(self) -> dict[str, Any]:
        """Returns the function's event: the request's own without its body."""
        added: dict[str, Any] = {"type": "REQUEST"}
        if self.authorizer["AuthorizerPayloadFormatVersion"] == "1.0":
            whole = events.event_v1(self.request, self.routed)
            joined = ",".join(self.identity)
            added |= {"methodArn": self.arn, "identitySource": joined, "authorizationToken": joined}
        else:
            whole = events.event_v2(self.request, self.routed)
            added |= {"routeArn": self.arn, "identitySource": list(self.identity)}
        kept = {name: value for name, value in whole.items() if name not in ("body", "isBase64Encoded")}
        return {**kept, **added}


class LambdaAuthorizer:
    """Asks functions, and remembers their answers for as long as they may be."""

    def __init__(self, invoker: Invoker, clock: Callable[[], float] = time.monotonic) -> None:
        self._invoker = invoker
        self._clock = clock
        self._kept: dict[tuple[str, str, tuple[str, ...]], tuple[float, Answer]] = {}

    async def check(self, question: Question) -> Mapping[str, Any] | None:
        """Returns the context that the function hands on, or None when the request may not pass.

        Raises:
            AuthorizerFailedError: the function failed, or did not answer in the authorizer's form.
        """
        answer = await self._answer(question)
        if question.authorizer.get("EnableSimpleResponses"):
            allowed = answer.get("isAuthorized")
            if not isinstance(allowed, bool):
                raise AuthorizerFailedError("a simple answer needs isAuthorized")
            return _context(answer) if allowed else None
        if not allows(answer.get("policyDocument"), question.arn):
            return None
        principal = {"principalId": answer["principalId"]} if "principalId" in answer else {}
        return {**_context(answer), **principal}

    async def _answer(self, question: Question) -> Answer:
        ttl_s = question.authorizer.get("AuthorizerResultTtlInSeconds") or 0
        if not ttl_s or not question.identity:
            return await self._ask(question)
        key = (question.routed.api_id, question.authorizer["AuthorizerId"], tuple(question.identity))
        since, answer = self._kept.get(key, (-float(ttl_s), {}))
        if not answer or self._clock() - since >= ttl_s:
            answer = await self._ask(question)
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[key] = (self._clock(), answer)
        return answer

    async def _ask(self, question: Question) -> Answer:
        function, source = question.function, question.source_arn
        if not question.authorizer.get("AuthorizerCredentialsArn") and not self._invoker.permits(
            function, principal=PRINCIPAL, source_arn=source
        ):
            raise AuthorizerFailedError(f"the policy of {function} does not let {source} invoke it")
        try:
            outcome = await self._invoker.invoke(function, json.dumps(question.event()).encode())
        except ApiError as exc:
            raise AuthorizerFailedError(exc.message) from exc
        if outcome.function_error:
            raise AuthorizerFailedError("the authorizer's function failed")
        try:
            answer = json.loads(outcome.payload)
        except ValueError as exc:
            raise AuthorizerFailedError("the authorizer's answer is not JSON") from exc
        if not isinstance(answer, dict) or not answer:
            raise AuthorizerFailedError("the authorizer's answer is no object")
        return answer


def allows(policy: object, arn: str) -> bool:
    """Whether an IAM policy lets ``execute-api:Invoke`` be called on `arn`: an Allow, and no Deny.

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
    return "Allow" in effects and "Deny" not in effects


def _matches(patterns: object, value: str) -> bool:
    listed = patterns if isinstance(patterns, list) else [patterns]
    return any(isinstance(one, str) and _wildcard(one).fullmatch(value) for one in listed)


def _wildcard(pattern: str) -> re.Pattern[str]:
    translated = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(translated, re.IGNORECASE | re.DOTALL)


def _context(answer: Answer) -> Mapping[str, Any]:
    found = answer.get("context")
    return found if isinstance(found, dict) else {}
