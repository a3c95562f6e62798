"""What of a request both kinds of APIs hand on: its headers with the gateway's own, its query; pure."""

from urllib.parse import parse_qsl

from understudy.engine.executeapi.http import HttpRequest

_KEPT_BACK = frozenset((b"connection", b"transfer-encoding", b"keep-alive"))


def headers(request: HttpRequest, *, domain: str, trace_id: str) -> list[tuple[str, str]]:
    """Returns the request's headers and those that the gateway adds, names in lower case."""
    received = [
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in request.headers
        if name not in _KEPT_BACK
    ]
    sent = {name for name, _ in received}
    port = domain.rpartition(":")[2] if ":" in domain else "443"
    added = {
        "content-length": str(len(request.body)),
        "x-amzn-trace-id": trace_id,
        "x-forwarded-for": request.source_ip,
        "x-forwarded-port": port,
        "x-forwarded-proto": "http",
    }
    return received + [(name, value) for name, value in added.items() if name not in sent]


def titled(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Returns headers as payload 1.0 names them, ``Content-Type``, each with all its values."""
    many: dict[str, list[str]] = {}
    for name, value in pairs:
        many.setdefault("-".join(part.capitalize() for part in name.split("-")), []).append(value)
    return many


def query(text: str) -> dict[str, list[str]]:
    """Returns a query string's values by name, blank ones too."""
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return values
