"""A stage of a REST API compiled for the data path: all about it that no request has a say in; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from understudy.engine.executeapi import targets, throttle
from understudy.engine.executeapi.routing import Router
from understudy.engine.executeapi.store import ApiRecord, Document
from understudy.engine.executeapi.throttle import Limits
from understudy.engine.restapi.authorization import Guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of a resource.

    Attributes:
        guard: who decides whether a request passes; None lets everybody.
        keyed: whether a request needs an API key; there are none, so it never has one.
        integration: botocore's ``Integration`` structure.
        uri: the integration's, its stage variables filled in.
        function: the ARN of the function that it invokes; None when it names none.
        source_arn: on whose behalf the function is invoked, for its resource policy.
    """

    resource_id: str
    resource: str
    guard: Guard | None
    keyed: bool
    limits: Limits | None
    integration: Document
    uri: str
    function: str | None
    source_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage compiled for the data path; valid while `revision` is the record's.

    Attributes:
        methods: by the key that the router knows them by.
        access_log: destination and format; None writes none.
        worded: the API's own gateway responses by type.
    """

    revision: int
    name: str
    deployment_id: str
    router: Router
    methods: Mapping[str, Method]
    variables: Mapping[str, str]
    binary_media_types: Sequence[str]
    minimum_compression_bytes: int | None
    access_log: tuple[str, str] | None
    worded: Mapping[str, Document]


def compiled(record: ApiRecord, name: str) -> Stage:
    """Returns what the stage serves by its deployment."""
    document = record.stages[name]
    snapshot = record.deployments[document["deploymentId"]]["Snapshot"]
    variables = document.get("variables") or {}
    methods: dict[str, Method] = {}
    for resource in snapshot["resources"].values():
        for verb, method in resource["resourceMethods"].items():
            integration = method["methodIntegration"]
            uri = targets.filled(integration.get("uri", ""), variables)
            scope = f"{record.region}:{record.account_id}:{record.api_id}/{name}"
            methods[f"{verb} {resource['path']}"] = Method(
                resource_id=resource["id"],
                resource=resource["path"],
                guard=_guard(method, snapshot.get("authorizers", {}), record.region),
                keyed=bool(method.get("apiKeyRequired")),
                limits=_limits(document, resource["path"], verb),
                integration=integration,
                uri=uri,
                function=targets.function(uri),
                source_arn=f"arn:aws:execute-api:{scope}/{'*' if verb == 'ANY' else verb}{resource['path']}",
            )
    log = document.get("accessLogSettings") or {}
    return Stage(
        revision=record.revision,
        name=name,
        deployment_id=document["deploymentId"],
        router=Router((key, key) for key in methods),
        methods=methods,
        variables=variables,
        binary_media_types=snapshot["binaryMediaTypes"],
        worded=snapshot.get("worded", {}),
        minimum_compression_bytes=snapshot["minimumCompressionSize"],
        access_log=(log["destinationArn"], log["format"])
        if "destinationArn" in log and "format" in log
        else None,
    )


def _guard(method: Document, authorizers: Mapping[str, Document], region: str) -> Guard | None:
    kind = method["authorizationType"].upper()
    if kind == "NONE":
        return None
    return Guard(
        kind=kind,
        authorizer=authorizers.get(method.get("authorizerId", ""), {}),
        scopes=method.get("authorizationScopes") or (),
        region=region,
    )


def _limits(stage: Document, path: str, verb: str) -> Limits | None:
    settings = stage["methodSettings"]
    own = settings.get(f"{path.lstrip('/')}/{verb}") or settings.get("*/*") or {}
    return throttle.limits(own.get("throttlingRateLimit"), own.get("throttlingBurstLimit"))
