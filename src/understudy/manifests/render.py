"""Renders checked resources for one account and region: facts, names, ARNs and digests filled in.

Pure: the same resources and context give the same stack. What AWS chooses (the id of an API, the number
of a version) stays a placeholder in the stack; `filled` replaces it once it is known, and `printed` writes
plain ACK from that.
"""

import graphlib
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from understudy.manifests import errors, ownership, references
from understudy.manifests.errors import ManifestError, Problem
from understudy.manifests.kinds import KINDS
from understudy.manifests.model import (
    DesiredResource,
    ImageBinding,
    Json,
    JsonMap,
    Resource,
    ResourceKey,
    Stack,
    as_map,
)
from understudy.manifests.references import Reference
from understudy.manifests.resources import AUTO_DEPLOY, AUTO_PUBLISH, DELETION_POLICY, INVOKE_MODE

Lookup = Callable[[Reference], str | None]

_SUFFIX_LENGTH = 10
_ARNS: Mapping[str, str] = {
    "Repository": "arn:{partition}:ecr:{region}:{account}:repository/{name}",
    "Role": "arn:{partition}:iam::{account}:role{path}{name}",
    "Policy": "arn:{partition}:iam::{account}:policy{path}{name}",
    "Table": "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
    "Bucket": "arn:{partition}:s3:::{name}",
    "LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{name}",
    "Queue": "arn:{partition}:sqs:{region}:{account}:{name}",
    "Topic": "arn:{partition}:sns:{region}:{account}:{name}",
    "Function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "Alias": "arn:{partition}:lambda:{region}:{account}:function:{function}:{name}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderContext:
    """The facts of a target that manifests leave open.

    Attributes:
        account: AWS account id.
        region: AWS region.
        partition: AWS partition.
        project: the project whose resources these are, by their tags; without one they carry none.
        images: what each `${image.NAME}` stands for.
    """

    account: str
    region: str
    project: str = ""
    partition: str = "aws"
    images: Mapping[str, ImageBinding] = field(default_factory=dict)


def render(resources: Iterable[Resource], context: RenderContext) -> Stack:
    """The stack that these resources describe in that account and region.

    Raises:
        ManifestError: a placeholder or reference leads nowhere, or references form a circle.
    """
    known = {resource.key: resource for resource in resources}
    problems: list[Problem] = []
    for resource in known.values():
        problems.extend(references.problems(resource, known, tuple(context.images)))
    if problems:
        raise ManifestError(problems)
    renderer = _Renderer(known, context)
    desired = {key: renderer.desired(resource) for key, resource in known.items()}
    following = {
        key: _following(resource, known[key].annotations, desired) for key, resource in desired.items()
    }
    return Stack(resources=_ordered(following, known), images=tuple(context.images.values()))


def filled(resource: DesiredResource, lookup: Lookup) -> DesiredResource:
    """The same resource with the placeholders replaced that `lookup` knows."""

    def one(text: str) -> str:
        def value(inner: str) -> str | None:
            reference = references.parse(inner)
            return lookup(reference) if reference else None

        return references.substitute(text, value)

    return replace(
        resource,
        spec=references.each_text_of(resource.spec, one),
        document=references.each_text_of(resource.document, one),
    )


def literal(value: JsonMap) -> dict[str, Json]:
    """The value as AWS takes it: `$${` becomes `${`."""
    return references.each_text_of(value, lambda text: text.replace("$${", "${"))


def _following(
    resource: DesiredResource,
    annotations: Mapping[str, str],
    desired: Mapping[ResourceKey, DesiredResource],
) -> DesiredResource:
    """The same resource, which tells its release when it follows others."""
    deploys = annotations.get(AUTO_DEPLOY) == "true"
    if not deploys and not resource.auto_publish:
        return resource
    sources = [desired[key].spec for key in resource.dependencies if key in desired]
    release = hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()[:_SUFFIX_LENGTH]
    if not deploys:
        return replace(resource, release=release)
    # A snapshot has no other name than its description: equal descriptions are the same snapshot.
    text = f"{resource.spec.get('description', '')} {release}".strip()
    described = {**as_map(resource.document["spec"]), "description": text}
    return replace(
        resource,
        release=release,
        spec={**resource.spec, "description": text},
        document={**resource.document, "spec": described},
    )


class _Renderer:
    """Renders one resource at a time, with the others at hand."""

    def __init__(self, known: Mapping[ResourceKey, Resource], context: RenderContext) -> None:
        self._known = known
        self._context = context
        self._facts = {"account": context.account, "region": context.region, "partition": context.partition}

    def desired(self, resource: Resource) -> DesiredResource:
        """The resource with everything filled in that needs no answer of AWS."""
        raw = references.each_text_of(references.values_for_refs(resource), self._images)
        document = references.each_text_of(resource.document.mapping(), self._images)
        targets = [
            *(reference.target for reference in references.unresolved(raw)),
            *self._earlier(resource),
            *(ResourceKey("Image", name) for name in references.images(resource.spec)),
        ]
        retain = resource.annotations.get(DELETION_POLICY) == "retain"
        spec = references.each_text_of(raw, self._text)
        if INVOKE_MODE in resource.annotations:
            # ACK has no field for it, so that it is in no document (NOTES 7).
            spec = {**spec, "invokeMode": resource.annotations[INVOKE_MODE]}
        project = self._context.project
        return DesiredResource(
            key=resource.key,
            spec=ownership.tagged(resource.key, spec, project=project, retain=retain) if project else spec,
            document=references.each_text_of(document, self._text),
            dependencies=tuple(dict.fromkeys(target for target in targets if target != resource.key)),
            retain=retain,
            auto_publish=resource.annotations.get(AUTO_PUBLISH) == "true",
            where=str(resource.at),
        )

    def _earlier(self, resource: Resource) -> tuple[ResourceKey, ...]:
        """What must exist first below the same API though no field names it: a deployment is a snapshot."""
        after = KINDS[resource.key.kind].after
        apis = self._apis(resource) if after else set()
        return tuple(
            key for key, other in self._known.items() if key.kind in after and self._apis(other) & apis
        )

    def _apis(self, resource: Resource) -> set[ResourceKey]:
        used = references.unresolved(references.values_for_refs(resource))
        return {reference.target for reference in used if reference.target.kind in ("API", "RestAPI")}

    def _images(self, text: str) -> str:
        return references.substitute(text, self._image)

    def _image(self, inner: str) -> str | None:
        binding = (
            self._context.images.get(inner.removeprefix("image.")) if inner.startswith("image.") else None
        )
        if binding is None:
            return None
        uri = Reference(target=ResourceKey("Repository", binding.repository), field="repositoryURI")
        return f"{uri}@{binding.digest}"

    def _text(self, text: str) -> str:
        return references.substitute(text, self._value)

    def _value(self, inner: str) -> str | None:
        if inner in self._facts:
            return self._facts[inner]
        reference = references.parse(inner)
        return self._static(reference) if reference else None

    def _static(self, reference: Reference) -> str | None:
        """The field's value where it follows from the manifest alone."""
        spec = self._known[reference.target].spec
        if reference.field == "name":
            return self._own(reference.target, KINDS[reference.target.kind].identity)
        pattern = _ARNS.get(reference.target.kind) if reference.field == "arn" else None
        if pattern is None:
            return None
        path = spec.entries.get("path")
        return pattern.format(
            **self._facts,
            name=self._own(reference.target, KINDS[reference.target.kind].identity),
            path=(path.text or "/") if path else "/",
            function=self._function(reference.target),
        )

    def _own(self, key: ResourceKey, name: str) -> str:
        node = self._known[key].spec.entries.get(name)
        return self._text(node.text or "") if node else ""

    def _function(self, key: ResourceKey) -> str:
        if key.kind != "Alias":
            return ""
        value = references.values_for_refs(self._known[key]).get("functionName")
        return self._text(value) if isinstance(value, str) else ""


def _ordered(
    desired: Mapping[ResourceKey, DesiredResource], known: Mapping[ResourceKey, Resource]
) -> tuple[DesiredResource, ...]:
    sorter = graphlib.TopologicalSorter({key: resource.dependencies for key, resource in desired.items()})
    try:
        return tuple(desired[key] for key in sorter.static_order() if key in desired)
    except graphlib.CycleError as exc:
        circle = " -> ".join(str(key) for key in exc.args[1])
        raise errors.problem(
            "reference-circle",
            f"resources wait for each other: {circle}",
            hint="write one of the values out instead of referring to it",
            at=known[exc.args[1][0]].at,
        ) from exc
