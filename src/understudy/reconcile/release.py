"""The short way from a new digest to callers: code, version, alias, and nothing else is looked at.

`apply` does the same and looks at the whole stack; this is what a watcher calls on every save.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from understudy.errors import UnderstudyError
from understudy.manifests import references
from understudy.manifests.model import DesiredResource, ResourceKey, Stack
from understudy.reconcile.aws import Aws
from understudy.reconcile.errors import AwsError
from understudy.reconcile.model import IMAGE
from understudy.reconcile.services import lambda_, lambda_release


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Which function and aliases serve an image.

    Attributes:
        function: AWS name of the function.
        aliases: AWS names of the aliases that follow its newest version.
    """

    function: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReport:
    """What a release did.

    Attributes:
        function: AWS name of the function.
        version: the version that the aliases point at; `$LATEST` where there are none.
        changed: False when the function ran this image already.
        duration_s: wall time.
    """

    function: str
    version: str
    changed: bool
    duration_s: float


def of_image(stack: Stack, image: str) -> tuple[Release, ...]:
    """The functions that run an image, each with the aliases that follow it."""
    functions = [
        resource
        for resource in stack.of_kind("Function")
        if ResourceKey(IMAGE, image) in resource.dependencies
    ]
    return tuple(
        Release(function=str(function.spec["name"]), aliases=following(stack, function))
        for function in functions
    )


def described(stack: Stack, text: str) -> Stack:
    """The stack whose versions are published with a description, where their manifests give none."""

    def one(resource: DesiredResource) -> DesiredResource:
        if not text or not resource.auto_publish or "description" in resource.spec:
            return resource
        return replace(resource, spec={**resource.spec, "description": text})

    return replace(stack, resources=tuple(one(resource) for resource in stack))


def following(stack: Stack, function: DesiredResource) -> tuple[str, ...]:
    """AWS names of the aliases that follow a function's newest version."""
    versions = {
        version.key
        for version in stack.of_kind("Version")
        if version.auto_publish and function.key in version.dependencies
    }
    return tuple(
        str(alias.spec["name"])
        for alias in stack.of_kind("Alias")
        if any(reference.target in versions for reference in references.unresolved(alias.spec))
    )


def release(aws: Aws, target: Release, image_uri: str) -> ReleaseReport:
    """What was done to make the function and its aliases run `image_uri`, a URI with a digest.

    Raises:
        UnderstudyError: the function does not exist, failed, or was changed by somebody else meanwhile.
    """
    started = aws.clock.now()
    answer = aws.find(aws.lambda_().get_function, FunctionName=target.function)
    if answer is None:
        raise UnderstudyError(
            "function-absent", f"function {target.function} does not exist", hint="./understudy apply"
        )
    latest: Mapping[str, Any] = dict(answer["Configuration"])
    changed = not _runs(dict(answer.get("Code", {})), image_uri)
    version = lambda_.LATEST
    if changed:
        version = _code(aws, target, image_uri, latest)
        _point(aws, target.function, target.aliases, version)
    elif target.aliases:
        version, changed = _aliases(aws, target, latest)
    return ReleaseReport(
        function=target.function, version=version, changed=changed, duration_s=aws.clock.now() - started
    )


def _runs(code: Mapping[str, Any], image_uri: str) -> bool:
    digest = image_uri.partition("@")[2]
    return any(str(code.get(name, "")).endswith(f"@{digest}") for name in ("ImageUri", "ResolvedImageUri"))


def _code(aws: Aws, target: Release, image_uri: str, latest: Mapping[str, Any]) -> str:
    """The version with the new code, usable; one call updates and publishes, so no state lies between."""
    if latest.get("LastUpdateStatus") == "InProgress":
        lambda_.settled(aws, target.function)
    publish = bool(target.aliases)
    answer = aws.call(
        aws.lambda_().update_function_code, FunctionName=target.function, ImageUri=image_uri, Publish=publish
    )
    version = str(answer["Version"]) if publish else lambda_.LATEST
    lambda_.settled(aws, target.function, version if publish else None)
    return version


def _aliases(aws: Aws, target: Release, latest: Mapping[str, Any]) -> tuple[str, bool]:
    """The version that all aliases point at now, and whether one had to move: ends what was interrupted."""
    points = {
        name: aws.call(aws.lambda_().get_alias, FunctionName=target.function, Name=name)["FunctionVersion"]
        for name in target.aliases
    }
    version = next(iter(points.values()))
    if not _holds(aws, target.function, version, latest):
        version = lambda_release.publish(aws, target.function, {})
    moved = [name for name, number in points.items() if number != version]
    _point(aws, target.function, moved, version)
    return version, bool(moved)


def _point(aws: Aws, function: str, aliases: Iterable[str], version: str) -> None:
    for name in aliases:
        aws.call(aws.lambda_().update_alias, FunctionName=function, Name=name, FunctionVersion=version)


def _holds(aws: Aws, function: str, version: str, latest: Mapping[str, Any]) -> bool:
    try:
        found = aws.call(aws.lambda_().get_function_configuration, FunctionName=function, Qualifier=version)
    except AwsError as exc:
        if exc.aws_code == "ResourceNotFoundException":
            return False
        raise
    return lambda_release.same_release(dict(found), latest)
