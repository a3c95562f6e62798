"""Finds in a stack which functions are released: with which image, behind which aliases, reached how."""

from collections.abc import Iterator, Mapping

from understudy.manifests.model import DesiredResource, ResourceKey, Stack
from understudy.reconcile import release
from understudy.reconcile.manager import text
from understudy.reconcile.model import IMAGE
from understudy.reconcile.rollout.model import Subject


def of_stack(stack: Stack) -> dict[str, Subject]:
    """The functions that run an image of the project, by name."""
    doors, whole = _doors(stack), _whole(stack)
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
            stage=stage(stack, door),
            is_whole=door is None or door.kind != "RestAPI" or function.key in whole,
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
    staged = {key for one in stack.of_kind("RestStage") for key in one.dependencies}
    for integration in _rest(stack):
        apis = [key for key in integration.dependencies if key.kind == "RestAPI" and key in staged]
        for function in _functions(stack, integration) if apis else ():
            found.setdefault(function, apis[0])
    return found


def _rest(stack: Stack) -> Iterator[DesiredResource]:
    """What of REST APIs hands requests over as they are."""
    return (one for one in stack.of_kind("RestIntegration") if text(one.spec, "type") == "AWS_PROXY")


def _whole(stack: Stack) -> set[ResourceKey]:
    """The functions that a REST API hands a GET of every path: ``{proxy+}``, or its like, below the root."""
    found: set[ResourceKey] = set()
    for integration in _rest(stack):
        paths = [stack.get(key) for key in integration.dependencies if key.kind == "Resource"]
        is_greedy = any(
            path is not None
            and text(path.spec, "pathPart").endswith("+}")
            and not any(key.kind == "Resource" for key in path.dependencies)
            for path in paths
        )
        if is_greedy and text(integration.spec, "httpMethod") in ("ANY", "GET"):
            found.update(_functions(stack, integration))
    return found


def _functions(stack: Stack, resource: DesiredResource) -> list[ResourceKey]:
    """The functions that a resource leads to, directly or by an alias."""
    found = [key for key in resource.dependencies if key.kind == "Function"]
    aliases = [stack.get(key) for key in resource.dependencies if key.kind == "Alias"]
    return [*found, *(key for alias in aliases if alias for key in _functions(stack, alias))]


def stage(stack: Stack, door: ResourceKey | None) -> str:
    """The stage of an API that callers use; ``$default`` where there is one, and for what has none."""
    known = [*stack.of_kind("Stage"), *stack.of_kind("RestStage")]
    stages = [text(one.spec, "stageName") for one in known if door in one.dependencies]
    return "$default" if "$default" in stages or not stages else stages[0]
