"""Whether a request may use its route: by a JWT, by a function's word, or by an IAM signature."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.engine.executeapi import forwarding, http, jwt_authorizer, signed
from understudy.engine.executeapi.function_authorizer import AuthorizerFailedError, FunctionAuthorizer
from understudy.engine.executeapi.http import HttpRequest, HttpResponse
from understudy.engine.executeapi.jwt_authorizer import JwtAuthorizer, TokenRefusedError
from understudy.engine.httpapi import lambda_authorizer, variables
from understudy.engine.httpapi.events import Routed
from understudy.engine.httpapi.lambda_authorizer import Asked

_SOURCE = re.compile(r"\$(request\.header|request\.querystring|context|stageVariables)\.(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What guards a route.

    Attributes:
        kind: ``JWT``, ``CUSTOM`` (a Lambda authorizer) or ``AWS_IAM``.
        authorizer: botocore's ``Authorizer`` structure; empty for IAM.
    """

    kind: str
    authorizer: Mapping[str, Any]
    scopes: Sequence[str] = ()


class RefusedError(Exception):
    """A request may not use its route.

    Attributes:
        response: what the client gets.
    """

    def __init__(self, reason: str, response: HttpResponse) -> None:
        super().__init__(reason)
        self.response = response


class Authorization:
    """Asks whoever guards a route."""

    def __init__(self, tokens: JwtAuthorizer, functions: FunctionAuthorizer) -> None:
        self._tokens = tokens
        self._functions = functions

    async def check(self, guard: Guard, request: HttpRequest, routed: Routed) -> Mapping[str, Any]:
        """Returns ``requestContext.authorizer`` of payload 2.0.

        Raises:
            RefusedError: the request does not pass.
        """
        if guard.kind == "AWS_IAM":
            caller = signed.caller(request)
            if caller is None:
                raise RefusedError("no signature for execute-api", http.message(403, "Forbidden"))
            return {"iam": caller}
        sources = guard.authorizer.get("IdentitySource") or ()
        found = [identity(source, request, routed) for source in sources]
        values = [value for value in found if value]
        if len(values) < len(found):
            challenge = (("www-authenticate", "Bearer"),) if guard.kind == "JWT" else ()
            raise RefusedError("an identity source is missing", http.message(401, "Unauthorized", *challenge))
        if guard.kind == "JWT":
            return {"jwt": await self._token(guard, values[0])}
        try:
            asked = Asked(authorizer=guard.authorizer, identity=values, request=request, routed=routed)
            context = await lambda_authorizer.check(self._functions, asked)
        except AuthorizerFailedError as exc:
            raise RefusedError(str(exc), http.message(500, "Internal Server Error")) from exc
        if context is None:
            raise RefusedError("the authorizer denies", http.message(403, "Forbidden"))
        return {"lambda": context}

    async def _token(self, guard: Guard, token: str) -> Mapping[str, Any]:
        configuration = guard.authorizer["JwtConfiguration"]
        try:
            claims = await self._tokens.check(
                token,
                issuer=configuration["Issuer"],
                audience=configuration.get("Audience") or (),
                scopes=guard.scopes,
            )
        except TokenRefusedError as exc:
            kind = "insufficient_scope" if exc.forbidden else "invalid_token"
            challenge = f'Bearer scope="{" ".join(guard.scopes)}" error="{kind}" error_description="{exc}"'
            status, text = (403, "Forbidden") if exc.forbidden else (401, "Unauthorized")
            answer = http.message(status, text, ("www-authenticate", challenge))
            raise RefusedError(str(exc), answer) from exc
        return jwt_authorizer.context(claims, guard.scopes)


def identity(source: str, request: HttpRequest, routed: Routed) -> str | None:
    """Returns the value of an identity source such as ``$request.header.Authorization``, or None."""
    found = _SOURCE.fullmatch(source)
    if found is None:
        return None
    place, name = found.groups()
    if place == "request.header":
        return http.header(request, name.lower())
    if place == "request.querystring":
        return ",".join(forwarding.query(request.query).get(name, ())) or None
    if place == "stageVariables":
        return routed.stage_variables.get(name)
    known = variables.context(request, routed).get(name)
    return None if known is None else str(known)


def is_source(text: str) -> bool:
    """Whether a text is an identity source."""
    return _SOURCE.fullmatch(text) is not None
