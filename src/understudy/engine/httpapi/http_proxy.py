"""HTTP_PROXY integrations: a request is handed to an HTTP server, its response handed back."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from understudy.engine.executeapi import forwarding
from understudy.engine.executeapi.http import HttpRequest, HttpResponse
from understudy.engine.executeapi.outbound import Outbound, Outgoing
from understudy.engine.httpapi.events import Routed
from understudy.engine.httpapi.stages import Endpoint, Target

_PARAMETER = re.compile(r"\{([^{}+]+)\+?\}")
# What belongs to one connection (RFC 9110, section 7.6.1), and what the client library writes itself.
_OWN = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


async def send(outbound: Outbound, target: Target, request: HttpRequest, routed: Routed) -> HttpResponse:
    """Returns the server's response.

    Raises:
        TimeoutError: it took longer than the integration may.
        OSError: the server cannot be reached.
    """
    endpoint = target.to
    if not isinstance(endpoint, Endpoint):
        raise TypeError("the route leads to a function")
    headers = [
        (name, value)
        for name, value in forwarding.headers(request, domain=routed.domain, trace_id=routed.trace_id)
        if name not in _OWN
    ]
    headers.append(("forwarded", f"for={request.source_ip};host={routed.domain};proto=http"))
    where = url(endpoint.url, routed.path_parameters, request.query)
    if "overwrite:path" in target.request_parameters:
        where = urlsplit(where)._replace(path=quote(request.path)).geturl()
    answer = await outbound.send(
        Outgoing(
            method=request.method if endpoint.method == "ANY" else endpoint.method,
            url=where,
            headers=headers,
            body=request.body,
            timeout_s=target.timeout_s,
            server_name=endpoint.server_name,
        )
    )
    kept = [pair for pair in answer.headers if pair[0].decode("latin-1") not in _OWN]
    return HttpResponse(status=answer.status, headers=kept, body=answer.body)


def url(template: str, path_parameters: Mapping[str, str], query: str) -> str:
    """Returns the URL with its path variables filled in and the request's query behind it."""
    filled = _PARAMETER.sub(lambda found: quote(path_parameters.get(found[1], "")), template)
    if not query:
        return filled
    return f"{filled}{'&' if '?' in filled else '?'}{query}"
