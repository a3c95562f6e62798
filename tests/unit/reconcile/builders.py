"""Short ways to say what is desired and observed."""

from collections.abc import Mapping

from understudy.manifests.model import DesiredResource, Json, ResourceKey
from understudy.reconcile import managers, plan
from understudy.reconcile.aws import Aws
from understudy.reconcile.model import ObservedResource


def key(text: str) -> ResourceKey:
    """`Kind/name` as a key."""
    kind, _, name = text.partition("/")
    return ResourceKey(kind, name)


def desired(
    name: str, spec: Mapping[str, Json], *needs: str, retain: bool = False, follow: bool = False
) -> DesiredResource:
    """A rendered resource."""
    return DesiredResource(
        key=key(name),
        spec=dict(spec),
        document={},
        dependencies=tuple(key(need) for need in needs),
        retain=retain,
        auto_publish=follow,
        where="a.yaml:1",
    )


def observed(name: str, spec: Mapping[str, Json], *, ready: bool = True, **status: str) -> ObservedResource:
    """A resource as AWS has it."""
    return ObservedResource(
        key=key(name), spec=dict(spec), status=status, ready=ready, reason="" if ready else "still changing"
    )


def reconcile(aws: Aws, wanted: DesiredResource) -> str:
    """Observes, decides and does what is to be done about one resource; returns the verb."""
    manager = managers.of(wanted.key.kind)
    action = plan.decide(wanted, manager.observe(aws, wanted))
    assert action.desired is not None
    if action.verb == "create":
        manager.create(aws, action.desired)
    elif action.verb == "update":
        assert action.observed is not None
        manager.update(aws, action.desired, action.observed, action.changes)
    return action.verb
