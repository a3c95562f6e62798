"""Refuses to let a web page drive a developer's local AWS.

Every page a developer visits can send requests to 127.0.0.1. Two doors are closed: a foreign ``Origin`` (or a
``Sec-Fetch-Site: cross-site`` that came without one) and a foreign ``Host``, which is how DNS rebinding looks
from here. Pages served from loopback names stay welcome: a dev server at http://localhost:3000 may call both
the control plane and its API. Other pages are let in by name (EXTRA_CORS_ALLOWED_ORIGINS, as in LocalStack).

Requests to an HTTP API (``{api}.execute-api...`` or ``/_aws/execute-api/``) or a function URL
(``{id}.lambda-url...`` or ``/_aws/lambda-url/``) are app traffic: who may call them from a browser is their
own CORS configuration, as on AWS, so only their Host is checked here.

Safe against rebinding are names that an attacker cannot point at 127.0.0.1: loopback itself, ``*.localhost``
(resolved to loopback by browsers), ``localhost.localstack.cloud`` (its owner's zone) and ``*.amazonaws.com``;
and addresses, which nobody resolves: a container is reached as ``172.17.0.1:32768``. Pages from addresses
other than loopback are foreign all the same.
"""

import functools
import ipaddress
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from urllib.parse import urlsplit

URL_PATH = "/_aws/lambda-url/"
_APP_LABELS = (".execute-api.", ".lambda-url.")
_LOCAL_NAMES = frozenset({"localhost", "localhost.localstack.cloud", "localhost.localdomain"})
_LOCAL_SUFFIXES = (".localhost", ".localhost.localstack.cloud", ".amazonaws.com", ".amazonaws.com.cn")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html, websites and dualstack included.
_BUCKET = re.compile(r".+\.s3(?:-website)?[.-]")


class HostKind(Enum):
    """What a Host header names."""

    LOCAL = "local"
    API = "api"
    BUCKET = "bucket"
    FOREIGN = "foreign"


class OriginRule:
    """Judges requests by Host and Origin; verdicts are remembered, so a request costs two lookups.

    Args:
        allowed_hosts: further host names that are ours, such as a compose service's; names below them too.
        allowed_origins: web pages that may call besides local ones; ``*`` for all.
    """

    def __init__(self, allowed_hosts: Iterable[str] = (), allowed_origins: Iterable[str] = ()) -> None:
        ours = {name.lower() for name in allowed_hosts}
        self._allowed = _LOCAL_NAMES | ours
        self._suffixes = _LOCAL_SUFFIXES + tuple(f".{name}" for name in sorted(ours))
        self._origins = frozenset(origin.encode("latin-1", "replace") for origin in allowed_origins)
        self.host_kind = functools.lru_cache(maxsize=1024)(self._host_kind)
        self._is_local_origin = functools.lru_cache(maxsize=1024)(self._judge_origin)

    def refusal(self, headers: Mapping[bytes, bytes], *, app_traffic: bool) -> str | None:
        """Returns why a request is refused, or None when it may pass.

        Args:
            headers: raw request headers, names in lower case.
            app_traffic: whether the request goes to an HTTP API or a URL, whose CORS is its own affair.
        """
        host = headers.get(b"host", b"")
        if self.host_kind(host) is HostKind.FOREIGN:
            return f"Host {host.decode('latin-1')!r} is not a name of this engine (DNS rebinding is refused)"
        if app_traffic:
            return None
        origin = headers.get(b"origin")
        if origin is not None:
            if self._is_local_origin(origin):
                return None
            return f"Origin {origin.decode('latin-1')!r} is not local: a web page must not drive local AWS"
        if headers.get(b"sec-fetch-site") == b"cross-site" and b"*" not in self._origins:
            return "Sec-Fetch-Site is cross-site: a web page must not drive local AWS"
        return None

    def _host_kind(self, host: bytes) -> HostKind:
        name = _name(f"//{host.decode('latin-1')}")
        if name is None or not (self._is_ours(name) or _is_address(name)):
            return HostKind.FOREIGN
        if _BUCKET.match(name):
            return HostKind.BUCKET
        return HostKind.API if any(label in name for label in _APP_LABELS) else HostKind.LOCAL

    def _judge_origin(self, origin: bytes) -> bool:
        if b"*" in self._origins or origin in self._origins:
            return True
        text = origin.decode("latin-1")
        name = _name(text)
        return text.startswith(("http://", "https://")) and name is not None and self._is_local_page(name)

    def _is_ours(self, name: str) -> bool:
        return name in self._allowed or name.endswith(self._suffixes) or _is_loopback(name)

    def _is_local_page(self, name: str) -> bool:
        return self._is_ours(name) and not name.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _name(url: str) -> str | None:
    try:
        name = urlsplit(url).hostname
    except ValueError:
        return None
    return name.rstrip(".") if name else None


def _is_address(name: str) -> bool:
    """Whether a host is the address of one machine: what nobody resolves, nobody can rebind."""
    try:
        return not ipaddress.ip_address(name).is_unspecified
    except ValueError:
        return False


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
