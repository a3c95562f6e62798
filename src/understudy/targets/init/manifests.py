"""A service as ACK manifests: a base, and an overlay for each of three targets; pure.

One file per function with all that is the function's own, one for the API, one per kind of what functions
share. Nothing is left to fill in: what nobody knows is not written, and told.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from understudy.manifests import emit
from understudy.manifests.kinds import KINDS
from understudy.manifests.model import Json, JsonMap
from understudy.targets.init.model import FunctionInput, ResourceInput, ServiceInput, Statement

KUSTOMIZE = "kustomize.config.k8s.io/v1beta1"
LOCAL_TARGETS = ("local", "localstack")
_KEEP = {"services.k8s.aws/deletion-policy": "retain"}
_KEPT = frozenset({"Table", "Bucket"})
_FILES = {"Table": "tables", "Bucket": "buckets", "Queue": "queues", "Topic": "topics"}
_LIFECYCLE: JsonMap = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "Keep the last 5 images",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5},
            "action": {"type": "expire"},
        }
    ]
}
_TRUST: JsonMap = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def files(service: ServiceInput) -> dict[str, str]:
    """The files below ``deploy/``, path to text."""
    base = {f"{one.name}.yaml": list(_function(service, one)) for one in service.functions}
    if service.routes:
        base["api.yaml"] = list(_api(service))
    for one in service.resources:
        base.setdefault(f"{_FILES[one.kind]}.yaml", []).append(_resource(one))
    found = {f"deploy/base/{name}": emit.dump(documents) for name, documents in base.items()}
    labels: Json = [{"pairs": {"app.kubernetes.io/name": service.name}}]
    found["deploy/base/kustomization.yaml"] = _kustomization(resources=list(base), labels=labels)
    for target in LOCAL_TARGETS:
        found[f"deploy/overlays/{target}/kustomization.yaml"] = _overlay(target, _local(service, target))
    found["deploy/overlays/preprod/kustomization.yaml"] = _overlay("preprod", _preprod(service))
    return found


def _document(kind: str, name: str, spec: JsonMap, annotations: JsonMap | None = None) -> JsonMap:
    metadata: dict[str, Json] = {"name": name}
    if annotations:
        metadata["annotations"] = annotations
    entry = KINDS[kind]
    return {"apiVersion": entry.api_version, "kind": entry.kind, "metadata": metadata, "spec": spec}


def _resource(one: ResourceInput) -> JsonMap:
    return _document(one.kind, one.name, one.spec, _KEEP if one.kind in _KEPT else None)


def _function(service: ServiceInput, one: FunctionInput) -> Iterator[JsonMap]:
    """A function with its repository, log group, role, version and alias."""
    name = one.name
    tags: Json = [{"key": "application", "value": service.name}]
    yield _document(
        "Repository",
        name,
        {
            "name": name,
            "imageScanningConfiguration": {"scanOnPush": True},
            "imageTagMutability": "MUTABLE",
            "lifecyclePolicy": _json(_LIFECYCLE),
            "tags": tags,
        },
    )
    group: JsonMap = {
        "name": f"/aws/lambda/{name}",
        "retentionDays": 14,
        "tags": {"application": service.name},
    }
    yield _document("LogGroup", name, group)
    yield _document("Role", name, _role(one, tags))
    yield _document("Function", name, _spec(service, one))
    reference: JsonMap = {"from": {"name": name}}
    yield _document("Version", name, {"functionRef": reference}, {"understudy.dev/auto-publish": "true"})
    alias: dict[str, Json] = {
        "name": "live",
        "description": "The version that callers reach",
        "functionRef": reference,
        "functionVersion": f"${{Version.{name}.version}}",
    }
    if any(route.function == name for route in service.routes):
        alias["permissions"] = [
            {
                "statementID": "http-api",
                "action": "lambda:InvokeFunction",
                "principal": "apigateway.amazonaws.com",
                "sourceARN": "arn:${partition}:execute-api:${region}:${account}:"
                f"${{API.{service.name}.apiID}}/*/*",
            }
        ]
    yield _document("Alias", f"{name}-live", alias)


def _spec(service: ServiceInput, one: FunctionInput) -> JsonMap:
    spec: dict[str, Json] = {
        "name": one.name,
        "packageType": "Image",
        "code": {"imageURI": f"${{image.{one.name}}}"},
        "architectures": [one.architecture],
        "roleRef": {"from": {"name": one.name}},
        "memorySize": one.memory_mb,
        "timeout": one.timeout_s,
        "loggingConfig": {"logFormat": "Text", "logGroup": f"${{LogGroup.{one.name}.name}}"},
        "tags": {"application": service.name},
    }
    if one.variables:
        spec["environment"] = {"variables": dict(one.variables)}
    if one.ephemeral_mb:
        spec["ephemeralStorage"] = {"size": one.ephemeral_mb}
    if one.command:
        spec["imageConfig"] = {"command": list(one.command)}
    return spec


def _role(one: FunctionInput, tags: Json) -> JsonMap:
    logs = Statement(
        sid="Logs",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=(f"${{LogGroup.{one.name}.arn}}:*",),
    )
    policy: JsonMap = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": each.sid,
                "Effect": "Allow",
                "Action": list(each.actions),
                "Resource": list(each.resources),
            }
            for each in (*one.statements, logs)
        ],
    }
    spec: dict[str, Json] = {
        "name": one.name,
        "description": f"What function {one.name} may do, and nothing else",
        "assumeRolePolicyDocument": _json(_TRUST),
        "inlinePolicies": {one.name: _json(policy)},
        "tags": tags,
    }
    if one.managed_policies:
        spec["policies"] = list(one.managed_policies)
    return spec


def _api(service: ServiceInput) -> Iterator[JsonMap]:
    """An HTTP API with an integration for each function that routes lead to."""
    name = service.name
    api: JsonMap = {"from": {"name": name}}
    tags: JsonMap = {"application": name}
    yield _document("API", name, {"name": name, "protocolType": "HTTP", "tags": tags})
    for function, payload in dict.fromkeys((route.function, route.payload) for route in service.routes):
        spec: JsonMap = {
            "apiRef": api,
            "description": f"{function}:live",
            "integrationType": "AWS_PROXY",
            "integrationMethod": "POST",
            "integrationURI": f"${{Alias.{function}-live.arn}}",
            "payloadFormatVersion": payload,
            "timeoutInMillis": 30000,
        }
        yield _document("Integration", _integration(function, payload), spec)
    for handle, route in zip(_handles(service), service.routes, strict=True):
        yield _document(
            "Route",
            handle,
            {
                "apiRef": api,
                "routeKey": route.key,
                "authorizationType": "NONE",
                "targetRef": {"from": {"name": _integration(route.function, route.payload)}},
            },
        )
    spec = {"apiRef": api, "stageName": "$default", "autoDeploy": True, "tags": tags}
    yield _document("Stage", f"{name}-default", spec)


def _integration(function: str, payload: str) -> str:
    return function if payload == "2.0" else f"{function}-v1"


def _handles(service: ServiceInput) -> list[str]:
    """A name for each route."""
    if len(service.routes) == 1:
        return [f"{service.name}-default"]
    return [f"{service.name}-{number}" for number in range(1, len(service.routes) + 1)]


def _overlay(target: str, patches: Sequence[JsonMap]) -> str:
    labels: Json = [{"pairs": {"understudy.dev/target": target}}]
    return _kustomization(resources=["../../base"], patches=patches, labels=labels)


def _kustomization(**parts: Json) -> str:
    kept = {name: value for name, value in parts.items() if value}
    return emit.dump([{"apiVersion": KUSTOMIZE, "kind": "Kustomization", **kept}]).removeprefix("---\n")


def _patch(kind: str, name: str, *operations: JsonMap) -> JsonMap:
    target = {"kind": kind, "name": name} if name else {"kind": kind}
    return {"target": target, "patch": emit.dump_list(operations)}


def _local(service: ServiceInput, target: str) -> list[JsonMap]:
    patches = [_patch("Function", "", _add("/spec/tags/stage", target))]
    for one in service.functions:
        if one.local_variables and one.variables:
            added = [_add(f"/spec/environment/variables/{key}", text) for key, text in _sorted(one)]
            patches.append(_patch("Function", one.name, *added))
        elif one.local_variables:
            environment: JsonMap = {"variables": dict(one.local_variables)}
            patches.append(_patch("Function", one.name, _add("/spec/environment", environment)))
    return patches


def _sorted(one: FunctionInput) -> list[tuple[str, str]]:
    return sorted(one.local_variables.items())


def _preprod(service: ServiceInput) -> list[JsonMap]:
    """Data that survives mistakes, logs for longer, and tags that say where it is."""
    patches = [
        _patch("Function", "", _add("/spec/tags/stage", "preprod")),
        _patch("LogGroup", "", _add("/spec/retentionDays", 30)),
    ]
    for one in service.resources:
        if one.kind == "Table":
            protected = _add("/spec/deletionProtectionEnabled", value=True)
            backups = _add("/spec/continuousBackups", {"pointInTimeRecoveryEnabled": True})
            patches.append(_patch("Table", one.name, protected, backups))
        elif one.kind == "Bucket":
            operations = [_add("/spec/versioning", {"status": "Enabled"})]
            if one.spec["name"] == one.name:
                # Names of buckets are global; one that the code holds itself cannot be another here.
                operations.append(_add("/spec/name", f"{one.name}-${{account}}-${{region}}"))
            patches.append(_patch("Bucket", one.name, *operations))
    return patches


def _add(path: str, value: Json) -> JsonMap:
    return {"op": "add", "path": path, "value": value}


def _json(document: Mapping[str, Json]) -> str:
    return json.dumps(document, indent=2) + "\n"
