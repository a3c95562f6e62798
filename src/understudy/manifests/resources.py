"""Reads checked resources out of documents: kind, handle, annotations and spec.

Annotations under `understudy.dev/` are requests to this tool and are held to a list; annotations of
others pass through.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from understudy.manifests import check, errors
from understudy.manifests.errors import ManifestError, Problem
from understudy.manifests.kind import Kind
from understudy.manifests.model import Node, Resource, ResourceKey
from understudy.manifests.schema import Field

OWN_PREFIX = "understudy.dev/"
AUTO_PUBLISH = "understudy.dev/auto-publish"
AUTO_DEPLOY = "understudy.dev/auto-deploy"
INVOKE_MODE = "understudy.dev/invoke-mode"
DELETION_POLICY = "services.k8s.aws/deletion-policy"

_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        AUTO_PUBLISH: ("true", "false"),
        AUTO_DEPLOY: ("true", "false"),
        INVOKE_MODE: ("BUFFERED", "RESPONSE_STREAM"),
        DELETION_POLICY: ("delete", "retain"),
    }
)
_ONLY_ON: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        AUTO_PUBLISH: ("Version",),
        AUTO_DEPLOY: ("Deployment", "RestDeployment"),
        INVOKE_MODE: ("FunctionURLConfig",),
    }
)
_TEXTS = Field(type="map", element=Field(type="string"))
_METADATA: Mapping[str, Field] = MappingProxyType(
    {
        "name": Field(type="string"),
        "namespace": Field(type="string"),
        "labels": _TEXTS,
        "annotations": _TEXTS,
    }
)
# RFC 1123 subdomain, what the API server accepts as metadata.name.
_HANDLE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_HANDLE_LENGTH = 253
_TOP = ("apiVersion", "kind", "metadata", "spec")


def read(documents: Iterable[Node]) -> tuple[Resource, ...]:
    """The resources of these documents, in their order.

    Raises:
        ManifestError: with every problem of every document.
    """
    problems: list[Problem] = []
    found: dict[ResourceKey, Resource] = {}
    for document in documents:
        try:
            resource = _resource(document)
        except ManifestError as exc:
            problems.extend(exc.problems)
            continue
        if resource.key in found:
            problems.append(_twice(resource, found[resource.key]))
        found[resource.key] = resource
    if problems:
        raise ManifestError(problems)
    return tuple(found.values())


def key_of(document: Node) -> ResourceKey:
    """What a document writes as kind and handle; it may hold other mistakes still.

    Raises:
        ManifestError: the document is no resource.
    """
    kind = document.entries.get("kind")
    metadata = document.entries.get("metadata")
    name = metadata.entries.get("name") if metadata else None
    if kind is None or kind.text is None:
        raise _missing(document, "kind", "add kind, for example kind: Function")
    if name is None or name.text is None:
        raise _missing(document, "metadata.name", "add metadata.name")
    return ResourceKey(kind.text, name.text)


def _missing(document: Node, path: str, hint: str) -> ManifestError:
    return errors.problem(
        "manifest-missing-field", f"{path} is missing", hint=hint, at=document.at, path=path
    )


def _resource(document: Node) -> Resource:
    written = key_of(document)
    kind = check.kind_of(document)
    key = ResourceKey(kind.name, written.name)
    problems = [
        *_envelope(document, kind),
        *_metadata(document.entries["metadata"], key),
        *check.spec(kind, document.entries.get("spec", Node(value={}, at=document.at))),
    ]
    if problems:
        raise ManifestError(problems)
    annotations = document.entries["metadata"].entries.get("annotations")
    return Resource(
        key=key,
        api_version=kind.api_version,
        annotations={name: str(value.value) for name, value in annotations.entries.items()}
        if annotations
        else {},
        spec=document.entries["spec"],
        document=document,
    )


def _envelope(document: Node, kind: Kind) -> Iterator[Problem]:
    for name, child in document.entries.items():
        if name not in _TOP:
            yield Problem(
                code="manifest-unknown-field",
                message=f"{name} is no field of a resource",
                hint=errors.suggestion(name, _TOP),
                at=child.at,
                path=name,
            )
    version = document.entries.get("apiVersion")
    if version is None or version.text != kind.api_version:
        found = "missing" if version is None else repr(version.value)
        yield Problem(
            code="manifest-api-version",
            message=f"apiVersion of {kind.kind} is {found}, expected {kind.api_version}",
            hint=f"write apiVersion: {kind.api_version}",
            at=version.at if version else document.at,
            path="apiVersion",
        )
    if "spec" not in document.entries:
        yield from _missing(document, "spec", "add spec").problems


def _metadata(node: Node, key: ResourceKey) -> Iterator[Problem]:
    yield from check.only(node, "metadata", _METADATA)
    if len(key.name) > _HANDLE_LENGTH or not _HANDLE.fullmatch(key.name):
        yield Problem(
            code="manifest-handle",
            message=f"metadata.name {key.name!r} is no lower-case DNS name",
            hint="use lower-case letters, digits, - and . only; spec holds the AWS name",
            at=node.entries["name"].at,
            path="metadata.name",
        )
    for name, child in node.entries.get("annotations", Node(value={}, at=node.at)).entries.items():
        yield from _annotation(key.kind, name, child)


def _annotation(kind: str, name: str, child: Node) -> Iterator[Problem]:
    path = f'metadata.annotations["{name}"]'
    choices = _CHOICES.get(name)
    if choices is None and name.startswith(OWN_PREFIX):
        own = [known for known in _CHOICES if known.startswith(OWN_PREFIX)]
        yield Problem(
            code="manifest-unknown-annotation",
            message=f"{path} is no request that understudy knows",
            hint=errors.suggestion(name, own),
            at=child.at,
            path=path,
        )
    elif kind not in _ONLY_ON.get(name, (kind,)):
        yield Problem(
            code="manifest-annotation",
            message=f"{path} says nothing about a {kind}, only about a {_ONLY_ON[name][0]}",
            hint="remove it",
            at=child.at,
            path=path,
        )
    elif choices and child.text not in choices:
        yield Problem(
            code="manifest-annotation",
            message=f"{path} is {child.value!r}, expected one of {', '.join(choices)}",
            hint=f'write "{choices[0]}"',
            at=child.at,
            path=path,
        )


def _twice(resource: Resource, first: Resource) -> Problem:
    return Problem(
        code="manifest-duplicate",
        message=f"{resource.key} is given twice; first at {first.at}",
        hint="remove or rename one of the two",
        at=resource.at,
        path="metadata.name",
    )
