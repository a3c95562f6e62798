"""A stack as the plain ACK documents that `kubectl apply` takes."""

import json
from collections.abc import Mapping
from types import MappingProxyType

from understudy.manifests import render
from understudy.manifests.kinds import KINDS
from understudy.manifests.model import DesiredResource, Json, JsonMap, ResourceKey, Stack, as_map
from understudy.manifests.render import Lookup
from understudy.manifests.resources import OWN_PREFIX

Annotations = Mapping[ResourceKey, Mapping[str, str]]

ADOPTION_POLICY = "services.k8s.aws/adoption-policy"
ADOPTION_FIELDS = "services.k8s.aws/adoption-fields"


def documents(
    stack: Stack,
    lookup: Lookup = lambda _: None,
    annotations: Annotations = MappingProxyType({}),
) -> tuple[JsonMap, ...]:
    """Plain ACK documents of a stack, as a cluster takes them.

    What follows others (a Version its function, a Deployment its API) gets a name of its own per release,
    because neither ever changes: ACK publishes again for a new name only.

    Args:
        stack: the rendered stack.
        lookup: what AWS chose, as far as it is known; the rest stays a placeholder.
        annotations: annotations to add, by resource.
    """
    releases = {resource.key: resource.release for resource in stack if resource.release}
    return tuple(
        _plain(render.filled(resource, lookup), releases, annotations.get(resource.key, {}))
        for resource in stack
    )


def _plain(
    resource: DesiredResource, releases: Mapping[ResourceKey, str], added: Mapping[str, str]
) -> JsonMap:
    document = render.literal(resource.document)
    metadata = dict(as_map(document["metadata"]))
    given = as_map(metadata.pop("annotations", {}))
    kept = {name: value for name, value in given.items() if not name.startswith(OWN_PREFIX)}
    if kept or added:
        metadata["annotations"] = {**kept, **added}
    metadata["name"] = _released(resource.key, releases)
    spec = dict(as_map(document["spec"]))
    for path, ref in KINDS[resource.key.kind].refs.items():
        source = as_map(as_map(spec[path])["from"]) if path in spec and not ref.many else {}
        target = ResourceKey(ref.kind, str(source.get("name")))
        if target in releases:
            spec[path] = {"from": {**source, "name": _released(target, releases)}}
    return {**document, "metadata": metadata, "spec": spec}


def _released(key: ResourceKey, releases: Mapping[ResourceKey, str]) -> str:
    return f"{key.name}-{releases[key]}" if key in releases else key.name


def adoption(resource: DesiredResource, status: Mapping[str, str]) -> dict[str, str]:
    """The annotations with which a controller takes over a resource that exists, instead of making another.

    Args:
        resource: the resource, its values filled in.
        status: what AWS chose for it.

    Raises:
        KeyError: a value that the controller looks the resource up by is in neither.
    """
    fields = {
        name: status[name] if name in status else _text(resource.spec[name])
        for name in KINDS[resource.key.kind].adoption
    }
    return {ADOPTION_POLICY: "adopt-or-create", ADOPTION_FIELDS: json.dumps(fields)}


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} identifies a resource and is no text")
    return value
