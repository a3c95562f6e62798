"""Finds resources that a stack made and that its manifests hold no longer; writes nothing.

The tags say what the stack made. AWS cannot be asked for them in one call that every endpoint answers, so
each kind is listed with its tags: that takes some calls per function, table, bucket... of the account.
Below functions and APIs of the stack everything counts but versions and deployments, which are history; of
versions those that a killed measurement of cold starts left.
REST APIs themselves are not listed: not every endpoint has them, nor may every deployer ask.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from understudy.manifests import kinds, ownership
from understudy.manifests.model import DesiredResource, ResourceKey
from understudy.reconcile import convert, graph, managers, scratch_versions
from understudy.reconcile.aws import Aws
from understudy.reconcile.model import Observed, ObservedResource

Tags = Mapping[str, str]
Parents = Sequence[ObservedResource]


def find(
    aws: Aws, observed: Observed, project: str, *, only: Collection[str] = managers.MANAGERS
) -> tuple[ObservedResource, ...]:
    """The resources of the project's stack that are not among `observed`, with what deleting them takes.

    Args:
        aws: where.
        observed: what exists of the stack.
        project: the name that the tags carry.
        only: kinds to look for, for an endpoint that has no others.

    Raises:
        UnderstudyError: AWS refused to list something.
    """
    parents = [one for one in observed.resources.values() if _made_by(project, one)]
    held = {_identity(one) for one in observed.resources.values() if one.key.kind in kinds.KINDS}
    found: dict[str, list[ObservedResource]] = {}

    def work(key: ResourceKey) -> None:
        if key.kind in _ROOTS:
            listed = [_root(aws, key.kind, name, tags, project) for name, tags in _ROOTS[key.kind](aws)]
            made = [one for one in listed if one is not None]
        else:
            made = list(_BELOW[key.kind](aws, parents))
        found[key.kind] = [one for one in made if _identity(one) not in held]

    jobs = {ResourceKey(kind, ""): () for kind in (*_ROOTS, *_BELOW) if kind in only}
    for failure in graph.run(jobs, work).failures.values():
        raise failure
    return tuple(one for kind in sorted(found) for one in found[kind])


def _made_by(project: str, one: ObservedResource) -> bool:
    kind = one.key.kind
    return (kind in _ROOTS or kind == "RestAPI") and ownership.tags(kind, one.spec).get(
        ownership.STACK
    ) == project


def _root(aws: Aws, kind: str, name: str, tags: Tags, project: str) -> ObservedResource | None:
    """A listed resource as its manager sees it, under the handle that its manifest had."""
    if tags.get(ownership.STACK) != project:
        return None
    key = ResourceKey(kind, tags.get(ownership.RESOURCE, "").partition(".")[2] or name)
    if kind == "API":
        spec = ownership.with_tags(kind, {"name": name}, tags)
        return ObservedResource(key=key, spec=spec, status={"apiID": name})
    spec = ownership.with_tags(kind, {kinds.KINDS[kind].identity: name}, tags)
    return managers.of(kind).observe(aws, DesiredResource(key=key, spec=spec, document={}))


def _identity(one: ObservedResource) -> tuple[str, ...]:
    """What makes it the same resource at AWS."""
    names = _IDS.get(one.key.kind) or (kinds.KINDS[one.key.kind].identity,)
    return (one.key.kind, *(str(one.status.get(name) or one.spec.get(name) or "") for name in names))


def _pairs(tags: Iterable[Mapping[str, object]]) -> Tags:
    return {str(tag["Key"]): str(tag["Value"]) for tag in tags}


def _functions(aws: Aws) -> Iterator[tuple[str, Tags]]:
    for page in aws.pages(aws.lambda_().get_paginator("list_functions").paginate()):
        for item in page["Functions"]:
            answer = aws.find(aws.lambda_().list_tags, Resource=item["FunctionArn"])
            yield item["FunctionName"], answer["Tags"] if answer else {}


def _apis(aws: Aws) -> Iterator[tuple[str, Tags]]:
    for page in aws.pages(aws.apigatewayv2().get_paginator("get_apis").paginate()):
        for item in page["Items"]:
            yield item["ApiId"], item.get("Tags", {})


def _groups(aws: Aws) -> Iterator[tuple[str, Tags]]:
    for page in aws.pages(aws.logs().get_paginator("describe_log_groups").paginate()):
        for item in page["logGroups"]:
            arn = item["arn"].removesuffix(":*")
            answer = aws.find(aws.logs().list_tags_for_resource, resourceArn=arn)
            yield item["logGroupName"], answer.get("tags", {}) if answer else {}


def _tables(aws: Aws) -> Iterator[tuple[str, Tags]]:
    for page in aws.pages(aws.dynamodb().get_paginator("list_tables").paginate()):
        for name in page["TableNames"]:
            answer = aws.find(aws.dynamodb().describe_table, TableName=name)
            if answer:
                arn = answer["Table"]["TableArn"]
                listed = aws.find(aws.dynamodb().list_tags_of_resource, ResourceArn=arn)
                yield name, _pairs(listed.get("Tags", [])) if listed else {}


def _buckets(aws: Aws) -> Iterator[tuple[str, Tags]]:
    for item in aws.call(aws.s3().list_buckets).get("Buckets", []):
        answer = aws.find(aws.s3().get_bucket_tagging, Bucket=item["Name"])
        yield item["Name"], _pairs(answer["TagSet"]) if answer else {}


def _queues(aws: Aws) -> Iterator[tuple[str, Tags]]:
    for page in aws.pages(aws.sqs().get_paginator("list_queues").paginate()):
        for url in page.get("QueueUrls", []):
            answer = aws.find(aws.sqs().list_queue_tags, QueueUrl=url)
            yield url.rpartition("/")[2], answer.get("Tags", {}) if answer else {}


def _topics(aws: Aws) -> Iterator[tuple[str, Tags]]:
    for page in aws.pages(aws.sns().get_paginator("list_topics").paginate()):
        for item in page.get("Topics", []):
            arn = item["TopicArn"]
            answer = aws.find(aws.sns().list_tags_for_resource, ResourceArn=arn)
            yield arn.rpartition(":")[2], _pairs(answer["Tags"]) if answer else {}


def _roles(aws: Aws) -> Iterator[tuple[str, Tags]]:
    for page in aws.pages(aws.iam().get_paginator("list_roles").paginate()):
        for item in page["Roles"]:
            if not item["Path"].startswith("/aws-service-role/"):
                answer = aws.find(aws.iam().list_role_tags, RoleName=item["RoleName"])
                yield item["RoleName"], _pairs(answer["Tags"]) if answer else {}


def _policies(aws: Aws) -> Iterator[tuple[str, Tags]]:
    for page in aws.pages(aws.iam().get_paginator("list_policies").paginate(Scope="Local")):
        for item in page["Policies"]:
            answer = aws.find(aws.iam().list_policy_tags, PolicyArn=item["Arn"])
            yield item["PolicyName"], _pairs(answer["Tags"]) if answer else {}


def _repositories(aws: Aws) -> Iterator[tuple[str, Tags]]:
    for page in aws.pages(aws.ecr().get_paginator("describe_repositories").paginate()):
        for item in page["repositories"]:
            answer = aws.find(aws.ecr().list_tags_for_resource, resourceArn=item["repositoryArn"])
            yield item["repositoryName"], _pairs(answer["tags"]) if answer else {}


def _function_names(parents: Parents) -> list[str]:
    return [str(one.spec["name"]) for one in parents if one.key.kind == "Function"]


def _aliases(aws: Aws, parents: Parents) -> Iterator[ObservedResource]:
    for name in _function_names(parents):
        for page in aws.pages(aws.lambda_().get_paginator("list_aliases").paginate(FunctionName=name)):
            for item in page["Aliases"]:
                key = ResourceKey("Alias", f"{name}:{item['Name']}")
                yield ObservedResource(key=key, spec={"functionName": name, "name": item["Name"]})


def _versions(aws: Aws, parents: Parents) -> Iterator[ObservedResource]:
    """Scratch versions, the newest first: it is what a manager finds that looks again after a failure."""
    for name in _function_names(parents):
        for item in scratch_versions.marked(aws, name):
            yield ObservedResource(
                key=ResourceKey("Version", f"{name}:{item['Version']}"),
                spec={"functionName": name, "description": item["Description"]},
                status={
                    "version": item["Version"],
                    "arn": item["FunctionArn"],
                    "codeSHA256": item["CodeSha256"],
                },
            )


def _urls(aws: Aws, parents: Parents) -> Iterator[ObservedResource]:
    for name in _function_names(parents):
        pages = aws.lambda_().get_paginator("list_function_url_configs").paginate(FunctionName=name)
        for page in aws.pages(pages):
            for item in page["FunctionUrlConfigs"]:
                # Behind the function's name stands the alias, where the URL is one's.
                qualifier = item["FunctionArn"].partition(f":function:{name}")[2].lstrip(":")
                spec = {"functionName": name, **({"qualifier": qualifier} if qualifier else {})}
                key = ResourceKey("FunctionURLConfig", f"{name}:{qualifier}".rstrip(":"))
                yield ObservedResource(key=key, spec=spec)


def _mappings(aws: Aws, parents: Parents) -> Iterator[ObservedResource]:
    """Mappings to functions of the stack and to their aliases; each is known by its id alone."""
    names = set(_function_names(parents))
    for page in aws.pages(aws.lambda_().get_paginator("list_event_source_mappings").paginate()):
        for item in page["EventSourceMappings"]:
            name, _, qualifier = item["FunctionArn"].partition(":function:")[2].partition(":")
            if name in names and item.get("State") != "Deleting":
                spec = convert.spec("EventSourceMapping", item)
                spec["functionName"] = f"{name}:{qualifier}".rstrip(":")
                key = ResourceKey("EventSourceMapping", f"{spec['functionName']}:{item['UUID']}")
                yield ObservedResource(key=key, spec=spec, status={"uuid": item["UUID"]})


def _api_ids(parents: Parents) -> list[str]:
    return [one.status["apiID"] for one in parents if one.key.kind == "API"]


def _integrations(aws: Aws, parents: Parents) -> Iterator[ObservedResource]:
    for api in _api_ids(parents):
        for page in aws.pages(aws.apigatewayv2().get_paginator("get_integrations").paginate(ApiId=api)):
            for item in page["Items"]:
                name = item.get("Description") or item["IntegrationId"]
                yield _below("Integration", name, api, item, {"integrationID": item["IntegrationId"]})


def _routes(aws: Aws, parents: Parents) -> Iterator[ObservedResource]:
    for api in _api_ids(parents):
        for page in aws.pages(aws.apigatewayv2().get_paginator("get_routes").paginate(ApiId=api)):
            for item in page["Items"]:
                yield _below("Route", item["RouteKey"], api, item, {"routeID": item["RouteId"]})


def _stages(aws: Aws, parents: Parents) -> Iterator[ObservedResource]:
    for api in _api_ids(parents):
        for page in aws.pages(aws.apigatewayv2().get_paginator("get_stages").paginate(ApiId=api)):
            for item in page["Items"]:
                yield _below("Stage", item["StageName"], api, item, {"stageName": item["StageName"]})


def _authorizers(aws: Aws, parents: Parents) -> Iterator[ObservedResource]:
    for api in _api_ids(parents):
        pages = aws.apigatewayv2().get_paginator("get_authorizers").paginate(ApiId=api)
        for page in aws.pages(pages):
            for item in page["Items"]:
                yield _below("Authorizer", item["Name"], api, item, {"authorizerID": item["AuthorizerId"]})


def _rest_resources(aws: Aws, parents: Parents) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Ids of REST APIs and what they hold, path by path."""
    for api in (one.status["id"] for one in parents if one.key.kind == "RestAPI"):
        for page in aws.pages(aws.apigateway().get_paginator("get_resources").paginate(restApiId=api)):
            for item in page.get("items", ()):
                yield api, item


