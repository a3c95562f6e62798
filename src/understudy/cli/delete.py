"""``understudy delete``: takes a stack, or some of its resources, away from a target."""

import click

from understudy.cli import confirm, console, resource_names, target_option, teardown
from understudy.manifests.model import ResourceKey


@click.command("delete")
@click.argument("resources", nargs=-1)
@resource_names.allow_delete_option
@target_option.target_option
@confirm.yes_option
@console.output_option
def command(
    resources: tuple[str, ...], allowed: tuple[ResourceKey, ...], target_name: str, yes: bool, output: str
) -> None:
    """Delete the whole stack, or RESOURCES (KIND/NAME) with what hangs below them.

    Tables, buckets, repositories and what a manifest says to retain stay, unless --allow-delete names them.
    What does not carry the stack's tag stays as well.
    """
    only = tuple(map(resource_names.parse, resources))
    teardown.run(target_name, "delete", lambda seen: seen.deletion(only, allowed), yes=yes, output=output)
