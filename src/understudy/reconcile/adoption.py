"""Whether a resource that exists belongs to the stack, and how it comes to; pure.

The tags decide, and what hangs below a function or an API belongs to whom that belongs to. On AWS nothing
is taken over unasked: somebody else's resource may have the name.
"""

from collections.abc import Iterable
from dataclasses import replace

from understudy.errors import UnderstudyError
from understudy.manifests import errors, ownership
from understudy.manifests.model import DesiredResource, ResourceKey
from understudy.reconcile import managers
from understudy.reconcile.model import Action, Change, ObservedResource, Plan


def is_foreign(desired: DesiredResource, observed: ObservedResource) -> bool:
    """Whether a resource lacks the tag of the stack that its manifest belongs to."""
    wanted = ownership.tags(desired.key.kind, desired.spec).get(ownership.STACK)
    return wanted is not None and _stack(observed) != wanted


def whose(observed: ObservedResource) -> str:
    """Whom a foreign resource belongs to, as a reason."""
    stack = _stack(observed)
    return f"belongs to stack {stack}" if stack else "exists, and carries no tag of this stack"


def check(plan: Plan) -> None:
    """Returns when the plan takes nothing over.

    Raises:
        UnderstudyError: it would; nothing has been written.
    """
    foreign = [action for action in plan.actions if action.foreign]
    if foreign:
        names = " ".join(str(action.key) for action in foreign)
        raise UnderstudyError(
            "resource-foreign",
            "; ".join(f"{action.key} {action.reason}" for action in foreign),
            hint=f"./understudy adopt {names}, with the same --target, or choose another spec.name",
            where=foreign[0].desired.where if foreign[0].desired else None,
        )


def adoption(plan: Plan, keys: Iterable[ResourceKey]) -> Plan:
    """What puts the stack's tags on resources that exist, and changes nothing else about them.

    Raises:
        UnderstudyError: the stack has no such resource, or it does not exist.
    """
    known = {action.key: action for action in plan.actions}
    return Plan(actions=tuple(_tagging(known, key) for key in keys))


def _tagging(known: dict[ResourceKey, Action], key: ResourceKey) -> Action:
    action = known.get(key)
    if action is None or action.desired is None:
        raise UnderstudyError(
            "resource-unknown",
            f"{key} is no resource of the stack",
            hint=errors.suggestion(str(key), [str(one) for one in known]),
        )
    observed = action.observed
    if observed is None:
        raise UnderstudyError(
            "resource-absent",
            f"{key} does not exist",
            hint="./understudy apply, with the same --target, creates it",
        )
    if not action.foreign:
        return replace(action, verb="unchanged", changes=(), dependencies=())
    have = ownership.tags(key.kind, observed.spec)
    wanted = ownership.tags(key.kind, action.desired.spec)
    own = {name: text for name, text in wanted.items() if name.startswith(ownership.PREFIX)}
    manager = managers.of(key.kind)
    known_fields = {name: value for name, value in observed.spec.items() if name in manager.supported}
    # Authoritative where they are left out, and here everything is to stay as it is.
    spec = {**dict.fromkeys(manager.defaults), **known_fields}
    return replace(
        action,
        verb="update",
        changes=tuple(
            Change(path=f"tags.{name}", old=have.get(name), new=text)
            for name, text in own.items()
            if have.get(name) != text
        ),
        desired=replace(action.desired, spec=ownership.with_tags(key.kind, spec, {**have, **own})),
        dependencies=(),
    )


def _stack(observed: ObservedResource) -> str | None:
    return ownership.tags(observed.key.kind, observed.spec).get(ownership.STACK)
