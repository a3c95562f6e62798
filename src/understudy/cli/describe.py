"""``understudy describe``: one resource as the manifest says and as the target has it."""

import click

from understudy.cli import console, target_option
from understudy.errors import UnderstudyError
from understudy.reconcile import conditions


@click.command("describe")
@click.argument("resource")
@target_option.target_option
def command(resource: str, target_name: str) -> None:
    """Show one RESOURCE, written KIND/NAME as `get` lists it, with what differs."""
    found, deployment = target_option.deployment_of(target_name)
    _, _, plan = deployment.plan(deployment.built(), target_option.image_tags(found))
    for state in conditions.states(plan):
        if str(state.key).lower() == resource.lower():
            action = next(action for action in plan.actions if action.key == state.key)
            console.print_json(
                {
                    "resource": str(state.key),
                    "conditions": state.conditions,
                    "spec": action.desired.spec if action.desired else None,
                    "observed": state.observed,
                    "changes": action.changes,
                }
            )
            return
    raise UnderstudyError(
        "resource-unknown", f"{resource} is no resource of the stack", hint="understudy get lists them"
    )
