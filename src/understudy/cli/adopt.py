"""``understudy adopt``: takes an existing resource into the stack."""

import click

from understudy.cli import confirm, console, resource_names, target_option, teardown


@click.command("adopt")
@click.argument("resources", nargs=-1, required=True)
@target_option.target_option
@confirm.yes_option
@console.output_option
def command(resources: tuple[str, ...], target_name: str, yes: bool, output: str) -> None:
    """Put the stack's tags on existing RESOURCES (KIND/NAME), and change nothing else about them.

    On AWS, apply takes over nothing that it did not create; after this it may. See the changes first with
    ./understudy diff.
    """
    keys = tuple(map(resource_names.parse, resources))
    teardown.run(target_name, "adopt", lambda seen: seen.adoption(keys), yes=yes, output=output)
