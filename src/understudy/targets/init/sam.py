"""A template of AWS SAM as a service: image functions, events, permissions, the resources they use; pure.

The common case. Whatever else the template holds is listed by name.
"""

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from understudy.errors import UnderstudyError
from understudy.targets.init import cloudformation, intrinsics, names, policies
from understudy.targets.init.intrinsics import Named, UnresolvedError, Values
from understudy.targets.init.model import (
    FunctionInput,
    ImageInput,
    Note,
    Options,
    ResourceInput,
    RouteInput,
    ServiceInput,
)
from understudy.targets.init.tree import Tree

_FUNCTION = "AWS::Serverless::Function"
_APIS = frozenset({"AWS::Serverless::Api", "AWS::Serverless::HttpApi"})
_SECTIONS = frozenset(
    {"AWSTemplateFormatVersion", "Transform", "Description", "Globals", "Parameters", "Resources", "Metadata"}
)
_CARRIED = frozenset(
    {"FunctionName", "PackageType", "Architectures", "MemorySize", "Timeout", "Environment", "Policies"}
    | {"Events", "ImageUri", "ImageConfig", "EphemeralStorage", "Description", "Tags"}
)


def service(text: str, path: str, tree: Tree, options: Options) -> ServiceInput:
    """The service that a template describes.

    Args:
        text: of the template.
        path: of the template, relative to the repository.
        tree: the repository.
        options: what the user says beyond it.

    Raises:
        UnderstudyError: it is no template, or none of its functions is an image that is built here.
    """
    template = intrinsics.parse(text, path)
    found = _Template(template, path, names.slug(tree.name))
    functions = tuple(found.functions())
    if not functions:
        raise UnderstudyError(
            "init-template",
            f"{path} holds no {_FUNCTION} with PackageType: Image and Metadata.DockerContext",
            hint="understudy init, without --from, reads Dockerfile and code instead",
            where=path,
        )
    return ServiceInput(
        name=found.project,
        functions=functions,
        routes=tuple(dict.fromkeys(found.routes)),
        resources=tuple(found.resources()),
        account=options.account,
        notes=(*found.notes, *found.sections()),
    )


