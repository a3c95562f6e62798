"""``understudy diff``: what apply would change; the plan is the one that apply runs."""

import sys

import click

from understudy.cli import console, plan_view, target_option

_CHANGES = 2


@click.command("diff")
@target_option.target_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes.")
@console.output_option
def command(target_name: str, detailed_exitcode: bool, output: str) -> None:
    """Show what apply would change, field by field; `plan` is another name for it.

    + create, ~ update, ± replace with what is lost by it, - delete, = retain, ! exists and is not of this
    stack (see adopt). Policies are compared as JSON, and shown by the paths in which they differ.
    """
    found, deployment = target_option.deployment_of(target_name)
    _, _, plan = deployment.plan(deployment.built(), target_option.image_tags(found))
    for notice in deployment.notices:
        click.echo(f"note: {notice}", err=True)
    if output == "json":
        console.print_json(plan_view.document(plan))
    else:
        plan_view.show(plan)
    if detailed_exitcode and plan.writes:
        sys.exit(_CHANGES)
