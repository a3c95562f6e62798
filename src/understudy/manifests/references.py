"""References between resources: `xRef` fields and the placeholders of this tool.

A placeholder stands inside any string of a spec:

    ${account} ${region} ${partition}    facts of the target
    ${image.NAME}                        repository URI and digest of an image of the project file
    ${Kind.name.field}                   a field of another resource, for what ACK has no reference for

Both order the resources. `${aws:username}` and other IAM variables, `${stageVariables.x}`, and `$${`
(a literal `${`) are left for AWS.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from understudy.manifests import check, errors
from understudy.manifests.errors import ManifestError, Problem
from understudy.manifests.kind import RefField
from understudy.manifests.kinds import KINDS
from understudy.manifests.model import Json, JsonMap, Node, Position, Resource, ResourceKey

PLACEHOLDER = re.compile(r"\$?\$\{([^{}]*)\}")
FACTS = ("account", "region", "partition")
_OTHERS = re.compile(r"[a-z]+:.*|stageVariables\..*")

# Fields that other resources may read; `name` is the AWS name.
RESULTS: Mapping[str, tuple[str, ...]] = {
    "Repository": ("arn", "name", "repositoryURI"),
    "Role": ("arn", "name"),
    "Policy": ("arn", "name"),
    "Table": ("arn", "name", "latestStreamARN"),
    "Bucket": ("arn", "name"),
    "LogGroup": ("arn", "name"),
    "Queue": ("arn", "name", "queueURL"),
    "Topic": ("arn", "name"),
    "Function": ("arn", "name"),
    "Version": ("version",),
    "Alias": ("arn", "name"),
    "FunctionURLConfig": ("functionURL",),
    "EventSourceMapping": ("uuid",),
    "API": ("apiID", "apiEndpoint"),
    "Authorizer": ("authorizerID",),
    "Integration": ("integrationID",),
    "Route": ("routeID",),
    "Deployment": ("deploymentID",),
    "Stage": ("name",),
    "RestAPI": ("id", "rootResourceID"),
    "Resource": ("id",),
    "Method": (),
    "RestIntegration": (),
    "RestDeployment": ("id",),
    "RestStage": ("name",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One use of another resource's field.

    Attributes:
        target: the other resource.
        field: which of its fields.
    """

    target: ResourceKey
    field: str

    def __str__(self) -> str:
        return f"${{{self.target.kind}.{self.target.name}.{self.field}}}"


def parse(inner: str) -> Reference | None:
    """The reference that stands between `${` and `}`; None for facts, images and AWS's own variables."""
    kind, _, rest = inner.partition(".")
    name, _, field = rest.rpartition(".")
    if kind not in KINDS or not name:
        return None
    return Reference(target=ResourceKey(kind, name), field=field)


def substitute(text: str, lookup: Callable[[str], str | None]) -> str:
    """The text with each placeholder replaced by `lookup` of its inside; None leaves it as it is."""

    def one(match: re.Match[str]) -> str:
        if match[0].startswith("$$"):
            return match[0]
        value = lookup(match[1])
        return match[0] if value is None else value

    return PLACEHOLDER.sub(one, text)


