"""Decides what is to be done; pure. The plan that is printed is the plan that runs."""

from collections.abc import Mapping
from dataclasses import replace

from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, ImageBinding, ResourceKey, Stack
from understudy.reconcile import adoption, compare, managers, observe
from understudy.reconcile.model import (
    IMAGE,
    Action,
    Change,
    Observed,
    ObservedResource,
    Plan,
    Verb,
)
from understudy.reconcile.services import lambda_

# What a replacement costs, beside the resource itself.
_LOST: Mapping[str, str] = {
    "API": ": its id changes, and with it the URL that callers use",
    "Alias": ": callers are refused until the new one is there",
    "Bucket": ": its objects would be lost",
    "Function": ": its versions, aliases, URL and provisioned concurrency go with it",
    "FunctionURLConfig": ": the URL that callers use changes",
    "LogGroup": ": its log events are lost",
    "Queue": ": its messages would be lost",
    "Topic": ": its subscriptions would be lost",
    "RestAPI": ": its id changes, and with it the URL that callers use",
    "Repository": ": its images would be lost",
    "Role": ": what assumes it by its id has to be told anew",
    "Table": ": its items would be lost",
}
_GONE: frozenset[Verb] = frozenset({"create", "replace"})


def plan(desired: Stack, observed: Observed) -> Plan:
    """What turns the observed resources into the desired ones.

    Raises:
        UnderstudyError: a manifest asks for something that cannot be applied.
    """
    stack = {resource.key: resource for resource in desired}
    actions: dict[ResourceKey, Action] = {}
    for resource in desired:
        _check(resource)
        for key in resource.dependencies:
            if key.kind == IMAGE and key not in actions:
                actions[key] = _image(_binding(desired, key), observed, stack)
        actions[resource.key] = _action(resource, observed, actions)
    return Plan(actions=tuple(actions.values()), images=desired.images)


def decide(desired: DesiredResource, existing: ObservedResource | None) -> Action:
    """What is to be done about one resource whose values are filled in as far as they are known."""
    manager = managers.of(desired.key.kind)
    spec = {**manager.defaults, **desired.spec}
    base = Action(
        key=desired.key,
        verb="unchanged",
        desired=replace(desired, spec={name: value for name, value in spec.items() if value is not None}),
        observed=existing,
        dependencies=desired.dependencies,
    )
    if existing is None:
        return replace(base, verb="create")
    changes = compare.changes(desired.key.kind, spec, existing.spec)
    if any(change.field in manager.immutable for change in changes):
        reason = _immutable(changes, manager.immutable) + _LOST.get(desired.key.kind, "")
        return replace(base, verb="replace", changes=changes, reason=reason)
    if changes:
        return replace(base, verb="update", changes=changes)
    if not existing.ready:
        return replace(base, verb="wait", reason=existing.reason)
    return base


def _action(resource: DesiredResource, observed: Observed, actions: Mapping[ResourceKey, Action]) -> Action:
    stays = {
        key: found
        for key, found in observed.resources.items()
        if key not in actions or actions[key].verb not in _GONE
    }
    existing = stays.get(resource.key)
    action = decide(observe.fill(resource, stays), existing)
    if existing and adoption.is_foreign(resource, existing):
        action = replace(action, foreign=True, reason=adoption.whose(existing))
    if resource.auto_publish:
        return _publication(action, actions)
    return action


def _publication(action: Action, actions: Mapping[ResourceKey, Action]) -> Action:
    """A version that follows its function is new whenever the function's code or configuration is."""
    functions = [actions[key] for key in action.dependencies if key.kind == "Function"]
    for function in functions:
        changed = {change.field for change in function.changes} & lambda_.PUBLISHED
        if function.verb in _GONE or changed:
            return replace(action, verb="create", observed=None, changes=(), reason=f"{function.key} changes")
    if action.verb == "create":
        return replace(action, reason="no version holds the function as it is")
    return action


def _image(image: ImageBinding, observed: Observed, stack: Mapping[ResourceKey, DesiredResource]) -> Action:
    key = ResourceKey(IMAGE, image.name)
    repository = ResourceKey("Repository", image.repository)
    existing = observed.get(key)
    wanted = DesiredResource(
        key=key,
        spec={"digest": image.digest, "tags": list(image.tags)},
        document={},
        dependencies=(repository,),
        where=stack[repository].where,
    )
    have = existing.spec.get("tags") if existing else None
    if isinstance(have, list | tuple) and set(have) >= set(image.tags):
        verb: Verb = "unchanged"
        changes: tuple[Change, ...] = ()
    else:
        verb = "update" if existing else "create"
        changes = (Change(path="tags", old=have, new=list(image.tags)),) if existing else ()
    return Action(
        key=key,
        verb=verb,
        changes=changes,
        reason=image.digest if verb == "create" else "",
        desired=wanted,
        observed=existing,
        dependencies=(repository,),
    )


def _binding(desired: Stack, key: ResourceKey) -> ImageBinding:
    return next(image for image in desired.images if image.name == key.name)


def _check(resource: DesiredResource) -> None:
    """Refuses fields that are valid and that nothing here would apply."""
    manager = managers.of(resource.key.kind)
    for name in resource.spec:
        if name not in manager.supported:
            why = manager.refused.get(name, "understudy does not apply it")
            raise UnderstudyError(
                "field-unsupported",
                f"spec.{name} of {resource.key} is valid ACK, but {why}",
                hint=f"remove spec.{name}",
                where=resource.where,
            )


def _immutable(changes: tuple[Change, ...], immutable: frozenset[str]) -> str:
    paths = ", ".join(change.path for change in changes if change.field in immutable)
    return f"{paths} cannot change in place"
