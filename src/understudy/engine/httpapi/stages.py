"""A stage of an HTTP API compiled for the data path: all about it that no request has a say in; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from understudy.engine.httpapi.routing import Router
from understudy.engine.httpapi.store import ApiRecord, Document

_LAMBDA_ARN = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(?::[$A-Za-z0-9_-]+)?"
)
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a route leads, as far as no request has a say in it.

    Attributes:
        arn: of the function; None when the integration names none.
        source_arn: on whose behalf the function is invoked, for its resource policy.
        open: whether the resource policy does not matter.
    """

    arn: str | None
    source_arn: str
    open: bool
    payload_version: str
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage compiled for the data path; valid while `revision` is the record's.

    Attributes:
        targets: by route; None where a route has no integration.
    """

    revision: int
    name: str
    router: Router
    targets: Mapping[str, Target | None]
    variables: Mapping[str, str]


def compiled(record: ApiRecord, name: str) -> Stage:
    """Returns what the stage serves by its deployment."""
    document = record.stages[name]
    deployment = record.deployments.get(document.get("DeploymentId", ""))
    snapshot = deployment["Snapshot"] if deployment else {"routes": {}, "integrations": {}}
    routes: dict[str, Document] = snapshot["routes"]
    variables = document.get("StageVariables") or {}
    targets: dict[str, Target | None] = {}
    for route_id, route in routes.items():
        integration = snapshot["integrations"].get(route.get("Target", "").removeprefix("integrations/"))
        targets[route_id] = integration and Target(
            arn=_function_arn(integration["IntegrationUri"], variables),
            source_arn=_source_arn(record, name, route["RouteKey"]),
            open=bool(integration.get("CredentialsArn")),
            payload_version=integration["PayloadFormatVersion"],
            timeout_s=integration["TimeoutInMillis"] / 1000,
        )
    return Stage(
        revision=record.revision,
        name=name,
        router=Router((route_id, route["RouteKey"]) for route_id, route in routes.items()),
        targets=targets,
        variables=variables,
    )


def _source_arn(record: ApiRecord, stage: str, route_key: str) -> str:
    method, _, resource = route_key.partition(" ")
    if not resource:
        method, resource = "$default", ""
    method = "*" if method == "ANY" else method
    scope = f"{record.region}:{record.account_id}:{record.api_id}"
    return f"arn:aws:execute-api:{scope}/{stage}/{method}{resource}"


def _function_arn(uri: str, variables: Mapping[str, str]) -> str | None:
    filled = _STAGE_VARIABLE.sub(lambda found: variables.get(found[1], ""), uri)
    found = _LAMBDA_ARN.search(filled)
    return found[0] if found else None
