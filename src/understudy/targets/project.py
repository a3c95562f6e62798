"""The project file `understudy.yaml`: images, targets, the development server and what to watch.

Paths are relative to the file's folder, stay inside it, and are not required to exist here: the command
that needs one says so.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from understudy.errors import UnderstudyError
from understudy.manifests import documents, errors
from understudy.manifests.errors import ManifestError, Problem
from understudy.manifests.model import Node
from understudy.targets.builders import Builder

FILE_NAME = "understudy.yaml"

_HANDLE = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_ROLE = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$"

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s)")
_SHARE = re.compile(r"(?P<number>\d+(?:\.\d+)?)%")


def _inside(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not text:
        raise ValueError("expected a path inside the project, relative to understudy.yaml")
    return str(path)


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise ValueError("expected a time such as 800ms or 15s")
    return text


def _share(text: str) -> str:
    if not _SHARE.fullmatch(text):
        raise ValueError("expected a share such as 10%")
    return text


Name = Annotated[str, StringConstraints(pattern=_HANDLE)]
RelativePath = Annotated[str, AfterValidator(_inside)]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Section(BaseModel):
    """Frozen, and strict about names and types."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=False
    )


class ColdStartSection(_Section):
    """What a cold start of an image may cost: init and the first request, in the sandbox.

    Attributes:
        limit: longest median, such as `15s` or `800ms`.
        regression: how much slower than the accepted digest it may be, such as `10%`.
    """

    limit: Annotated[str, AfterValidator(_duration)] | None = None
    regression: Annotated[str, AfterValidator(_share)] | None = None

    @property
    def limit_ms(self) -> float | None:
        """The limit in milliseconds; `None` for none."""
        found = _DURATION.fullmatch(self.limit or "")
        return float(found["number"]) * (1000 if found["unit"] == "s" else 1) if found else None

    @property
    def regression_share(self) -> float | None:
        """The regression as a part of one; `None` for any."""
        found = _SHARE.fullmatch(self.regression or "")
        return float(found["number"]) / 100 if found else None


class ImageSection(_Section):
    """An image that is built from this project.

    Attributes:
        context: folder that the Dockerfile's COPY reads from.
        dockerfile: the Dockerfile.
        build_args: values of its ARG instructions.
        build_target: stage to build; the last one by default.
        repository: `metadata.name` of the Repository that holds the image.
        platform: platform to build for.
        builder: what builds it: the native builder, or Docker's BuildKit.
        size_budget_mb: largest image that this project wants in a registry, compressed.
        cold_start: what its cold starts may cost; `deploy` asks too.
    """

    context: RelativePath
    dockerfile: RelativePath
    build_args: dict[str, str] = {}
    build_target: str | None = None
    repository: Name
    platform: Literal["linux/amd64", "linux/arm64"] = "linux/amd64"
    builder: Builder = "native"
    size_budget_mb: Annotated[int, Field(ge=1)] = 1000
    cold_start: ColdStartSection | None = None


class TargetSection(_Section):
    """A place that the stack runs in.

    Attributes:
        type: how it is reached.
        endpoint: URL in the place of AWS.
        overlay: folder with the `kustomization.yaml` of this target.
        region: AWS region.
        account: account that the credentials must belong to.
        profile: profile of the AWS credentials.
        role: ARN of a role to assume with those credentials.
        production: whether writing to it wants a confirmation, or ``--yes``.
    """

    type: Literal["local", "localstack", "aws"]
    endpoint: str | None = None
    overlay: RelativePath
    region: str = "us-east-1"
    account: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")] | None = None
    profile: str | None = None
    role: Annotated[str, StringConstraints(pattern=_ROLE)] | None = None
    production: bool = False


class DevServerSection(_Section):
    """The development server: the app of an image, with the source mounted and reload on.

    Attributes:
        image: the image that it runs in.
        app: ASGI application, as `package.module:attribute`.
        port: port on this machine.
        source: folder that is mounted over the image's code.
    """

    image: Name
    app: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    port: Port = 8000
    source: RelativePath


class WatchSection(_Section):
    """What a running stack watches.

    Attributes:
        paths: files and folders whose changes rebuild the image.
        ignore: files and folders below them that do not.
    """

    paths: tuple[RelativePath, ...] = Field(default=(), strict=False)
    ignore: tuple[RelativePath, ...] = Field(default=(), strict=False)


