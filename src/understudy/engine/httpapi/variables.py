"""The ``$context`` variables of a request by their path, for logs, mappings and identity sources; pure.

Source: API Gateway developer guide, "Customizing HTTP API access logs" (http-api-logging-variables).
"""

from collections.abc import Mapping

from understudy.engine.executeapi import access_log, http
from understudy.engine.executeapi.http import HttpRequest
from understudy.engine.httpapi.events import Routed


def context(request: HttpRequest, routed: Routed) -> dict[str, object]:
    """Returns what is known before anybody has answered."""
    shown = request.path if routed.stage == "$default" else f"/{routed.stage}{request.path}"
    known: dict[str, object] = {
        "accountId": routed.account_id,
        "apiId": routed.api_id,
        "domainName": routed.domain,
        "domainPrefix": routed.domain.partition(".")[0],
        "extendedRequestId": routed.request_id,
        "httpMethod": request.method,
        "identity.sourceIp": request.source_ip,
        "identity.userAgent": http.header(request, "user-agent"),
        "path": shown,
        "protocol": request.protocol,
        "requestId": routed.request_id,
        "requestTime": access_log.clf_time(int(routed.epoch_s)),
        "requestTimeEpoch": int(routed.epoch_s),
        "resourcePath": routed.route_key.partition(" ")[2] or routed.route_key,
        "routeKey": routed.route_key,
        "stage": routed.stage,
    }
    return known | _authorized(routed.authorizer or {})


def _authorized(authorizer: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """``authorizer.claims.sub`` of a JWT, ``authorizer.name`` of what a function handed on."""
    claims = authorizer.get("jwt", {}).get("claims")
    found: dict[str, object] = {}
    if isinstance(claims, dict):
        found = {f"authorizer.claims.{name}": value for name, value in claims.items()}
    found |= {f"authorizer.{name}": value for name, value in authorizer.get("lambda", {}).items()}
    iam = authorizer.get("iam", {})
    if iam:
        found |= {"identity.accountId": iam["accountId"], "identity.caller": iam["callerId"]}
        found |= {"identity.user": iam["userId"], "identity.userArn": iam["userArn"]}
    return found
