"""Where a request to an API went: its host, or its path where such names do not resolve; pure."""

import functools
import re
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote

from understudy.engine.executeapi.http import Scope

PREFIX = "/_aws/execute-api/"
"""LocalStack's path form, ``/_aws/execute-api/{api}/{stage}/...``, of both kinds of APIs."""
_EXECUTE_API = re.compile(r"([a-z0-9]+)\.execute-api\.")
_USER_REQUEST = re.compile(r"/restapis/([A-Za-z0-9]+)/([^/]+)/_user_request_(/.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a request went.

    Attributes:
        domain: the Host header.
        path: behind host or prefix, the stage still in front; percent-encoded as sent.
    """

    api_id: str
    domain: str
    path: str

    @property
    def decoded_path(self) -> str:
        """The path with its percent-escapes resolved."""
        return unquote(self.path)


def of(scope: Scope) -> Address | None:
    """Returns the address of a request to some API, or None when it is for another part of the engine."""
    host = _host(scope)
    found = _api_of(host)
    domain = host.decode("latin-1")
    if found is not None:
        return Address(api_id=found, domain=domain, path=_path(scope))
    if scope["path"].startswith(PREFIX):
        api_id, _, rest = _path(scope).removeprefix(PREFIX).partition("/")
        return Address(api_id=api_id, domain=domain, path="/" + rest.lstrip("/"))
    named = _USER_REQUEST.fullmatch(_path(scope)) if "/_user_request_" in scope["path"] else None
    if named is not None:
        return Address(api_id=named[1], domain=domain, path=f"/{named[2]}{named[3] or '/'}")
    return None


def is_api_path(path: str) -> bool:
    """Whether a path names an API whatever the host."""
    return path.startswith(PREFIX) or ("/_user_request_" in path and path.startswith("/restapis/"))


def _path(scope: Scope) -> str:
    raw: bytes | None = scope.get("raw_path")
    path: str = scope["path"]
    return raw.decode("latin-1").partition("?")[0] if raw else path


def _host(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"host":
            return cast(bytes, value)
    return b""


@functools.lru_cache(maxsize=1024)
def _api_of(host: bytes) -> str | None:
    found = _EXECUTE_API.match(host.decode("latin-1"))
    return found[1] if found else None
