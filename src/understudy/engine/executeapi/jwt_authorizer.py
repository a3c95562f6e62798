"""JWT authorizers: a token is checked as API Gateway checks it.

Source: API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers"
(http-api-jwt-authorizer): RSA only; ``iss``, ``aud`` (or ``client_id`` without it), ``exp``, ``nbf``,
``iat``; one of the route's scopes in ``scope`` or ``scp``; keys by the issuer's OpenID configuration, kept
for two hours. The descriptions of audience and expiry were recorded on AWS, the others are in the same words.
Locally an issuer may speak plain HTTP, a key that is not known is looked for again, and a user pool of
Cognito is looked for here before it is on AWS.
"""

import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import jwt

Claims = Mapping[str, Any]
Fetch = Callable[[str], Awaitable[bytes]]
"""Returns what a GET of a URL answers, or raises OSError."""

ALGORITHMS = ("RS256", "RS384", "RS512")
_KEPT_S = 7200.0
_POOL = re.compile(r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com/([A-Za-z0-9_-]+)")
_CONFIGURATION = "/.well-known/openid-configuration"
_PROBLEMS: Sequence[tuple[type[jwt.InvalidTokenError], str]] = (
    (jwt.ExpiredSignatureError, "the token has expired"),
    (jwt.ImmatureSignatureError, "the token is not valid yet"),
    (jwt.InvalidIssuedAtError, "the token is not valid yet"),
    (jwt.InvalidIssuerError, "the token does not have a valid issuer"),
    (jwt.InvalidSignatureError, "the token signature is invalid"),
)


class TokenRefusedError(Exception):
    """A token is not good enough; its text is the ``error_description`` of the answer.

    Attributes:
        forbidden: whether the token is valid and lacks the route's scopes.
    """

    def __init__(self, description: str, *, forbidden: bool = False) -> None:
        super().__init__(description)
        self.forbidden = forbidden


class JwtAuthorizer:
    """Checks tokens; remembers the keys of issuers.

    Args:
        cognito: the endpoint that has user pools of its own; None when there is none.
    """

    def __init__(
        self, fetch: Fetch, *, cognito: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._cognito = cognito
        self._clock = clock
        self._keys: dict[str, tuple[float, dict[str, jwt.PyJWK]]] = {}

    async def check(
        self, token: str, *, issuer: str, audience: Sequence[str] | None, scopes: Sequence[str]
    ) -> Claims:
        """Returns the token's claims.

        Args:
            token: as the identity source holds it, with or without ``Bearer``.
            issuer: whose keys sign.
            audience: of which the token must name one; None asks for none.
            scopes: of which the token must have one, if there are any.

        Raises:
            TokenRefusedError: the token does not pass.
        """
        scheme, _, rest = token.strip().partition(" ")
        text = rest.strip() if scheme.lower() == "bearer" else token.strip()
        key = await self._key(text, issuer)
        try:
            claims: Claims = jwt.decode(
                text,
                key.key,
                algorithms=ALGORITHMS,
                issuer=issuer,
                options={"verify_aud": False, "verify_sub": False, "verify_jti": False},
            )
        except jwt.InvalidTokenError as exc:
            known = (said for kind, said in _PROBLEMS if isinstance(exc, kind))
            raise TokenRefusedError(next(known, "the token is invalid")) from exc
        named = _texts(claims["aud"] if "aud" in claims else claims.get("client_id"))
        if audience is not None and not set(named) & set(audience):
            raise TokenRefusedError("the token does not have a valid audience")
        if scopes and not set(scopes) & set(token_scopes(claims)):
            raise TokenRefusedError("the token does not have a valid scope", forbidden=True)
        return claims

    async def _key(self, token: str, issuer: str) -> jwt.PyJWK:
        if token.count(".") != 2:
            raise TokenRefusedError("token contains an invalid number of segments")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as exc:
            raise TokenRefusedError("the token is invalid") from exc
        if header.get("alg") not in ALGORITHMS:
            raise TokenRefusedError(f"signing method {header.get('alg')} is invalid")
        since, keys = self._keys.get(issuer, (-_KEPT_S, {}))
        key_id = str(header.get("kid"))
        if key_id in keys and self._clock() - since <= _KEPT_S:
            return keys[key_id]
        problem = None
        for place in self._places(issuer):
            try:
                keys = await self._published(place)
            except TokenRefusedError as exc:
                problem = exc
                continue
            if key_id in keys:
                self._keys[issuer] = (self._clock(), keys)
                return keys[key_id]
            problem = None
        raise problem or TokenRefusedError("unable to find a signing key that matches the token's kid")

    def _places(self, issuer: str) -> list[str]:
        """Where an issuer's keys may be: a pool of the local Cognito names AWS as its issuer."""
        pool = _POOL.fullmatch(issuer)
        return [f"{self._cognito}/{pool[1]}", issuer] if pool and self._cognito else [issuer]

    async def _published(self, issuer: str) -> dict[str, jwt.PyJWK]:
        try:
            found = json.loads(await self._fetch(issuer.rstrip("/") + _CONFIGURATION))
            document = json.loads(await self._fetch(found["jwks_uri"]))
            keys = jwt.PyJWKSet.from_dict(document).keys
        except (OSError, ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as exc:
            raise TokenRefusedError("OIDC discovery endpoint communication error") from exc
        return {str(key.key_id): key for key in keys if key.key_type == "RSA"}


def token_scopes(claims: Claims) -> list[str]:
    """Returns the scopes that a token has, of ``scp`` or of ``scope``."""
    value = claims.get("scp", claims.get("scope"))
    return value.split() if isinstance(value, str) else _texts(value)


def context(claims: Claims, scopes: Sequence[str]) -> dict[str, Any]:
    """Returns ``requestContext.authorizer.jwt``: claims as texts, scopes where the route asks for some.

    The form of lists, numbers and nothing is what AWS was measured to send (floci-io/floci#2011).
    """
    texts = {name: claim_text(value) for name, value in claims.items() if value is not None}
    return {"claims": texts, "scopes": token_scopes(claims) if scopes else None}


def claim_text(value: object) -> str:
    """Returns a claim as a Lambda sees it: a list is ``[a b]``, an object JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(claim_text(item) for item in value)}]"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, separators=(",", ":"))


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return [] if value is None else [str(value)]
