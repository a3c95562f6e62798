"""Finds in a stack which functions are released: with which image, behind which aliases, reached how."""

from collections.abc import Mapping

from understudy.manifests.model import DesiredResource, ResourceKey, Stack
from understudy.reconcile import release
from understudy.reconcile.manager import text
from understudy.reconcile.model import IMAGE
from understudy.reconcile.rollout.model import Subject


def of_stack(stack: Stack) -> dict[str, Subject]:
    """The functions that run an image of the project, by name."""
    doors = _doors(stack)
    digests = {image.name: image.digest for image in stack.images}
    found: dict[str, Subject] = {}
    for function in stack.of_kind("Function"):
        images = [key.name for key in function.dependencies if key.kind == IMAGE]
        if not images:
            continue
        door = doors.get(function.key)
        name = text(function.spec, "name")
        found[name] = Subject(
            key=function.key,
            function=name,
            digest=digests[images[0]],
            aliases=release.following(stack, function),
            door=door,
            stage=_stage(stack, door),
        )
    return found


def _doors(stack: Stack) -> Mapping[ResourceKey, ResourceKey]:
    """The API or open function URL in front of each function that has one."""
    found: dict[ResourceKey, ResourceKey] = {}
    for integration in stack.of_kind("Integration"):
        apis = [key for key in integration.dependencies if key.kind == "API"]
        found.update({function: apis[0] for function in _functions(stack, integration) if apis})
    for url in stack.of_kind("FunctionURLConfig"):
        if text(url.spec, "authType") == "NONE":
            for function in _functions(stack, url):
                found.setdefault(function, url.key)
    return found


def _functions(stack: Stack, resource: DesiredResource) -> list[ResourceKey]:
    """The functions that a resource leads to, directly or by an alias."""
    found = [key for key in resource.dependencies if key.kind == "Function"]
    aliases = [stack.get(key) for key in resource.dependencies if key.kind == "Alias"]
    return [*found, *(key for alias in aliases if alias for key in _functions(stack, alias))]


def _stage(stack: Stack, door: ResourceKey | None) -> str:
    stages = [text(one.spec, "stageName") for one in stack.of_kind("Stage") if door in one.dependencies]
    return "$default" if "$default" in stages or not stages else stages[0]
