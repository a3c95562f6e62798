"""How the functions of a stack run an image: what their manifests say over the image's own config.

Pure. Refuses nothing: values that AWS would refuse are for the rules of `verify` to find.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from understudy.manifests import render
from understudy.manifests.model import DesiredResource, Json, JsonMap, ResourceKey, Stack
from understudy.reconcile.model import IMAGE
from understudy.verify.model import Architecture
from understudy.verify.subject import LaunchOverrides

_ARCHITECTURES: Mapping[str, Architecture] = {"x86_64": "x86_64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionLaunch:
    """One function that runs an image.

    Attributes:
        image: name of the image in the project file.
        function: AWS name of the function; empty for an image that no function runs.
        overrides: what it says.
        where: file and line of its manifest.
    """

    image: str
    function: str
    overrides: LaunchOverrides
    where: str = ""


def of_image(stack: Stack, image: str, *, size_budget_bytes: int) -> tuple[FunctionLaunch, ...]:
    """The functions of the stack that run `image`; one without a function when none does."""
    found = tuple(
        _launch(function, image, size_budget_bytes)
        for function in stack.of_kind("Function")
        if ResourceKey(IMAGE, image) in function.dependencies
    )
    bare = LaunchOverrides(size_budget_bytes=size_budget_bytes)
    return found or (FunctionLaunch(image=image, function="", overrides=bare),)


def _launch(function: DesiredResource, image: str, size_budget_bytes: int) -> FunctionLaunch:
    spec = render.literal(function.spec)
    name = _text(spec, "name")
    config = _map(spec, "imageConfig")
    overrides = LaunchOverrides(
        entrypoint=_texts(config, "entryPoint"),
        command=_texts(config, "command"),
        working_dir=_text(config, "workingDirectory") or None,
        function_env={key: str(value) for key, value in _map(_map(spec, "environment"), "variables").items()},
        architecture=_architecture(spec),
        memory_mb=int(_number(spec, "memorySize", 128)),
        timeout_s=_number(spec, "timeout", 3),
        ephemeral_mb=int(_number(_map(spec, "ephemeralStorage"), "size", 512)),
        function_name=name,
        snap_start=_text(_map(spec, "snapStart"), "applyOn") == "PublishedVersions",
        size_budget_bytes=size_budget_bytes,
    )
    return FunctionLaunch(image=image, function=name, overrides=overrides, where=function.where)


def _architecture(spec: JsonMap) -> Architecture:
    """The function's architecture; AWS takes x86_64 where none is written."""
    named = _texts(spec, "architectures") or ("x86_64",)
    return _ARCHITECTURES.get(named[0], "x86_64")


def _map(spec: JsonMap, name: str) -> JsonMap:
    value = spec.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(spec: JsonMap, name: str) -> str:
    value = spec.get(name)
    return value if isinstance(value, str) else ""


def _texts(spec: JsonMap, name: str) -> tuple[str, ...] | None:
    value: Json = spec.get(name)
    if isinstance(value, str) or not isinstance(value, Sequence):
        return None
    return tuple(str(item) for item in value)


def _number(spec: JsonMap, name: str, default: float) -> float:
    value = spec.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default