def each_text(value: Json, change: Callable[[str], str]) -> Json:
    """The same value with every string changed; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return each_text_of(value, change)
    if isinstance(value, Sequence):
        return [each_text(child, change) for child in value]
    return value


def each_text_of(value: JsonMap, change: Callable[[str], str]) -> dict[str, Json]:
    """The same map with every string in it changed; keys stay."""
    return {key: each_text(child, change) for key, child in value.items()}


def unresolved(value: Json) -> tuple[Reference, ...]:
    """The references that are still in a value."""
    found: list[Reference] = []

    def collect(text: str) -> str:
        for match in PLACEHOLDER.finditer(text):
            reference = None if match[0].startswith("$$") else parse(match[1])
            if reference:
                found.append(reference)
        return text

    each_text(value, collect)
    return tuple(dict.fromkeys(found))


def values_for_refs(resource: Resource) -> JsonMap:
    """The spec with every `xRef` replaced by its field, holding a placeholder.

    Raises:
        ManifestError: a reference names a kind that cannot be applied, or another namespace.
    """
    spec = dict(resource.spec.mapping())
    for path, ref in KINDS[resource.key.kind].refs.items():
        node = _node(resource.spec, path)
        if node is not None:
            _put(spec, path, None)
            _put(spec, ref.value, _value(ref, node, path))
    return spec


def _value(ref: RefField, node: Node, path: str) -> Json:
    if ref.kind not in KINDS:
        raise errors.problem(
            "reference-kind",
            f"spec.{path} refers to a {ref.kind}, a kind that understudy does not apply",
            hint=f"write its value into {ref.value}",
            at=node.at,
            path=f"spec.{path}",
        )
    if ref.many:
        return [_placeholder(ref, item, f"{path}[{index}]") for index, item in enumerate(node.items)]
    return _placeholder(ref, node, path)


def _placeholder(ref: RefField, node: Node, path: str) -> str:
    source = node.entries.get("from")
    name = source.entries.get("name") if source else None
    if name is None or name.text is None:
        raise errors.problem(
            "reference-name",
            f"spec.{path} names no {ref.kind}",
            hint="add from.name",
            at=node.at,
            path=f"spec.{path}",
        )
    if source and "namespace" in source.entries:
        raise errors.problem(
            "reference-namespace",
            f"spec.{path} refers to another namespace",
            hint="remove from.namespace: a stack is one namespace",
            at=node.at,
            path=f"spec.{path}",
        )
    return ref.prefix + str(Reference(target=ResourceKey(ref.kind, name.text), field=ref.result))


def _node(spec: Node, path: str) -> Node | None:
    found: Node | None = spec
    for part in path.split("."):
        found = found.entries.get(part) if found else None
    return found


def _put(spec: dict[str, Json], path: str, value: Json) -> None:
    """Sets the value at a dotted path, copying the maps on the way; None removes it."""
    head, _, rest = path.partition(".")
    if rest:
        below = spec.get(head)
        child = dict(below) if isinstance(below, Mapping) else {}
        _put(child, rest, value)
        spec[head] = child
    elif value is None:
        spec.pop(head, None)
    else:
        spec[head] = value


def problems(
    resource: Resource, known: Mapping[ResourceKey, Resource], images: Sequence[str]
) -> Iterator[Problem]:
    """What is wrong with the placeholders and references of a resource."""
    try:
        spec = values_for_refs(resource)
    except ManifestError as exc:
        yield from exc.problems
        return
    for reference in unresolved(spec):
        message = _dangling(reference, known)
        if message:
            at, path = _written(resource, reference)
            yield Problem(
                code="reference-unknown",
                message=f"{reference} {message[0]}",
                hint=message[1],
                at=at,
                path=path,
            )
    for text, node, path in _strings(resource.spec):
        for match in PLACEHOLDER.finditer(text):
            if not match[0].startswith("$$") and not _understood(match[1], images):
                yield _unknown(match, node, path, images)


def images(spec: Node) -> tuple[str, ...]:
    """The names of the images that a spec uses."""
    found = [
        match[1].removeprefix("image.")
        for text, _, _ in _strings(spec)
        for match in PLACEHOLDER.finditer(text)
        if not match[0].startswith("$$") and match[1].startswith("image.")
    ]
    return tuple(dict.fromkeys(found))


def _dangling(reference: Reference, known: Mapping[ResourceKey, Resource]) -> tuple[str, str] | None:
    if reference.target not in known:
        names = [key.name for key in known if key.kind == reference.target.kind]
        return (
            f"refers to {reference.target}, which the stack does not hold",
            errors.suggestion(reference.target.name, names),
        )
    results = RESULTS[reference.target.kind]
    if reference.field not in results:
        return f"reads a field that {reference.target.kind} does not offer", errors.suggestion(
            reference.field, results
        )
    return None


def _understood(inner: str, images: Sequence[str]) -> bool:
    if inner in FACTS or _OTHERS.fullmatch(inner):
        return True
    if inner.startswith("image."):
        return inner.removeprefix("image.") in images
    return parse(inner) is not None


def _unknown(match: re.Match[str], node: Node, path: str, images: Sequence[str]) -> Problem:
    valid = [*FACTS, *(f"image.{name}" for name in images)]
    kind = match[1].partition(".")[0]
    if kind[:1].isupper() and kind not in KINDS:
        hint = errors.suggestion(kind, KINDS)
    else:
        hint = f"{errors.suggestion(match[1], valid)}; write ${match[0]} where the text itself is meant"
    return Problem(
        code="reference-placeholder",
        message=f"{match[0]} is no placeholder",
        hint=hint,
        at=node.at,
        path=path,
    )


def _strings(node: Node, path: str = "spec") -> Iterator[tuple[str, Node, str]]:
    """Every text below a node, with its node and path."""
    if node.text is not None:
        yield node.text, node, path
    for key, child in node.entries.items():
        yield from _strings(child, check.child_path(path, key))
    for index, child in enumerate(node.items):
        yield from _strings(child, f"{path}[{index}]")


def _written(resource: Resource, reference: Reference) -> tuple[Position, str]:
    """Where a reference is written, as a placeholder or as the name in an `xRef`."""
    for text, node, path in _strings(resource.spec):
        if str(reference) in text or (text == reference.target.name and path.endswith(".from.name")):
            return node.at, path
    return resource.at, "spec"
