"""The project file `understudy.yaml`: images, targets, the development server and what to watch.

Paths are relative to the file's folder, stay inside it, and are not required to exist here: the command
that needs one says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from understudy.errors import UnderstudyError
from understudy.manifests import documents, errors
from understudy.manifests.errors import ManifestError, Problem
from understudy.manifests.model import Node
from understudy.targets import sections
from understudy.targets.sections import choice, each, flag, inside, matching, named, number, section, text

FILE_NAME = "understudy.yaml"

_HANDLE = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_ROLE = r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+"

Name = Annotated[str, matching(_HANDLE)]
RelativePath = Annotated[str, inside]
_Paths = Annotated[tuple[str, ...], each(inside)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSection:
    """An image that is built from this project.

    Attributes:
        context: folder that the Dockerfile's COPY reads from.
        dockerfile: the Dockerfile.
        build_args: values of its ARG instructions.
        build_target: stage to build; the last one by default.
        repository: `metadata.name` of the Repository that holds the image.
        platform: platform to build for.
        size_budget_mb: largest image that this project wants in a registry, compressed.
    """

    context: RelativePath
    dockerfile: RelativePath
    build_args: Annotated[Mapping[str, str], named(text)] = field(default_factory=dict)
    build_target: Annotated[str | None, text] = None
    repository: Name
    platform: Annotated[Literal["linux/amd64", "linux/arm64"], choice("linux/amd64", "linux/arm64")] = (
        "linux/amd64"
    )
    size_budget_mb: Annotated[int, number(1)] = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSection:
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

    type: Annotated[Literal["local", "localstack", "aws"], choice("local", "localstack", "aws")]
    endpoint: Annotated[str | None, text] = None
    overlay: RelativePath
    region: Annotated[str, text] = "us-east-1"
    account: Annotated[str | None, matching("[0-9]{12}")] = None
    profile: Annotated[str | None, text] = None
    role: Annotated[str | None, matching(_ROLE)] = None
    production: Annotated[bool, flag] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DevServerSection:
    """The development server: the app of an image, with the source mounted and reload on.

    Attributes:
        image: the image that it runs in.
        app: ASGI application, as `package.module:attribute`.
        port: port on this machine.
        source: folder that is mounted over the image's code.
    """

    image: Name
    app: Annotated[str, matching(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")]
    port: Annotated[int, number(1, 65535)] = 8000
    source: RelativePath


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSection:
    """What a running stack watches.

    Attributes:
        paths: files and folders whose changes rebuild the image.
        ignore: files and folders below them that do not.
    """

    paths: _Paths = ()
    ignore: _Paths = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
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
    images: Annotated[Mapping[str, ImageSection], named(section(ImageSection), _HANDLE)]
    targets: Annotated[Mapping[str, TargetSection], named(section(TargetSection), _HANDLE)]
    dev_server: Annotated[DevServerSection | None, section(DevServerSection)] = None
    init_hooks: Annotated[str | None, inside] = None
    watch: Annotated[WatchSection, section(WatchSection)] = field(default_factory=WatchSection)


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
    project = sections.parse(Project, node)
    if project.dev_server and project.dev_server.image not in project.images:
        raise ManifestError([_dangling(project.dev_server.image, project, node)])
    return project


def _dangling(image: str, project: Project, node: Node) -> Problem:
    return Problem(
        code="project-image",
        message=f"devServer.image is {image}, which is no image of this project",
        hint=errors.suggestion(image, project.images),
        at=node.entries["devServer"].entries["image"].at,
        path="devServer.image",
    )
