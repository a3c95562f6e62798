"""HTTP_PROXY integrations: a request is handed to an HTTP server, its response handed back."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from understudy.engine.executeapi import outbound as outbounds
from understudy.engine.executeapi.http import HttpRequest, HttpResponse
from understudy.engine.executeapi.outbound import Outbound, Outgoing
from understudy.engine.httpapi.events import Routed
from understudy.engine.httpapi.stages import Endpoint, Target

_PARAMETER = re.compile(r"\{([^{}+]+)\+?\}")


async def send(outbound: Outbound, target: Target, request: HttpRequest, routed: Routed) -> HttpResponse:
    """Returns the server's response.

    Raises:
        TimeoutError: it took longer than the integration may.
        OSError: the server cannot be reached.
    """
    endpoint = target.to
    if not isinstance(endpoint, Endpoint):
        raise TypeError("the route leads to a function")
    where = url(endpoint.url, routed.path_parameters, request.query)
    if "overwrite:path" in target.request_parameters:
        where = urlsplit(where)._replace(path=quote(request.path)).geturl()
    return await outbound.send(
        Outgoing(
            method=request.method if endpoint.method == "ANY" else endpoint.method,
            url=where,
            headers=outbounds.headers(request, domain=routed.domain, trace_id=routed.trace_id),
            body=request.body,
            timeout_s=target.timeout_s,
            server_name=endpoint.server_name,
        )
    )


def url(template: str, path_parameters: Mapping[str, str], query: str) -> str:
    """Returns the URL with its path variables filled in and the request's query behind it."""
    filled = _PARAMETER.sub(lambda found: quote(path_parameters.get(found[1], "")), template)
    if not query:
        return filled
    return f"{filled}{'&' if '?' in filled else '?'}{query}"
