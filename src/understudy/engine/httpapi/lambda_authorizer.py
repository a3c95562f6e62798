"""Lambda authorizers (REQUEST): a function says whether a request may pass.

Source: API Gateway developer guide, "Control access to HTTP APIs with AWS Lambda authorizers"
(http-api-lambda-authorizer): payload formats 1.0 and 2.0, simple answers or IAM policies, answers kept by the
values of the identity sources for at most an hour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.engine.executeapi import function_authorizer, targets
from understudy.engine.executeapi.function_authorizer import (
    Answer,
    AuthorizerFailedError,
    FunctionAuthorizer,
    Question,
)
from understudy.engine.executeapi.http import HttpRequest
from understudy.engine.httpapi import events
from understudy.engine.httpapi.events import Routed


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that a function is asked about.

    Attributes:
        authorizer: botocore's ``Authorizer`` structure.
        identity: the values of its identity sources, none of them missing.
    """

    authorizer: Mapping[str, Any]
    identity: Sequence[str]
    request: HttpRequest
    routed: Routed

    @property
    def arn(self) -> str:
        """What the request is for: stage, method and path as they were asked for."""
        return f"{self._scope}/{self.routed.stage}/{self.request.method}{self.request.path}"

    @property
    def question(self) -> Question:
        """What the function is asked."""
        identifier = self.authorizer["AuthorizerId"]
        return Question(
            function=self._function,
            source_arn=f"{self._scope}/authorizers/{identifier}",
            open=bool(self.authorizer.get("AuthorizerCredentialsArn")),
            key=(self.routed.api_id, identifier, tuple(self.identity)),
            ttl_s=(self.authorizer.get("AuthorizerResultTtlInSeconds") or 0) if self.identity else 0,
            event=self.event,
        )

    @property
    def _function(self) -> str:
        return targets.function(self.authorizer["AuthorizerUri"]) or ""

    @property
    def _scope(self) -> str:
        region = self._function.split(":")[3] if self._function else ""
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


async def check(functions: FunctionAuthorizer, asked: Asked) -> Mapping[str, Any] | None:
    """Returns the context that the function hands on, or None when the request may not pass.

    Raises:
        AuthorizerFailedError: the function failed, or did not answer in the authorizer's form.
    """
    answer = await functions.answer(asked.question)
    if asked.authorizer.get("EnableSimpleResponses"):
        allowed = answer.get("isAuthorized")
        if not isinstance(allowed, bool):
            raise AuthorizerFailedError("a simple answer needs isAuthorized")
        return _context(answer) if allowed else None
    if function_authorizer.effect(answer.get("policyDocument"), asked.arn) != "Allow":
        return None
    principal = {"principalId": answer["principalId"]} if "principalId" in answer else {}
    return {**_context(answer), **principal}


def _context(answer: Answer) -> Mapping[str, Any]:
    found = answer.get("context")
    return found if isinstance(found, dict) else {}
