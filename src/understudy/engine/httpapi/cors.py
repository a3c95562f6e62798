"""CORS of an HTTP API as the gateway itself answers it; pure.

Source: API Gateway developer guide, "Configure CORS for HTTP APIs": with a CORS configuration the gateway
answers preflight requests even where no OPTIONS route exists, and ignores CORS headers that the integration
returns.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Header = tuple[bytes, bytes]


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request asks for permission rather than for content."""
    return method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def response_headers(cors: Mapping[str, Any], origin: str | None, *, preflight: bool) -> list[Header]:
    """Returns the headers that the gateway adds for `origin`; none when the configuration does not allow it.

    Args:
        cors: botocore's ``Cors`` structure (``AllowOrigins``, ``AllowMethods``, ...).
        origin: the request's Origin header.
        preflight: whether the answer is to a preflight request.
    """
    allowed = _allowed_origin(cors.get("AllowOrigins") or (), origin)
    if allowed is None:
        return []
    answer = {"access-control-allow-origin": allowed}
    if cors.get("AllowCredentials"):
        answer["access-control-allow-credentials"] = "true"
    if preflight:
        answer |= _joined("access-control-allow-methods", cors.get("AllowMethods"))
        answer |= _joined("access-control-allow-headers", cors.get("AllowHeaders"))
        if cors.get("MaxAge") is not None:
            answer["access-control-max-age"] = str(cors["MaxAge"])
    else:
        answer |= _joined("access-control-expose-headers", cors.get("ExposeHeaders"))
    if allowed != "*":
        answer["vary"] = "origin"
    return [(name.encode(), value.encode("latin-1")) for name, value in answer.items()]


def _joined(name: str, values: Sequence[str] | None) -> dict[str, str]:
    return {name: ",".join(values)} if values else {}


def _allowed_origin(patterns: Sequence[str], origin: str | None) -> str | None:
    if origin is None:
        return None
    for pattern in patterns:
        if pattern == "*":
            return "*"
        if pattern == origin or (pattern.endswith("://*") and origin.startswith(pattern[:-1])):
            return origin
    return None
