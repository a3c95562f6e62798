"""A stage of an HTTP API compiled for the data path: all about it that no request has a say in; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from understudy.engine.executeapi import targets, throttle
from understudy.engine.executeapi.routing import Router
from understudy.engine.executeapi.store import ApiRecord, Document
from understudy.engine.executeapi.throttle import Limits
from understudy.engine.httpapi.authorization import Guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function that a route invokes.

    Attributes:
        arn: None when the integration names none.
        source_arn: on whose behalf the function is invoked, for its resource policy.
        open: whether the resource policy does not matter.
    """

    arn: str | None
    source_arn: str
    open: bool
    payload_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An HTTP server that a route hands requests to.

    Attributes:
        url: with ``{name}`` where a path variable goes.
        method: ``ANY`` passes the request's own.
        server_name: that the server's certificate must show; None is the host of the URL.
    """

    url: str
    method: str
    server_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a route leads, as far as no request has a say in it."""

    to: Function | Endpoint
    timeout_s: float
    request_parameters: Mapping[str, str]
    response_parameters: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route of a stage.

    Attributes:
        guard: who decides whether a request passes; None lets everybody.
        limits: of requests; None when the stage sets none.
        target: None where a route has no integration.
    """

    guard: Guard | None
    limits: Limits | None
    target: Target | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage compiled for the data path; valid while `revision` is the record's.

    Attributes:
        routes: by id.
        access_log: destination and format; None writes none.
    """

    revision: int
    name: str
    router: Router
    routes: Mapping[str, Route]
    variables: Mapping[str, str]
    access_log: tuple[str, str] | None


def compiled(record: ApiRecord, name: str) -> Stage:
    """Returns what the stage serves by its deployment."""
    document = record.stages[name]
    deployment = record.deployments.get(document.get("DeploymentId", ""))
    snapshot: Document = deployment["Snapshot"] if deployment else {}
    routes: dict[str, Document] = snapshot.get("routes", {})
    integrations = snapshot.get("integrations", {})
    variables = document.get("StageVariables") or {}
    served: dict[str, Route] = {}
    for route_id, route in routes.items():
        integration = integrations.get(route.get("Target", "").removeprefix("integrations/"))
        source_arn = _source_arn(record, name, route["RouteKey"])
        served[route_id] = Route(
            guard=_guard(route, snapshot.get("authorizers", {})),
            limits=_limits(document, route["RouteKey"]),
            target=_target(integration, source_arn, variables) if integration else None,
        )
    log = document.get("AccessLogSettings") or {}
    return Stage(
        revision=record.revision,
        name=name,
        router=Router((route_id, route["RouteKey"]) for route_id, route in routes.items()),
        routes=served,
        variables=variables,
        access_log=(log["DestinationArn"], log["Format"]) if log else None,
    )


def _target(integration: Document, source_arn: str, variables: Mapping[str, str]) -> Target:
    uri = targets.filled(integration["IntegrationUri"], variables)
    to: Function | Endpoint
    if integration["IntegrationType"] == "HTTP_PROXY":
        tls = integration.get("TlsConfig") or {}
        to = Endpoint(
            url=uri, method=integration["IntegrationMethod"], server_name=tls.get("ServerNameToVerify")
        )
    else:
        to = Function(
            arn=targets.function(uri),
            source_arn=source_arn,
            open=bool(integration.get("CredentialsArn")),
            payload_version=integration["PayloadFormatVersion"],
        )
    return Target(
        to=to,
        timeout_s=integration["TimeoutInMillis"] / 1000,
        request_parameters=integration.get("RequestParameters") or {},
        response_parameters=integration.get("ResponseParameters") or {},
    )


def _guard(route: Document, authorizers: Mapping[str, Document]) -> Guard | None:
    kind = route["AuthorizationType"]
    if kind == "NONE":
        return None
    return Guard(
        kind=kind,
        authorizer=authorizers.get(route.get("AuthorizerId", ""), {}),
        scopes=route.get("AuthorizationScopes") or (),
    )


def _limits(stage: Document, route_key: str) -> Limits | None:
    """A route's own limits, or else the stage's default; each number by itself."""
    default = stage.get("DefaultRouteSettings") or {}
    settings = default | (stage.get("RouteSettings") or {}).get(route_key, {})
    return throttle.limits(settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit"))


def _source_arn(record: ApiRecord, stage: str, route_key: str) -> str:
    method, _, resource = route_key.partition(" ")
    if not resource:
        method, resource = "$default", ""
    method = "*" if method == "ANY" else method
    scope = f"{record.region}:{record.account_id}:{record.api_id}"
    return f"arn:aws:execute-api:{scope}/{stage}/{method}{resource}"
