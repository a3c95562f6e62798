"""What is known of a team's service, whoever found it: the scan of its code, or an importer of its template.

Pure. Texts of specs and policies may hold the placeholders of manifests, such as ``${Table.users.arn}``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy.manifests.model import JsonMap

BASE = "public.ecr.aws/lambda/python:3.13"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that the user should know, and nothing was decided silently about.

    Attributes:
        subject: the name it is about: a variable, a table, a resource of a template.
        text: one sentence that says what was done or what is left to do.
    """

    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user says beyond what the repository does.

    Attributes:
        dockerfile: the Dockerfile to take; empty finds it.
        account: of target preprod; empty leaves a placeholder that every deploy refuses.
        tables: partition and sort key of tables, by the table's name.
        template: the SAM template or Serverless file to read in the code's place; empty reads the code.
    """

    template: str = ""
    dockerfile: str = ""
    account: str = ""
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DevServer:
    """The ASGI application that a development server can run in the image.

    Attributes:
        app: `package.module:attribute`.
        source: folder that lies at the image's working directory, relative to the repository.
    """

    app: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInput:
    """What an image is built from; paths relative to the repository."""

    context: str
    dockerfile: str
    build_target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a function may do.

    Attributes:
        sid: letters and digits.
        actions: IAM actions.
        resources: ARNs, with placeholders.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionInput:
    """A function that runs an image.

    Attributes:
        name: of the function, its image and its role.
        variables: its environment.
        local_variables: further ones that only targets on this machine set, since nobody knows better.
        command: CMD in the place of the image's; empty keeps it.
    """

    name: str
    image: ImageInput
    architecture: str = "x86_64"
    memory_mb: int = 1024
    timeout_s: int = 29
    ephemeral_mb: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    local_variables: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    managed_policies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceInput:
    """A resource that functions use.

    Attributes:
        kind: of the manifests, such as ``Table``.
        name: `metadata.name`.
        spec: as ACK names its fields.
    """

    kind: str
    name: str
    spec: JsonMap


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteInput:
    """A route of the HTTP API.

    Attributes:
        key: ``$default`` or ``GET /users/{id}``.
        function: name of the function that answers.
        payload: version of the event's format.
    """

    key: str
    function: str
    payload: str = "2.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInput:
    """A team's service.

    Attributes:
        name: of the project.
        account: of target preprod; empty when nobody said.
        notes: what is left to the user, and what was left out.
        generated: further files that the image needs, path to text.
    """

    name: str
    functions: tuple[FunctionInput, ...]
    routes: tuple[RouteInput, ...]
    resources: tuple[ResourceInput, ...] = ()
    dev_server: DevServer | None = None
    account: str = ""
    notes: tuple[Note, ...] = ()
    generated: Mapping[str, str] = field(default_factory=dict)
