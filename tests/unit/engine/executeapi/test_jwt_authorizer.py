import time
from typing import Any

import jwt
import pytest

from tests.fakes.issuer import Issuer
from understudy.engine.executeapi import jwt_authorizer
from understudy.engine.executeapi.jwt_authorizer import JwtAuthorizer, TokenRefusedError


async def check(issuer: Issuer, token: str, *scopes: str) -> Any:
    rule = JwtAuthorizer(issuer.fetch)
    return await rule.check(token, issuer=issuer.url, audience=["web", "app"], scopes=scopes)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": ["other", "app"]},
        {"aud": None, "client_id": "web"},
        {"scope": "write read"},
        {"scp": ["read"]},
    ],
)
async def test_a_good_token_passes(claims: dict[str, Any]) -> None:
    issuer = Issuer()
    scopes = ["read"] if "scope" in claims or "scp" in claims else []

    assert (await check(issuer, f"Bearer {issuer.token(**claims)}", *scopes))["sub"] == "ann"
    assert (await check(issuer, issuer.token(**claims), *scopes))["sub"] == "ann"


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"exp": 1}, "the token has expired"),
        ({"nbf": time.time() + 900}, "the token is not valid yet"),
        ({"iss": "https://other.example"}, "the token does not have a valid issuer"),
        ({"aud": "nobody", "client_id": "web"}, "the token does not have a valid audience"),
        ({"aud": None}, "the token does not have a valid audience"),
        ({"forged": True}, "the token signature is invalid"),
        ({"kid": "two"}, "unable to find a signing key that matches the token's kid"),
    ],
)
async def test_a_bad_token_is_refused_with_its_reason(claims: dict[str, Any], said: str) -> None:
    issuer = Issuer()

    with pytest.raises(TokenRefusedError, match=said) as caught:
        await check(issuer, issuer.token(**claims))
    assert not caught.value.forbidden


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("nonsense", "token contains an invalid number of segments"),
        ("a.b.c", "the token is invalid"),
        (jwt.encode({"sub": "ann"}, "x" * 32, algorithm="HS256"), "signing method HS256 is invalid"),
    ],
)
async def test_what_is_no_rsa_token_is_refused_before_anybody_is_asked(token: str, said: str) -> None:
    issuer = Issuer()

    with pytest.raises(TokenRefusedError, match=said):
        await check(issuer, token)
    assert issuer.fetched == []


async def test_a_token_without_the_routes_scopes_is_forbidden() -> None:
    issuer = Issuer()

    with pytest.raises(TokenRefusedError) as caught:
        await check(issuer, issuer.token(scope="write"), "read")
    assert caught.value.forbidden


async def test_an_issuer_that_does_not_answer_refuses_and_keys_are_kept_for_two_hours() -> None:
    issuer, now = Issuer(), [0.0]
    rule = JwtAuthorizer(issuer.fetch, clock=lambda: now[0])

    async def ask(url: str) -> None:
        await rule.check(issuer.token(), issuer=url, audience=["web"], scopes=())

    with pytest.raises(TokenRefusedError, match="OIDC discovery endpoint communication error"):
        await ask("https://gone.example")
    issuer.fetched.clear()
    await ask(issuer.url)
    now[0] = 7200.0
    await ask(issuer.url)
    assert len(issuer.fetched) == 2
    now[0] = 7201.0
    await ask(issuer.url)
    assert len(issuer.fetched) == 4


async def test_a_user_pool_is_looked_for_here_first() -> None:
    here = Issuer("http://localhost:4566/us-east-1_Pool")
    rule = JwtAuthorizer(here.fetch, cognito="http://localhost:4566")
    pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Pool"

    claims = await rule.check(here.token(iss=pool), issuer=pool, audience=["web"], scopes=())
    assert claims["iss"] == pool
    with pytest.raises(TokenRefusedError, match="OIDC discovery"):
        await rule.check(here.token(iss=pool, kid="of AWS"), issuer=pool, audience=["web"], scopes=())
    assert here.fetched[-1] == f"{pool}/.well-known/openid-configuration"


async def test_a_user_pool_that_is_not_here_is_looked_for_on_aws() -> None:
    pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Pool"
    there = Issuer(pool)
    rule = JwtAuthorizer(there.fetch, cognito="http://localhost:4566")

    claims = await rule.check(there.token(), issuer=pool, audience=["web"], scopes=())

    assert claims["iss"] == pool
    assert there.fetched[0] == "http://localhost:4566/us-east-1_Pool/.well-known/openid-configuration"
    with pytest.raises(TokenRefusedError, match="unable to find a signing key"):
        await rule.check(there.token(kid="another"), issuer=pool, audience=["web"], scopes=())


def test_claims_are_texts_and_scopes_are_shown_where_the_route_asks_for_them() -> None:
    claims = {"sub": "ann", "exp": 1.5e9, "groups": ["a", "b"], "ok": True, "no": None, "at": {"a": 1}}
    shown = {"sub": "ann", "exp": "1500000000", "groups": "[a b]", "ok": "true", "at": '{"a":1}'}

    assert jwt_authorizer.context(claims, ()) == {"claims": shown, "scopes": None}
    assert jwt_authorizer.context({"scope": "x y"}, ["x"])["scopes"] == ["x", "y"]
