"""Whether a request may use its method: by a function's policy, a token of Cognito, or an IAM signature.

Source: API Gateway developer guide, "Use API Gateway Lambda authorizers" and "Control access to REST APIs
using Amazon Cognito user pools". A pool's id token opens a method without scopes, its access token one with
scopes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.engine.executeapi import (
    forwarding,
    function_authorizer,
    http,
    jwt_authorizer,
    signed,
    targets,
)
from understudy.engine.executeapi.function_authorizer import (
    AuthorizerFailedError,
    FunctionAuthorizer,
    Question,
)
from understudy.engine.executeapi.http import HttpRequest
from understudy.engine.executeapi.jwt_authorizer import Claims, JwtAuthorizer, TokenRefusedError
from understudy.engine.restapi import events
from understudy.engine.restapi.events import Routed
from understudy.engine.restapi.refusals import RefusedError

_POOL = re.compile(r"arn:aws[a-z-]*:cognito-idp:([a-z0-9-]+):\d+:userpool/([A-Za-z0-9_-]+)")
_DENIED = "User is not authorized to access this resource with an explicit deny in an identity-based policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What guards a method.

    Attributes:
        kind: ``AWS_IAM``, ``CUSTOM`` or ``COGNITO_USER_POOLS``.
        authorizer: botocore's ``Authorizer`` structure; empty for IAM.
        region: of the API.
    """

    kind: str
    authorizer: Mapping[str, Any]
    scopes: Sequence[str]
    region: str


class Authorization:
    """Asks whoever guards a method."""

    def __init__(self, tokens: JwtAuthorizer, functions: FunctionAuthorizer) -> None:
        self._tokens = tokens
        self._functions = functions

    async def check(self, guard: Guard, request: HttpRequest, routed: Routed) -> Mapping[str, Any]:
        """Returns ``requestContext.authorizer``; empty for IAM.

        Raises:
            RefusedError: the request does not pass.
        """
        if guard.kind == "AWS_IAM":
            if not routed.iam:
                raise RefusedError("MISSING_AUTHENTICATION_TOKEN", "no signature for execute-api")
            return {}
        sources = guard.authorizer.get("identitySource") or ""
        found = [_identity(one.strip(), request, routed) for one in sources.split(",") if one.strip()]
        values = [value for value in found if value]
        pattern = guard.authorizer.get("identityValidationExpression")
        if len(values) < len(found) or (pattern and not re.fullmatch(pattern, values[0])):
            raise RefusedError("UNAUTHORIZED", "an identity source is missing")
        if guard.kind == "COGNITO_USER_POOLS":
            return {"claims": await self._claims(guard, values[0])}
        return await self._word(guard, values, request, routed)

    async def _claims(self, guard: Guard, token: str) -> Mapping[str, str]:
        reason = "no user pool"
        for arn in guard.authorizer["providerARNs"]:
            pool = _POOL.fullmatch(arn)
            if pool is None:
                continue
            issuer = f"https://cognito-idp.{pool[1]}.amazonaws.com/{pool[2]}"
            try:
                claims = await self._tokens.check(token, issuer=issuer, audience=None, scopes=guard.scopes)
            except TokenRefusedError as exc:
                reason = str(exc)
                continue
            if claims.get("token_use") == ("access" if guard.scopes else "id"):
                return _texts(claims)
            reason = f"it is a token for {claims.get('token_use')}"
        raise RefusedError("UNAUTHORIZED", reason)

    async def _word(
        self, guard: Guard, identity: Sequence[str], request: HttpRequest, routed: Routed
    ) -> Mapping[str, Any]:
        authorizer = guard.authorizer
        scope = f"arn:aws:execute-api:{guard.region}:{routed.account_id}:{routed.api_id}"
        arn = f"{scope}/{routed.stage}/{request.method}{request.path}"
        question = Question(
            function=targets.function(authorizer["authorizerUri"]) or "",
            source_arn=f"{scope}/authorizers/{authorizer['id']}",
            open=bool(authorizer.get("authorizerCredentials")),
            key=(routed.api_id, authorizer["id"], tuple(identity)),
            ttl_s=authorizer["authorizerResultTtlInSeconds"] if identity else 0,
            event=_event(authorizer["type"], arn, identity, request, routed),
        )
        try:
            answer = await self._functions.answer(question)
            effect = function_authorizer.effect(answer.get("policyDocument"), arn)
        except AuthorizerFailedError as exc:
            kind = "UNAUTHORIZED" if exc.unauthorized else "AUTHORIZER_CONFIGURATION_ERROR"
            raise RefusedError(kind, str(exc)) from exc
        if effect != "Allow":
            text = _DENIED if effect == "Deny" else None
            raise RefusedError("ACCESS_DENIED", "the authorizer denies", text=text)
        context = answer.get("context") or {}
        return {"principalId": answer.get("principalId"), **_texts(context)}


def _event(
    kind: str, arn: str, identity: Sequence[str], request: HttpRequest, routed: Routed
) -> Callable[[], Mapping[str, Any]]:
    def make() -> Mapping[str, Any]:
        if kind == "TOKEN":
            return {"type": "TOKEN", "methodArn": arn, "authorizationToken": identity[0]}
        whole = events.event(request, routed, binary=False)
        kept = {name: value for name, value in whole.items() if name not in ("body", "isBase64Encoded")}
        return {"type": "REQUEST", "methodArn": arn, **kept}

    return make


def _identity(source: str, request: HttpRequest, routed: Routed) -> str | None:
    place, _, name = source.removeprefix("method.request.").partition(".")
    if place == "header":
        return http.header(request, name.lower())
    if place == "querystring":
        return ",".join(forwarding.query(request.query).get(name, ())) or None
    if place == "stageVariables":
        return routed.stage_variables.get(name)
    known = events.variables(request, routed).get(name) if place == "context" else None
    return None if known is None else str(known)


def _texts(values: Claims) -> Mapping[str, str]:
    """What a REST API hands on is text: lists of claims are joined by commas."""
    return {
        name: ",".join(map(str, value)) if isinstance(value, list) else jwt_authorizer.claim_text(value)
        for name, value in values.items()
        if value is not None
    }


def caller(guard: Guard | None, request: HttpRequest) -> Mapping[str, str | None]:
    """Returns who signed a request whose method asks for that; nobody otherwise."""
    return (signed.caller(request) or {}) if guard is not None and guard.kind == "AWS_IAM" else {}
