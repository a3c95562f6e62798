"""``understudy prune``: deletes what a stack made and its manifests hold no longer."""

import click

from understudy.cli import confirm, console, resource_names, target_option, teardown
from understudy.manifests.model import ResourceKey


@click.command("prune")
@resource_names.allow_delete_option
@target_option.target_option
@confirm.yes_option
@console.output_option
def command(allowed: tuple[ResourceKey, ...], target_name: str, yes: bool, output: str) -> None:
    """Delete resources that carry the stack's tag, or hang below one that does, and have no manifest.

    Versions that a killed `coldstart` left on the target go too. What holds data or was to be retained stays,
    unless --allow-delete names it. Nothing else is touched.
    """
    teardown.run(target_name, "delete", lambda seen: seen.pruning(allowed), yes=yes, output=output)