class Project(_Section):
    """A project as its file describes it.

    Attributes:
        project: its name.
        images: images by name.
        targets: targets by name.
        dev_server: the development server, if there is one.
        init_hooks: folder with `boot.d`, `start.d`, `ready.d` and `shutdown.d`.
        watch: what to watch.
    """

    project: Name
    images: dict[Name, ImageSection]
    targets: dict[Name, TargetSection]
    dev_server: DevServerSection | None = None
    init_hooks: RelativePath | None = None
    watch: WatchSection = WatchSection()


def load(path: Path) -> Project:
    """The project that a file describes.

    Raises:
        ManifestError: the file is wrong, with every problem's line.
        UnderstudyError: the file does not exist or cannot be read.
    """
    if not path.is_file():
        raise UnderstudyError(
            "project-missing", f"{path} does not exist", hint=f"run the command where {FILE_NAME} is"
        )
    nodes = documents.load(path, name=path.name)
    if len(nodes) != 1:
        raise UnderstudyError(
            "project-document", f"{path} is not one YAML document", hint="keep one document", where=path.name
        )
    return parse(nodes[0])


def parse(node: Node) -> Project:
    """The project that a document describes.

    Raises:
        ManifestError: with every problem's line.
    """
    try:
        project = Project.model_validate(node.plain())
    except ValidationError as exc:
        found = [_problem(node, dict(error)) for error in exc.errors()]
        # A misspelt name explains the missing one, so it is told first.
        raise ManifestError(sorted(found, key=lambda one: one.code != "project-unknown-field")) from exc
    problems = list(_dangling(project, node))
    if problems:
        raise ManifestError(problems)
    return project


def _problem(node: Node, error: Mapping[str, Any]) -> Problem:
    location = [part for part in error["loc"] if part != "[key]"]
    path = ".".join(map(str, location))
    found, at = _walk(node, location)
    code, message, hint = "project-value", f"{path} is wrong: {_text(error)}", "correct the value"
    if error["type"] == "extra_forbidden":
        valid = _names(location[:-1])
        code, message = "project-unknown-field", f"{path} is no field of the project file"
        hint = errors.suggestion(str(location[-1]), valid)
    elif error["type"] == "missing":
        code, message, hint = "project-missing-field", f"{path} is missing", f"add {location[-1]}"
    elif error["type"] == "string_type" and found is not None:
        hint = f'write "{str(found.value).lower()}" in quotes'
    elif error["type"] == "literal_error":
        hint = f"write {error['ctx']['expected']}"
    return Problem(code=code, message=message, hint=hint, at=at.at, path=path)


def _text(error: Mapping[str, Any]) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


def _walk(node: Node, location: Sequence[str | int]) -> tuple[Node | None, Node]:
    """The node at a location, if it is there, and the last one on the way to it."""
    last, found = node, node
    for part in location:
        child = found.entries.get(str(part))
        if child is None and isinstance(part, int) and part < len(found.items):
            child = found.items[part]
        if child is None:
            return None, last
        last = found = child
    return found, last


def _names(location: Sequence[str | int]) -> tuple[str, ...]:
    """The names that the section at a location may hold; a section inside an image is found by its own."""
    sections: Mapping[str, type[BaseModel]] = {
        "images": ImageSection,
        "targets": TargetSection,
        "devServer": DevServerSection,
        "watch": WatchSection,
    }
    inner: Mapping[str, type[BaseModel]] = {"coldStart": ColdStartSection}
    model = sections.get(str(location[0]), Project) if location else Project
    model = inner.get(str(location[2]), model) if len(location) > 2 else model
    return tuple(to_camel(name) for name in model.model_fields)


def _dangling(project: Project, node: Node) -> Sequence[Problem]:
    """What names something that the file does not hold."""
    if project.dev_server and project.dev_server.image not in project.images:
        _, at = _walk(node, ["devServer", "image"])
        return [
            Problem(
                code="project-image",
                message=f"devServer.image is {project.dev_server.image}, which is no image of this project",
                hint=errors.suggestion(project.dev_server.image, project.images),
                at=at.at,
                path="devServer.image",
            )
        ]
    return []
