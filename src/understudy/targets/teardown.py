"""Takes a stack away from a target, or what its manifests hold no longer; and takes over what is there.

Needs no built image: which digest a function runs does not matter to what is deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.reconcile import adoption, orphans, removal
from understudy.reconcile import apply as applier
from understudy.reconcile import observe as observer
from understudy.reconcile import plan as planner
from understudy.targets import stack as stacks

if TYPE_CHECKING:
    from collections.abc import Collection

    from understudy.manifests.model import ResourceKey, Stack
    from understudy.reconcile.aws import Aws
    from understudy.reconcile.model import ApplyReport, Observed, OnEvent, Plan
    from understudy.targets.target import Target
    from understudy.targets.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Teardown:
    """One workspace on one target, and what exists of its stack.

    Attributes:
        workspace: the project.
        target: where its stack runs.
        aws: the target's clients.
        stack: the rendered manifests, with no digest in particular.
        observed: what exists of them.
    """

    workspace: Workspace
    target: Target
    aws: Aws
    stack: Stack
    observed: Observed

    def deletion(self, only: Collection[ResourceKey], allowed: Collection[ResourceKey]) -> Plan:
        """What takes the stack away, or only some resources of it.

        Raises:
            UnderstudyError: a name is no resource of the stack, or something that stays uses what would go.
        """
        return removal.deletion(self.stack, self.observed, only=only, allowed=allowed)

    def pruning(self, allowed: Collection[ResourceKey]) -> Plan:
        """What takes away resources of this stack that its manifests hold no longer.

        Raises:
            UnderstudyError: an allowed name is none of them, or AWS refused to list something.
        """
        project = self.workspace.project.project
        return removal.pruning(orphans.find(self.aws, self.observed, project), allowed=allowed)

    def adoption(self, keys: Collection[ResourceKey]) -> Plan:
        """What puts the stack's tags on resources that exist.

        Raises:
            UnderstudyError: the stack has no such resource, or it does not exist.
        """
        return adoption.adoption(planner.plan(self.stack, self.observed), keys)

    def carry_out(self, plan: Plan, on_event: OnEvent) -> ApplyReport:
        """Returns what was done of a plan.

        Raises:
            UnderstudyError: something could not be done, or another process writes to this target.
        """
        lock = self.workspace.layout.apply_lock(self.target.name)
        return applier.apply(plan, self.aws, on_event, lock_path=lock)


def look(workspace: Workspace, target: Target) -> Teardown:
    """Returns the stack as the manifests say and as the target has it.

    Raises:
        UnderstudyError: the target is not the one that it should be, or a manifest is wrong.
    """
    target.guard()
    aws = target.session()
    digests = stacks.any_digests(workspace.project)
    stack = stacks.load(workspace.root, workspace.project, target, digests)
    return Teardown(
        workspace=workspace, target=target, aws=aws, stack=stack, observed=observer.observe(stack, aws)
    )