def _paths(aws: Aws, parents: Parents) -> Iterator[ObservedResource]:
    for api, item in _rest_resources(aws, parents):
        if item["path"] != "/":
            status = {"restAPIID": api, "id": item["id"]}
            spec = {**convert.spec("Resource", item), "restAPIID": api}
            yield ObservedResource(key=ResourceKey("Resource", item["path"]), spec=spec, status=status)


def _methods(aws: Aws, parents: Parents) -> Iterator[ObservedResource]:
    for api, item in _rest_resources(aws, parents):
        for method in item.get("resourceMethods") or ():
            place = {"restAPIID": api, "resourceID": item["id"], "httpMethod": method}
            key = ResourceKey("Method", f"{method} {item['path']}")
            yield ObservedResource(key=key, spec=place, status=place)


def _rest_stages(aws: Aws, parents: Parents) -> Iterator[ObservedResource]:
    for api in (one.status["id"] for one in parents if one.key.kind == "RestAPI"):
        for item in aws.call(aws.apigateway().get_stages, restApiId=api).get("item", ()):
            place = {"restAPIID": api, "stageName": item["stageName"]}
            yield ObservedResource(key=ResourceKey("RestStage", item["stageName"]), spec=place, status=place)


def _below(
    kind: str, name: str, api: str, item: Mapping[str, object], ids: Mapping[str, str]
) -> ObservedResource:
    spec = {**convert.spec(kind, item), "apiID": api}
    return ObservedResource(key=ResourceKey(kind, name), spec=spec, status={"apiID": api, **ids})


