"""Decides what goes when resources are taken away; pure.

Users go before what they use. What holds data, what a manifest says to retain and what is not of the stack
stays; the first two go when they are allowed to by name.
"""

from collections.abc import Collection, Iterable

from understudy.errors import UnderstudyError
from understudy.manifests import errors, kinds, ownership
from understudy.manifests.model import DesiredResource, ResourceKey, Stack
from understudy.reconcile import adoption, managers
from understudy.reconcile.model import Action, Observed, ObservedResource, Plan, Verb


def deletion(
    desired: Stack,
    observed: Observed,
    *,
    only: Collection[ResourceKey] = (),
    allowed: Collection[ResourceKey] = (),
) -> Plan:
    """What takes the stack away, or some of its resources with what hangs below them.

    Args:
        desired: the stack.
        observed: what exists of it.
        only: the resources to take away; all when there are none.
        allowed: resources that may go although they hold data or are to be retained.

    Raises:
        UnderstudyError: a name is no resource of the stack, or something that stays uses what would go.
    """
    _check_known([*only, *allowed], [resource.key for resource in desired])
    chosen = _with_children(desired, only) if only else {resource.key for resource in desired}
    actions: list[Action] = []
    for resource in reversed(desired.resources):
        existing = observed.get(resource.key)
        if existing is None or resource.key not in chosen:
            continue
        users = [other.key for other in desired if resource.key in other.dependencies]
        why = _stays(resource, existing, allowed)
        if not why:
            _check_unused(resource.key, [user for user in users if user not in chosen and observed.get(user)])
        actions.append(
            Action(
                key=resource.key,
                verb="retain" if why else "delete",
                reason=why,
                desired=resource,
                observed=existing,
                dependencies=tuple(users),
            )
        )
    return Plan(actions=tuple(actions))


def pruning(orphans: Iterable[ObservedResource], *, allowed: Collection[ResourceKey] = ()) -> Plan:
    """What takes away resources that the stack made and whose manifests are gone, in an order that works.

    Args:
        orphans: those resources, with their tags.
        allowed: those that may go although they hold data or were to be retained.

    Raises:
        UnderstudyError: an allowed name is none of them.
    """
    ranked = sorted(orphans, key=lambda orphan: _rank(orphan.key.kind))
    _check_known(allowed, [orphan.key for orphan in ranked])
    actions: list[Action] = []
    for orphan in ranked:
        retained = ownership.RETAIN in ownership.tags(orphan.key.kind, orphan.spec)
        why = _kept(orphan.key, retained, allowed)
        earlier = tuple(one.key for one in actions)
        verb: Verb = "retain" if why else "delete"
        actions.append(
            Action(
                key=orphan.key,
                verb=verb,
                reason=why or _LEFT.get(orphan.key.kind, ""),
                desired=DesiredResource(key=orphan.key, spec=orphan.spec, document={}),
                observed=orphan,
                dependencies=earlier,
            )
        )
    return Plan(actions=tuple(actions))


_LEFT = {"Version": "left by coldstart"}
_ORDER = ("EventSourceMapping", "Route", "Function", "API", "RestAPI", "LogGroup", "Role", "Policy")


def _rank(kind: str) -> tuple[bool, int]:
    """What hangs below something goes first, a route before what it calls, a role before its policies."""
    return (not kinds.KINDS[kind].parent, _ORDER.index(kind) if kind in _ORDER else len(_ORDER))


def _stays(resource: DesiredResource, existing: ObservedResource, allowed: Collection[ResourceKey]) -> str:
    if adoption.is_foreign(resource, existing):
        return adoption.whose(existing)
    return _kept(resource.key, resource.retain, allowed)


def _kept(key: ResourceKey, retained: bool, allowed: Collection[ResourceKey]) -> str:
    if key in allowed or not (retained or managers.of(key.kind).holds_data):
        return ""
    why = "it holds data" if managers.of(key.kind).holds_data else "its manifest says retain"
    return f"{why}; --allow-delete {key} takes it away"


def _with_children(desired: Stack, only: Collection[ResourceKey]) -> set[ResourceKey]:
    chosen = set(only)
    for resource in desired:
        parents = [key for key in resource.dependencies if key.kind == kinds.KINDS[resource.key.kind].parent]
        if chosen & set(parents):
            chosen.add(resource.key)
    return chosen


def _check_known(names: Iterable[ResourceKey], known: Collection[ResourceKey]) -> None:
    for name in names:
        if name not in known:
            listed = ", ".join(map(str, known)) or "none"
            close = errors.nearest(str(name), [str(key) for key in known])
            raise UnderstudyError(
                "resource-unknown",
                f"{name} is none of these resources: {listed}",
                hint=f"write {close}" if close else "name one of them",
            )


def _check_unused(key: ResourceKey, users: Collection[ResourceKey]) -> None:
    if users:
        named = " ".join(map(str, (key, *users)))
        raise UnderstudyError(
            "resource-used",
            f"{key} is used by {', '.join(map(str, users))}",
            hint=f"./understudy delete {named}",
        )
