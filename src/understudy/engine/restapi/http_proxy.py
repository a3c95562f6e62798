"""HTTP_PROXY integrations of REST APIs: a request is handed to an HTTP server, its response handed back.

Source: API Gateway developer guide, "Set up request parameter mappings". Headers and query go on by
themselves; a ``{name}`` in the URI is filled by ``integration.request.path.name``.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from understudy.engine.executeapi import forwarding, http
from understudy.engine.executeapi import outbound as outbounds
from understudy.engine.executeapi.http import HttpRequest
from understudy.engine.executeapi.outbound import Outgoing
from understudy.engine.protocol import ApiError
from understudy.engine.restapi import events
from understudy.engine.restapi.events import Routed

_KEY = re.compile(r"integration\.request\.(path|querystring|header)\.(.+)")
_VARIABLE = re.compile(r"\{([^{}+]+)\+?\}")
_FIXED = re.compile(r"'(.*)'", re.DOTALL)


def check(parameters: Mapping[str, str] | None) -> None:
    """Passes when every mapping is one of an integration's request.

    Raises:
        ApiError: BadRequestException.
    """
    for key in parameters or ():
        if _KEY.fullmatch(key) is None:
            raise ApiError("BadRequestException", f"Invalid mapping expression parameter specified: {key}")


def outgoing(
    uri: str, verb: str, parameters: Mapping[str, str], request: HttpRequest, routed: Routed
) -> Outgoing:
    """Returns the request that the server gets; its time is the caller's to set.

    Args:
        uri: the integration's, stage variables filled in.
        verb: the integration's method; ``ANY`` passes the request's own.
        parameters: the integration's ``requestParameters``.
        request: as it was received.
        routed: what is known of it.
    """
    mapped: dict[str, dict[str, str]] = {"path": {}, "querystring": {}, "header": {}}
    for key, source in parameters.items():
        found, value = _KEY.fullmatch(key), _value(source, request, routed)
        if found is not None and value is not None:
            mapped[found[1]][found[2]] = value
    query = forwarding.query(request.query) | {name: [value] for name, value in mapped["querystring"].items()}
    url = _VARIABLE.sub(lambda found: quote(mapped["path"].get(found[1], ""), safe="/%"), uri)
    headers = outbounds.headers(request, domain=routed.domain, trace_id=routed.trace_id)
    own = {name.lower(): value for name, value in mapped["header"].items()}
    return Outgoing(
        method=request.method if verb == "ANY" else verb,
        url=f"{url}?{urlencode(query, doseq=True)}" if query else url,
        headers=[*(pair for pair in headers if pair[0] not in own), *own.items()],
        body=request.body,
    )


def _value(source: str, request: HttpRequest, routed: Routed) -> str | None:
    fixed = _FIXED.fullmatch(source)
    if fixed is not None:
        return fixed[1]
    place, _, name = source.removeprefix("method.request.").partition(".")
    if place == "path":
        return routed.path_parameters.get(name)
    if place == "querystring":
        values = forwarding.query(request.query).get(name)
        return values[-1] if values else None
    if place == "header":
        return http.header(request, name.lower())
    if place == "stageVariables":
        return routed.stage_variables.get(name)
    known = events.variables(request, routed).get(name) if place == "context" else None
    return None if known is None else str(known)
