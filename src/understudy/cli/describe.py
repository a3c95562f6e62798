"""``understudy describe``: one resource as the manifest says and as the target has it."""

import click

from understudy.cli import console, plan_view, target_option
from understudy.errors import UnderstudyError
from understudy.manifests import errors
from understudy.reconcile import conditions, redact


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
                    **plan_view.state_document(state),
                    "spec": redact.spec(action.desired.spec) if action.desired else None,
                    "observed": redact.spec(state.observed.spec) if state.observed else None,
                    "changes": plan_view.change_documents(action.changes),
                }
            )
            return
    close = errors.nearest(resource, [str(action.key) for action in plan.actions])
    raise UnderstudyError(
        "resource-unknown",
        f"{resource} is no resource of the stack",
        hint=f"./understudy describe {close}" if close else "./understudy get lists them",
    )