class _Template:
    """One template on its way into manifests; collects what it cannot carry."""

    def __init__(self, template: Mapping[str, Any], path: str, project: str) -> None:
        self.project = project
        self.notes: list[Note] = []
        self.routes: list[RouteInput] = []
        self._template = template
        self._folder = posixpath.dirname(path)
        self._resources: Mapping[str, Any] = template.get("Resources") or {}
        self._globals: Mapping[str, Any] = (template.get("Globals") or {}).get("Function") or {}
        named = cloudformation.named(project, self._resources)
        self.values = Values(
            stack=project, parameters=self._parameters(), resources={**named, **self._function_names()}
        )

    def _parameters(self) -> dict[str, str]:
        found = {}
        for name, parameter in (self._template.get("Parameters") or {}).items():
            if "Default" in parameter:
                found[name] = str(parameter["Default"])
                text = f"parameter: its default {found[name]!r} is written into the manifests"
                self.notes.append(Note(subject=name, text=text))
        return found

    def _function_names(self) -> dict[str, Named]:
        found = {}
        for logical, resource in self._resources.items():
            if resource.get("Type") == _FUNCTION:
                name = self._name(logical, resource)
                found[logical] = Named(
                    ref=f"${{Function.{name}.name}}", attributes={"Arn": f"${{Function.{name}.arn}}"}
                )
        return found

    def _name(self, logical: str, resource: Mapping[str, Any]) -> str:
        given = (resource.get("Properties") or {}).get("FunctionName")
        return names.slug(given if isinstance(given, str) else f"{self.project}-{names.slug(logical)}")

    def functions(self) -> Iterator[FunctionInput]:
        """The image functions; notes the others."""
        for logical, resource in self._resources.items():
            if resource.get("Type") != _FUNCTION:
                continue
            properties = _merged(self._globals, resource.get("Properties") or {})
            metadata = resource.get("Metadata") or {}
            if properties.get("PackageType") != "Image" or "DockerContext" not in metadata:
                self._note(logical, "not carried: only PackageType: Image with Metadata.DockerContext is")
                continue
            yield self._function(logical, self._name(logical, resource), properties, metadata)

    def _function(
        self, logical: str, name: str, properties: Mapping[str, Any], metadata: Mapping[str, Any]
    ) -> FunctionInput:
        permissions = policies.of_policies(logical, properties.get("Policies"), self.values)
        self.notes += permissions.notes
        for key in sorted(set(properties) - _CARRIED):
            self._note(logical, f"{key} is not carried")
        self.routes += self._routes(logical, name, properties.get("Events") or {})
        config = properties.get("ImageConfig") or {}
        for key in sorted(set(config) - {"Command"}):
            self._note(logical, f"ImageConfig.{key} is not carried")
        return FunctionInput(
            name=name,
            image=self._image(metadata),
            architecture=str((properties.get("Architectures") or ["x86_64"])[0]),
            memory_mb=int(properties.get("MemorySize", 128)),
            timeout_s=int(properties.get("Timeout", 3)),
            ephemeral_mb=(properties.get("EphemeralStorage") or {}).get("Size"),
            variables=self._variables(logical, properties),
            command=tuple(map(str, config.get("Command") or ())),
            statements=permissions.statements,
            managed_policies=permissions.managed,
        )

    def _image(self, metadata: Mapping[str, Any]) -> ImageInput:
        context = posixpath.normpath(posixpath.join(self._folder, str(metadata["DockerContext"])))
        dockerfile = posixpath.join(context, str(metadata.get("Dockerfile", "Dockerfile")))
        arguments = metadata.get("DockerBuildArgs") or {}
        target = metadata.get("DockerBuildTarget")
        return ImageInput(
            context=context,
            dockerfile=posixpath.normpath(dockerfile),
            build_target=str(target) if target else None,
            build_args={str(key): str(value) for key, value in arguments.items()},
        )

    def _variables(self, logical: str, properties: Mapping[str, Any]) -> dict[str, str]:
        found = {}
        for key, value in ((properties.get("Environment") or {}).get("Variables") or {}).items():
            try:
                found[str(key)] = self.values.text(value)
            except UnresolvedError as exc:
                self._note(logical, f"variable {key} is not set, for it needs {exc}")
        return found

    def _routes(self, logical: str, name: str, events: Mapping[str, Any]) -> Iterator[RouteInput]:
        for event, described in events.items():
            kind, properties = described.get("Type"), described.get("Properties") or {}
            if kind not in ("HttpApi", "Api"):
                self._note(logical, f"event {event} of type {kind} is not carried")
                continue
            for key in sorted(
                set(properties) - {"Path", "Method", "PayloadFormatVersion", "ApiId", "RestApiId"}
            ):
                self._note(logical, f"event {event}: {key} is not carried")
            payload = str(properties.get("PayloadFormatVersion", "2.0"))
            if kind == "Api":
                payload = "1.0"
                self._note(
                    logical,
                    f"event {event} of a REST API becomes a route of an HTTP API with payload format 1.0",
                )
            yield RouteInput(key=route_key(properties), function=name, payload=payload)

    def resources(self) -> Iterator[ResourceInput]:
        """The resources that manifests have kinds for; notes the others."""
        for logical, resource in self._resources.items():
            kind = str(resource.get("Type"))
            if kind == _FUNCTION:
                continue
            try:
                found = cloudformation.convert(self.project, logical, resource, self.values)
            except UnresolvedError as exc:
                self._note(logical, f"{kind} is not carried, for it needs {exc}")
                continue
            if found is not None:
                self.notes += found[1]
                yield found[0]
            elif kind in _APIS:
                listed = ", ".join(sorted(resource.get("Properties") or {})) or "nothing"
                self._note(logical, f"{kind} becomes this project's HTTP API; of it is not carried: {listed}")
            else:
                self._note(logical, f"{kind} is not carried")

    def sections(self) -> Iterator[Note]:
        """What the template holds beside functions and resources."""
        for name in sorted(set(self._template) - _SECTIONS):
            yield Note(subject=name, text="this section of the template is not carried")
        for name in sorted(set(self._template.get("Globals") or {}) - {"Function"}):
            yield Note(subject=f"Globals.{name}", text="this section of the template is not carried")

    def _note(self, subject: str, text: str) -> None:
        self.notes.append(Note(subject=subject, text=text))


def route_key(properties: Mapping[str, Any]) -> str:
    """The key of a route for ``Path`` and ``Method``; ``$default`` for all requests."""
    path, method = str(properties.get("Path", "")), str(properties.get("Method", "any")).upper()
    if not path or (path == "$default"):
        return "$default"
    return f"{'ANY' if method in ('ANY', '*', 'X-AMAZON-APIGATEWAY-ANY-METHOD') else method} {path}"


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """SAM's rule for globals: maps are merged, lists are joined, and a function's own value wins."""
    found = dict(below)
    for key, value in above.items():
        known = found.get(key)
        if isinstance(known, dict) and isinstance(value, dict) and not intrinsic(value):
            found[key] = _merged(known, value)
        elif isinstance(known, list) and isinstance(value, list):
            found[key] = [*known, *value]
        else:
            found[key] = value
    return found


def intrinsic(value: Mapping[str, Any]) -> bool:
    """Whether a mapping is a call of an intrinsic function."""
    return len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))
