"""``understudy render``: the final ACK YAML of a target, as ``kubectl apply`` would take it."""

import click

from understudy.cli import console, target_option
from understudy.errors import EnvironmentProblemError
from understudy.manifests import emit


@click.command("render")
@target_option.target_option
@click.option("--offline", is_flag=True, help="Ask nothing of the target; what AWS chose stays open.")
@click.option(
    "--adoption-annotations",
    "adopt",
    is_flag=True,
    help="Annotate what exists, so that ACK's controllers take it over.",
)
@click.option(
    "--output",
    "-o",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="YAML documents, or one List in JSON.",
)
def command(target_name: str, offline: bool, adopt: bool, output: str) -> None:
    """Print the final manifests: ARNs, account, region, digests and what AWS chose, filled in.

    The target is asked for what it chose (the id of an API, the number of a version). When nothing answers
    there, or with --offline, these stay open; what stays open is told on stderr.
    """
    # Here, because a usage error needs none of it.
    from understudy.targets import rendering

    if offline and adopt:
        raise click.UsageError("--adoption-annotations needs the target: drop --offline")
    found, deployment = target_option.deployment_of(target_name)
    digests = deployment.built()
    if offline:
        rendered = rendering.offline(found, deployment.target, digests)
    else:
        try:
            rendered = rendering.observed(deployment, digests, target_option.image_tags(found), adopt=adopt)
        except EnvironmentProblemError as error:
            if adopt:
                raise
            click.echo(f"note: rendered without the target: {error.message}", err=True)
            rendered = rendering.offline(found, deployment.target, digests)
    for placeholder, holders in rendered.unknown.items():
        click.echo(f"known after apply: {placeholder} in {', '.join(map(str, holders))}", err=True)
    if output == "json":
        console.print_json({"apiVersion": "v1", "kind": "List", "items": rendered.documents})
    else:
        click.echo(emit.dump(rendered.documents), nl=False)
