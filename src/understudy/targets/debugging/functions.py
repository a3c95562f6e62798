"""What a deployed function's sandbox is made of, as the running stack describes the function."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from understudy.engine.functions import environments
from understudy.engine.functions.images import PreparedImage
from understudy.engine.functions.model import (
    Code,
    Function,
    FunctionId,
    ImageOverrides,
    Logging,
    Settings,
    Version,
)
from understudy.errors import UnderstudyError
from understudy.image import rootfs
from understudy.image.store import Store
from understudy.reconcile.aws import Aws
from understudy.sandbox.model import SandboxSpec

Source = Literal["function", "image", "lambda"]
_STREAM = "understudy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable of a function.

    Attributes:
        source: who sets it: the function's configuration, the image, or Lambda.
    """

    name: str
    value: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A function as it runs.

    Attributes:
        name: ``NAME:VERSION``.
        arn: with the qualifier that was asked for.
        digest: of its image.
        spec: of its sandbox.
        own: names that its configuration sets.
        of_image: names that its image sets.
    """

    name: str
    arn: str
    digest: str
    spec: SandboxSpec
    own: frozenset[str]
    of_image: frozenset[str]

    def variables(self) -> tuple[Variable, ...]:
        """The environment of its entry point, by name, without AWS_LAMBDA_RUNTIME_API."""
        found = self.spec.environment.items()
        return tuple(
            Variable(name=name, value=value, source=self._source(name)) for name, value in sorted(found)
        )

    def _source(self, name: str) -> Source:
        if name in self.own:
            return "function"
        return "image" if name in self.of_image else "lambda"


def describe(aws: Aws, store: Store, function: str, endpoint: str) -> Described:
    """The function ``NAME`` or ``NAME:QUALIFIER`` of a stack on this machine.

    Args:
        aws: clients of the stack's endpoint.
        store: holds its image.
        function: which one.
        endpoint: what its AWS_ENDPOINT_URL says, unless it sets one itself.

    Raises:
        UnderstudyError: there is no such function, or its image is not in the store.
    """
    answer = aws.call(aws.lambda_().get_function, FunctionName=function)
    configuration = answer["Configuration"]
    digest = answer["Code"].get("ResolvedImageUri", "").rpartition("@")[2]
    if not digest:
        raise UnderstudyError(
            "function-image",
            f"{function} runs no image",
            hint="./understudy get Function lists those that do",
        )
    image = store.image(digest)
    version = _version(configuration, digest)
    prepared = PreparedImage(image=image, rootfs=rootfs.prepare(store, digest))
    spec = environments.sandbox_spec(
        Function(id=_id(configuration["FunctionArn"]), versions={version.number: version}),
        version,
        prepared,
        log_stream=_STREAM,
        endpoint_url=endpoint,
    )
    own = (configuration.get("Environment") or {}).get("Variables") or {}
    return Described(
        name=f"{configuration['FunctionName']}:{version.number}",
        arn=configuration["FunctionArn"],
        digest=digest,
        spec=spec,
        own=frozenset(own),
        of_image=frozenset(name for name, _ in image.config.env),
    )


def _id(arn: str) -> FunctionId:
    """``arn:aws:lambda:REGION:ACCOUNT:function:NAME`` and what may follow."""
    _, _, _, region, account, _, name, *_ = arn.split(":")
    return FunctionId(account_id=account, region=region, name=name)


def _version(configuration: Mapping[str, Any], digest: str) -> Version:
    logging = configuration.get("LoggingConfig") or {}
    image = (configuration.get("ImageConfigResponse") or {}).get("ImageConfig")
    settings = Settings(
        role=configuration.get("Role", ""),
        logging=Logging(
            group=logging.get("LogGroup", ""),
            log_format=logging.get("LogFormat", "Text"),
            application_level=logging.get("ApplicationLogLevel"),
        ),
        timeout_s=configuration["Timeout"],
        memory_mb=configuration["MemorySize"],
        ephemeral_mb=(configuration.get("EphemeralStorage") or {}).get("Size", 512),
        environment=(configuration.get("Environment") or {}).get("Variables"),
        image=_overrides(image) if image else None,
    )
    return Version(
        number=configuration["Version"],
        code=Code(image_uri="", resolved_uri="", digest=digest),
        settings=settings,
        content_id="",
        revision_id="",
        last_modified="",
    )


def _overrides(image: Mapping[str, Any]) -> ImageOverrides:
    entry_point, command = image.get("EntryPoint"), image.get("Command")
    return ImageOverrides(
        entry_point=tuple(entry_point) if entry_point is not None else None,
        command=tuple(command) if command is not None else None,
        working_directory=image.get("WorkingDirectory"),
    )