_IDS: Mapping[str, tuple[str, ...]] = {
    "API": ("apiID",),
    "Alias": ("functionName", "name"),
    "Authorizer": ("apiID", "authorizerID"),
    "EventSourceMapping": ("uuid",),
    "FunctionURLConfig": ("functionName", "qualifier"),
    "Integration": ("apiID", "integrationID"),
    "Method": ("restAPIID", "resourceID", "httpMethod"),
    "Resource": ("restAPIID", "id"),
    "RestStage": ("restAPIID", "stageName"),
    "Route": ("apiID", "routeID"),
    "Stage": ("apiID", "stageName"),
    # The description too: with a scratch version's variable still in place, the stack's own is taken for it.
    "Version": ("functionName", "version", "description"),
}
_ROOTS: Mapping[str, Callable[[Aws], Iterator[tuple[str, Tags]]]] = {
    "API": _apis,
    "Bucket": _buckets,
    "Function": _functions,
    "LogGroup": _groups,
    "Policy": _policies,
    "Queue": _queues,
    "Repository": _repositories,
    "Role": _roles,
    "Table": _tables,
    "Topic": _topics,
}
_BELOW: Mapping[str, Callable[[Aws, Parents], Iterator[ObservedResource]]] = {
    "Alias": _aliases,
    "Authorizer": _authorizers,
    "EventSourceMapping": _mappings,
    "FunctionURLConfig": _urls,
    "Integration": _integrations,
    "Method": _methods,
    "Resource": _paths,
    "RestStage": _rest_stages,
    "Route": _routes,
    "Stage": _stages,
    "Version": _versions,
}
