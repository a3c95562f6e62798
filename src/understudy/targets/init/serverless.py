"""A file of the Serverless Framework as a service: image functions, events, permissions, resources; pure.

The common case. Whatever else the file holds is listed by name. Variables of the framework that only its own
run knows (``${ssm:...}``, ``${cf:...}``, ``${file(...)}``) are not guessed.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from understudy.errors import UnderstudyError
from understudy.targets.init import cloudformation, intrinsics, names, policies
from understudy.targets.init.intrinsics import UnresolvedError, Values
from understudy.targets.init.model import (
    FunctionInput,
    ImageInput,
    Note,
    Options,
    ResourceInput,
    RouteInput,
    ServiceInput,
)
from understudy.targets.init.sam import route_key
from understudy.targets.init.tree import Tree

_VARIABLE = re.compile(r"\$\{((?:self|opt|sls|env|aws)\s*:[^{}]*)\}")
_FOREIGN = re.compile(r"\$\{(?:ssm|cf|s3|file|param|strToBool|output)\b[^}]*\}")
_STAGE, _REGION = "dev", "${region}"
_DEPTH = 10
_TOP = frozenset(
    {"service", "provider", "functions", "resources", "frameworkVersion", "custom", "stages", "useDotenv"}
)
_PROVIDER = frozenset(
    {"name", "stage", "region", "environment", "memorySize", "timeout", "architecture", "ecr", "iam"}
    | {"iamRoleStatements", "runtime"}
)
_FUNCTION = frozenset(
    {"image", "name", "environment", "memorySize", "timeout", "architecture", "events", "description"}
    | {"ephemeralStorageSize", "iamRoleStatements"}
)


def service(text: str, path: str, tree: Tree, options: Options) -> ServiceInput:
    """The service that a Serverless file describes; the arguments are those of `sam.service`.

    Raises:
        UnderstudyError: it is no such file, or none of its functions is an image that is built here.
    """
    document = intrinsics.parse(text, path)
    found = _File(document, path, names.slug(tree.name))
    functions = tuple(found.functions())
    if not functions:
        raise UnderstudyError(
            "init-template",
            f"{path} holds no function whose image is one of provider.ecr.images with a path",
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


class _File:
    """One file on its way into manifests; collects what it cannot carry."""

    def __init__(self, document: Mapping[str, Any], path: str, name: str) -> None:
        self._document = document
        self._folder = posixpath.dirname(path)
        self.notes: list[Note] = []
        self.routes: list[RouteInput] = []
        given = document.get("service")
        self.project = names.slug(given if isinstance(given, str) else name)
        self._provider: Mapping[str, Any] = self._plain(document.get("provider") or {})
        listed = document.get("resources") or {}
        merged = listed if isinstance(listed, dict) else {}
        self._resources: Mapping[str, Any] = self._plain(merged.get("Resources") or {})
        self._beside = sorted(set(merged) - {"Resources"}) if merged else []
        named = cloudformation.named(self.project, self._resources)
        self._values = Values(stack=self.project, resources=named)

    def functions(self) -> Iterator[FunctionInput]:
        """The image functions; notes the others."""
        for key, raw in (self._document.get("functions") or {}).items():
            described = self._plain(raw)
            image = self._image(described.get("image"))
            if image is None:
                self._note(key, "not carried: its image is none of provider.ecr.images with a path")
                continue
            yield self._function(key, described, *image)

    def _function(
        self, key: str, described: Mapping[str, Any], image: ImageInput, command: tuple[str, ...]
    ) -> FunctionInput:
        name = names.slug(str(described.get("name") or f"{self.project}-{key}"))
        for other in sorted(set(described) - _FUNCTION):
            self._note(key, f"{other} is not carried")
        self.routes += self._routes(key, name, described.get("events") or [])
        provider, merged = self._provider, {**self._provider, **described}
        permissions = policies.of_statements(
            key, [*self._statements(), *(described.get("iamRoleStatements") or [])], self._values
        )
        self.notes += permissions.notes
        environment = {**(provider.get("environment") or {}), **(described.get("environment") or {})}
        return FunctionInput(
            name=name,
            image=image,
            architecture=str(merged.get("architecture", "x86_64")),
            memory_mb=int(merged.get("memorySize", 1024)),
            timeout_s=int(merged.get("timeout", 6)),
            ephemeral_mb=described.get("ephemeralStorageSize"),
            variables=self._variables(key, environment),
            command=command,
            statements=permissions.statements,
        )

    def _statements(self) -> list[object]:
        role = ((self._provider.get("iam") or {}).get("role")) or {}
        own = role.get("statements") if isinstance(role, dict) else None
        return [*(own or []), *(self._provider.get("iamRoleStatements") or [])]

    def _image(self, given: object) -> tuple[ImageInput, tuple[str, ...]] | None:
        """What a function's image is built from, and the CMD in the place of its own."""
        described: Mapping[str, Any] = given if isinstance(given, dict) else {"name": given}
        images = (self._provider.get("ecr") or {}).get("images") or {}
        found = images.get(described.get("name"))
        if isinstance(found, str):
            found = {"path": found} if found.startswith((".", "/")) else None
        if not isinstance(found, dict) or "path" not in found:
            return None
        context = posixpath.normpath(posixpath.join(self._folder, str(found["path"])))
        dockerfile = posixpath.normpath(posixpath.join(context, str(found.get("file", "Dockerfile"))))
        arguments = {str(key): str(value) for key, value in (found.get("buildArgs") or {}).items()}
        for other in sorted(set(described) - {"name", "command"}):
            self._note(str(described["name"]), f"image.{other} is not carried")
        command = tuple(map(str, described.get("command") or ()))
        return ImageInput(context=context, dockerfile=dockerfile, build_args=arguments), command

    def _variables(self, key: str, environment: Mapping[str, Any]) -> dict[str, str]:
        found = {}
        for name, value in environment.items():
            foreign = _FOREIGN.search(str(value))
            try:
                if foreign is not None:
                    raise UnresolvedError(foreign[0])
                found[str(name)] = self._values.text(value)
            except UnresolvedError as exc:
                self._note(key, f"variable {name} is not set, for it needs {exc}")
        return found

    def _routes(self, key: str, name: str, events: list[Any]) -> Iterator[RouteInput]:
        for event in events:
            kind, described = next(iter(event.items())) if isinstance(event, dict) else (event, "*")
            if kind not in ("httpApi", "http"):
                self._note(key, f"event {kind} is not carried")
                continue
            payload = "2.0"
            if kind == "http":
                payload = "1.0"
                self._note(
                    key, "event http of a REST API becomes a route of an HTTP API with payload format 1.0"
                )
            if isinstance(described, dict):
                for other in sorted(set(described) - {"path", "method"}):
                    self._note(key, f"event {kind}: {other} is not carried")
            yield RouteInput(key=_route_key(described), function=name, payload=payload)

    def resources(self) -> Iterator[ResourceInput]:
        """The resources that manifests have kinds for; notes the others."""
        for logical, resource in self._resources.items():
            try:
                found = cloudformation.convert(self.project, logical, resource, self._values)
            except UnresolvedError as exc:
                self._note(logical, f"{resource.get('Type')} is not carried, for it needs {exc}")
                continue
            if found is None:
                self._note(logical, f"{resource.get('Type')} is not carried")
            else:
                self.notes += found[1]
                yield found[0]

    def sections(self) -> Iterator[Note]:
        """What the file holds beside functions and resources."""
        for name in sorted(set(self._document) - _TOP):
            yield Note(subject=name, text="this section of the file is not carried")
        for name in sorted(set(self._provider) - _PROVIDER):
            yield Note(subject=f"provider.{name}", text="not carried")
        for name in self._beside:
            yield Note(subject=f"resources.{name}", text="not carried")

    def _plain(self, value: object, depth: int = _DEPTH) -> Any:  # noqa: ANN401 - as varied as YAML
        """`value` with the framework's own variables replaced; those that nobody here knows stay."""
        if isinstance(value, dict):
            return {key: self._plain(item, depth) for key, item in value.items()}
        if isinstance(value, list):
            return [self._plain(item, depth) for item in value]
        if not isinstance(value, str) or not depth:
            return value
        whole = _VARIABLE.fullmatch(value)
        if whole is not None:
            found = self._variable(whole[1])
            return value if found is None else self._plain(found, depth - 1)
        replaced = _VARIABLE.sub(lambda match: str(_or(self._variable(match[1]), match[0])), value)
        return replaced if replaced == value else self._plain(replaced, depth - 1)

    def _variable(self, text: str) -> object:
        """The value of ``self:a.b``, ``opt:stage`` or ``sls:stage``, or of what stands behind its comma."""
        reference, _, fallback = text.partition(",")
        source, _, path = reference.strip().partition(":")
        found: object = None
        if source.strip() == "self":
            found = self._document
            for part in path.split("."):
                found = found.get(part) if isinstance(found, dict) else None
        elif path.strip() == "stage":
            found = _STAGE
        elif path.strip() == "region":
            found = _REGION
        elif path.strip() == "accountId":
            found = "${account}"
        return _or(found, fallback.strip().strip("\"'") or None)

    def _note(self, subject: str, text: str) -> None:
        self.notes.append(Note(subject=subject, text=text))


def _or(value: object, other: object) -> object:
    return other if value is None else value


def _route_key(described: object) -> str:
    """The key of a route for ``*``, ``GET /path`` or a mapping with path and method."""
    if isinstance(described, dict):
        path = str(described.get("path", ""))
        place = "" if path in ("", "*") else f"/{path.lstrip('/')}"
        return route_key({"Path": place, "Method": described.get("method", "any")})
    text = str(described).strip()
    if text == "*":
        return "$default"
    method, _, path = text.partition(" ")
    return route_key({"Path": f"/{path.strip().lstrip('/')}", "Method": method})
