"""The short way from a new digest to callers: code, version, alias, and nothing else is looked at.

`apply` does the same and looks at the whole stack; this is what a watcher calls on every save.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy.errors import UnderstudyError
from understudy.manifests import references
from understudy.manifests.model import DesiredResource, ResourceKey, Stack
from understudy.reconcile import lambda_, lambda_release
from understudy.reconcile.aws import Aws
from understudy.reconcile.errors import AwsError
from understudy.reconcile.model import IMAGE


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
        Release(function=str(function.spec["name"]), aliases=_following(stack, function))
        for function in functions
    )


def _following(stack: Stack, function: DesiredResource) -> tuple[str, ...]:
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
    if changed:
        _code(aws, target.function, image_uri, latest)
        latest = lambda_.settled(aws, target.function)
    version = lambda_.LATEST
    if target.aliases:
        version, moved = _aliases(aws, target, latest, changed)
        changed = changed or moved
    return ReleaseReport(
        function=target.function, version=version, changed=changed, duration_s=aws.clock.now() - started
    )


def _runs(code: Mapping[str, Any], image_uri: str) -> bool:
    digest = image_uri.partition("@")[2]
    return any(str(code.get(name, "")).endswith(f"@{digest}") for name in ("ImageUri", "ResolvedImageUri"))


def _code(aws: Aws, function: str, image_uri: str, latest: Mapping[str, Any]) -> None:
    if latest.get("LastUpdateStatus") == "InProgress":
        lambda_.settled(aws, function)
    aws.call(aws.lambda_().update_function_code, FunctionName=function, ImageUri=image_uri)


def _aliases(aws: Aws, target: Release, latest: Mapping[str, Any], changed: bool) -> tuple[str, bool]:
    """The version that all aliases point at now, and whether one had to move."""
    client = aws.lambda_()
    points = {
        name: aws.call(client.get_alias, FunctionName=target.function, Name=name)["FunctionVersion"]
        for name in target.aliases
    }
    current = next(iter(points.values()))
    if not changed and _holds(aws, target.function, current, latest):
        version = current
    else:
        version = lambda_release.publish(aws, target.function, {})
    moved = [name for name, number in points.items() if number != version]
    for name in moved:
        aws.call(client.update_alias, FunctionName=target.function, Name=name, FunctionVersion=version)
    return version, bool(moved)


def _holds(aws: Aws, function: str, version: str, latest: Mapping[str, Any]) -> bool:
    try:
        found = aws.call(aws.lambda_().get_function_configuration, FunctionName=function, Qualifier=version)
    except AwsError as exc:
        if exc.aws_code == "ResourceNotFoundException":
            return False
        raise
    return lambda_release.same_release(dict(found), latest)
