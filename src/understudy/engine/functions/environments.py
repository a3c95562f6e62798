"""Makes the execution environment of a version: effective command, process environment, log stream.

Credentials inside are the account id as access key: the engine and its delegate take the account from it, so
a call from inside lands where the function lives. Refuses to run an image of another architecture, the way
AWS does: not at creation but at its first run.
"""

import weakref
from collections.abc import Callable
from dataclasses import replace

from understudy.engine.functions.images import Images, PreparedImage
from understudy.engine.functions.logs import Append, LogWriter, stream_name
from understudy.engine.functions.mismatch import WrongArchitecture
from understudy.engine.functions.model import Function, ImageOverrides, Version
from understudy.engine.functions.pool import Environment
from understudy.image.rootfs_view import RootfsView
from understudy.sandbox import extensions
from understudy.sandbox.model import FunctionEnvironment, SandboxSpec, lambda_environment

CreateEnvironment = Callable[[SandboxSpec, Callable[[bytes], None]], Environment]

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
_PROVISIONED = {"AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"}
# Or the function's timeout, whichever is higher:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
_PROVISIONED_INIT_S = 130
_SECRET = "understudy"  # noqa: S105 - nothing here checks it


class EnvironmentMaker:
    """Turns versions into environments; the constructor only stores."""

    def __init__(
        self,
        images: Images,
        create: CreateEnvironment,
        append: Append,
        *,
        endpoint_url: str | None,
        log_delay_s: float,
        now: Callable[[], float],
    ) -> None:
        self._images = images
        self._create = create
        self._append = append
        self._endpoint_url = endpoint_url
        self._log_delay_s = log_delay_s
        self._now = now
        self._writers: weakref.WeakSet[LogWriter] = weakref.WeakSet()

    def make(self, function: Function, version: Version, *, provisioned: bool = False) -> Environment:
        """A new environment of `version`, not started yet; `provisioned` is what it shall say of itself.

        Raises:
            ImageUnusableError: the image is gone from the store.
        """
        image = self._images.prepared(version.code.digest)
        writer = LogWriter(
            self._append,
            function.id,
            version.settings.logging.group,
            stream_name(version, self._now()),
            now=self._now,
            delay_s=self._log_delay_s,
        )
        self._writers.add(writer)
        spec = sandbox_spec(
            function, version, image, log_stream=writer.stream, endpoint_url=self._endpoint_url
        )
        if provisioned:
            spec = replace(
                spec,
                environment={**spec.environment, **_PROVISIONED},
                init_timeout_s=max(_PROVISIONED_INIT_S, spec.timeout_s),
            )
        if image.architecture != version.code.architecture:
            return WrongArchitecture(spec, writer.write)
        return self._create(spec, writer.write)

    def flush(self) -> None:
        """Stores every log line that is still on its way."""
        for writer in list(self._writers):
            writer.flush()


def sandbox_spec(
    function: Function,
    version: Version,
    image: PreparedImage,
    *,
    log_stream: str,
    endpoint_url: str | None,
) -> SandboxSpec:
    """What the sandbox needs to know of `version`."""
    settings, config = version.settings, image.image.config
    logging = settings.logging
    overrides = settings.image or ImageOverrides()
    working_dir = overrides.working_directory or config.working_dir
    variables = dict(settings.environment or {})
    own = {name for name, _ in config.env} | variables.keys()
    if endpoint_url and "AWS_ENDPOINT_URL" not in own:
        variables["AWS_ENDPOINT_URL"] = endpoint_url
    application_level = logging.application_level or "INFO"
    if logging.log_format == "JSON":
        # The runtime client formats the function's own lines by these.
        variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        variables["AWS_LAMBDA_LOG_LEVEL"] = application_level
    environment = lambda_environment(
        FunctionEnvironment(
            function_name=function.id.name,
            function_version=version.number,
            memory_mb=settings.memory_mb,
            region=function.id.region,
            log_group=logging.group,
            log_stream=log_stream,
            image=config.env,
            function=variables,
            access_key_id=function.id.account_id,
            secret_access_key=_SECRET,
            session_token=_SECRET,
            working_dir=working_dir,
        )
    )
    return SandboxSpec(
        rootfs=image.rootfs,
        entrypoint=config.entrypoint if overrides.entry_point is None else overrides.entry_point,
        command=config.cmd if overrides.command is None else overrides.command,
        working_dir=working_dir,
        environment=environment,
        memory_mb=settings.memory_mb,
        ephemeral_mb=settings.ephemeral_mb,
        timeout_s=settings.timeout_s,
        function_name=function.id.name,
        function_version=version.number,
        extensions=extensions.external(RootfsView(image.rootfs)),
        log_format="JSON" if logging.log_format == "JSON" else "Text",
        system_level=logging.system_level or "INFO",
        application_level=application_level,
    )
