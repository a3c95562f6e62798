"""Credentials for registries: who we are, and what a registry's challenge asks for.

Reads Docker's own ``config.json`` and credential helpers, so ``docker login`` and the ECR helper work
unchanged. Refuses to keep a password in any text: neither `repr` nor an error shows one.
"""

import base64
import binascii
import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io")
_HELPER_TIMEOUT_S = 10
_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_MARGIN_S = 10.0
_DEFAULT_LIFE_S = 60.0
_ID_TOKEN_USER = "<token>"  # noqa: S105 - the user name that credential helpers give for a token


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How to present ourselves: anonymous, user and password, or a token to exchange.

    Attributes:
        identity_token: an OAuth2 refresh token, exchanged for bearer tokens.
        bearer: a ready bearer token, sent as it is.
        renew: gives others once the registry no longer takes these (ECR's last twelve hours).
    """

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    bearer: str = field(default="", repr=False)
    renew: "Callable[[], Auth] | None" = field(default=None, repr=False, compare=False)

    @classmethod
    def anonymous(cls) -> Self:
        """Returns no credentials: public repositories only."""
        return cls()

    @classmethod
    def basic(cls, username: str, password: str, *, renew: "Callable[[], Auth] | None" = None) -> Self:
        """Returns user and password, for Basic and for token servers; for ECR the user is ``AWS``."""
        return cls(username=username, password=password, renew=renew)

    @property
    def is_anonymous(self) -> bool:
        """Whether there is nothing to present."""
        return not (self.username or self.identity_token or self.bearer)

    def basic_header(self) -> str:
        """Returns the Authorization header of the Basic scheme."""
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return f"Basic {pair}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One WWW-Authenticate header."""

    scheme: str
    realm: str = ""
    service: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token, and the monotonic time from which it is not to be used."""

    value: str = field(repr=False)
    stale_at_s: float

    @property
    def header(self) -> str:
        """The Authorization header."""
        return f"Bearer {self.value}"


def parse_challenge(text: str) -> Challenge:
    """Returns the challenge in a WWW-Authenticate header (RFC 9110, section 11.6.1)."""
    scheme, _, rest = text.strip().partition(" ")
    found = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
    return Challenge(
        scheme=scheme.lower(),
        realm=found.get("realm", ""),
        service=found.get("service", ""),
        scopes=tuple(found.get("scope", "").split()),
    )


def parse_token(body: bytes, *, now_s: float) -> Token | None:
    """Returns the token in a token server's answer, None when there is none.

    Args:
        body: JSON with ``token`` or ``access_token`` (distribution, token authentication).
        now_s: monotonic time of the request.
    """
    try:
        document = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    value = document.get("token") or document.get("access_token")
    if not isinstance(value, str) or not value:
        return None
    life = document.get("expires_in")
    life_s = float(life) if isinstance(life, int | float) and life > 0 else _DEFAULT_LIFE_S
    return Token(value=value, stale_at_s=now_s + max(life_s - _MARGIN_S, life_s / 2))


def from_docker_config(registry: str, path: Path | None = None) -> Auth:
    """Returns the credentials that ``docker login`` stored for `registry`, anonymous when there are none.

    Args:
        registry: host and port, as in a reference.
        path: the configuration; ``~/.docker/config.json`` when None.
    """
    config = _load(path if path is not None else Path.home() / ".docker" / "config.json")
    keys: tuple[str, ...] = (registry, f"https://{registry}", f"http://{registry}", f"https://{registry}/v2/")
    if registry == "docker.io":
        keys += _HUB_KEYS
    helpers = _mapping(config.get("credHelpers"))
    stored = _mapping(config.get("auths"))
    for key in keys:
        helper = helpers.get(key) or (config.get("credsStore") if key in stored else None)
        found = _ask(helper, key) if isinstance(helper, str) else _decode(_mapping(stored.get(key)))
        if not found.is_anonymous:
            return found
    return Auth.anonymous()


def monotonic_s() -> float:
    """Returns the clock that token lives are measured with."""
    return time.monotonic()


def _load(path: Path) -> Mapping[str, Any]:
    try:
        return _mapping(json.loads(path.read_bytes()))
    except (OSError, ValueError):
        return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _decode(entry: Mapping[str, Any]) -> Auth:
    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return Auth(identity_token=token)
    try:
        pair = base64.b64decode(str(entry.get("auth") or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return Auth.anonymous()
    username, _, password = pair.partition(":")
    username = username or str(entry.get("username") or "")
    return Auth(username=username, password=password or str(entry.get("password") or ""))


def _ask(helper: str, server: str) -> Auth:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", helper):
        return Auth.anonymous()
    try:
        answer = subprocess.run(
            [f"docker-credential-{helper}", "get"],
            input=server.encode(),
            capture_output=True,
            check=True,
            timeout=_HELPER_TIMEOUT_S,
        ).stdout
        found = _mapping(json.loads(answer))
    except (OSError, subprocess.SubprocessError, ValueError):
        return Auth.anonymous()
    username, secret = str(found.get("Username") or ""), str(found.get("Secret") or "")
    if username == _ID_TOKEN_USER:
        return Auth(identity_token=secret)
    return Auth(username=username, password=secret)
