"""``understudy push``: built images into the target's ECR."""

import click

from understudy.cli import console, target_option


@click.command("push")
@click.argument("images", nargs=-1)
@target_option.target_option
@console.output_option
def command(images: tuple[str, ...], target_name: str, output: str) -> None:
    """Push built IMAGES (all when none is named) to the target's ECR and print their URIs."""
    found, deployment = target_option.deployment_of(target_name)
    for name in images:
        found.image(name)
    built = deployment.built()
    tags = target_option.image_tags(found)
    uris = {name: deployment.push(name, built[name], tags) for name in images or tuple(built)}
    if output == "json":
        console.print_json(uris)
    else:
        for uri in uris.values():
            click.echo(uri)
