import base64
import json
from pathlib import Path

import pytest

from understudy.image.registry import auth as registry_auth
from understudy.image.registry.auth import Auth, Challenge


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"',
            Challenge(
                scheme="bearer",
                realm="https://public.ecr.aws/token/",
                service="public.ecr.aws",
                scopes=("aws",),
            ),
        ),
        (
            'Bearer realm="https://a/t", service=s, scope="repository:a:pull,push repository:b:pull"',
            Challenge(
                scheme="bearer",
                realm="https://a/t",
                service="s",
                scopes=("repository:a:pull,push", "repository:b:pull"),
            ),
        ),
        ('Basic realm="x"', Challenge(scheme="basic", realm="x")),
        ("", Challenge(scheme="")),
    ],
)
def test_challenge_is_read(text: str, expected: Challenge) -> None:
    assert registry_auth.parse_challenge(text) == expected


@pytest.mark.parametrize(
    ("body", "value", "stale_at_s"),
    [
        (b'{"token":"t","expires_in":300}', "t", 390.0),
        (b'{"access_token":"a"}', "a", 150.0),
        (b'{"token":"t","expires_in":4}', "t", 102.0),
    ],
)
def test_token_is_not_used_to_its_last_second(body: bytes, value: str, stale_at_s: float) -> None:
    token = registry_auth.parse_token(body, now_s=100)
    assert token is not None
    assert (token.value, token.stale_at_s) == (value, stale_at_s)
    assert value not in repr(token).replace("stale_at_s", "")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"token":5}', b'{"token":""}'])
def test_answer_without_token_is_none(body: bytes) -> None:
    assert registry_auth.parse_token(body, now_s=0) is None


def test_secrets_are_in_no_text() -> None:
    auth = Auth(username="u", password="p4ss", identity_token="t0ken", bearer="b3arer")
    assert not any(secret in repr(auth) for secret in ("p4ss", "t0ken", "b3arer"))
    assert Auth.anonymous().is_anonymous
    assert Auth.basic("u", "p").basic_header() == f"Basic {b64('u:p')}"


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        ("r.io", Auth.basic("user", "pass:word")),
        ("docker.io", Auth.basic("hub", "secret")),
        ("token.io", Auth(identity_token="refresh")),
        ("https.io", Auth.basic("a", "b")),
        ("broken.io", Auth.anonymous()),
        ("unknown.io", Auth.anonymous()),
        ("store.io", Auth.anonymous()),
    ],
)
def test_stored_logins_of_docker_are_found(tmp_path: Path, registry: str, expected: Auth) -> None:
    auths = {
        "r.io": {"auth": b64("user:pass:word")},
        "https://index.docker.io/v1/": {"auth": b64("hub:secret")},
        "token.io": {"auth": b64("x:"), "identitytoken": "refresh"},
        "https://https.io": {"username": "a", "password": "b"},
        "broken.io": {"auth": "%%%"},
    }
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps({"auths": auths, "credHelpers": {"store.io": "no-such-helper", "r.io2": "../x"}})
    )
    assert registry_auth.from_docker_config(registry, path) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"Username":"AWS","Secret":"s"}', Auth.basic("AWS", "s")),
        ('{"Username":"<token>","Secret":"s"}', Auth(identity_token="s")),
        ("no json", Auth.anonymous()),
    ],
)
def test_credential_helper_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, expected: Auth
) -> None:
    helper = tmp_path / "docker-credential-fake"
    helper.write_text(f"#!/bin/sh\nread server; [ \"$1 $server\" = 'get r.io' ] && echo '{answer}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "config.json").write_text('{"credHelpers":{"r.io":"fake"}}')
    assert registry_auth.from_docker_config("r.io", tmp_path / "config.json") == expected


def test_missing_and_broken_configurations_are_anonymous(tmp_path: Path) -> None:
    assert registry_auth.from_docker_config("r.io", tmp_path / "none").is_anonymous
    (tmp_path / "config.json").write_text("[]")
    assert registry_auth.from_docker_config("r.io", tmp_path / "config.json").is_anonymous
