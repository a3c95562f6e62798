"""The command group: loads a command's module when it is typed, and maps every error to an exit code.

Exit codes: 0 done, 1 a check failed or the work was refused, 2 usage, 3 this machine or its network lacks
something, 70 a bug of ours (with traceback).
"""

import gc
import importlib
import sys
import traceback

import click

import understudy
from understudy.cli import program
from understudy.errors import EnvironmentProblemError, UnderstudyError

EXIT_FAILED, EXIT_ENVIRONMENT, EXIT_BUG = 1, 3, 70
ISSUES = "https://github.com/understudy/understudy/issues"

_GARBAGE = (50_000, 20, 20)

_COMMANDS = {
    "init": "Write what a repository needs to run here.",
    "up": "Start local AWS, build, deploy, serve; print the URLs.",
    "down": "Stop everything that up started.",
    "status": "Show what runs, where, and with which digest.",
    "build": "Build images from their Dockerfiles, without a daemon.",
    "verify": "Say whether an image starts on Lambda, or the exact cause and the fix.",
    "coldstart": "Measure cold starts, and say where the time goes.",
    "push": "Push built images to the target's ECR.",
    "apply": "Converge a target to the manifests.",
    "deploy": "Build, verify, push, apply; look at it, and go back when it fails.",
    "rollout": "Show what is live and what was, and go back to it.",
    "promote": "Deploy what is live on one target to another, with its proof.",
    "diff": "Show what apply would change.",
    "delete": "Take the stack, or some of its resources, away.",
    "prune": "Delete what the stack made and its manifests hold no longer.",
    "adopt": "Take existing resources into the stack.",
    "render": "Print the final ACK manifests of a target.",
    "get": "List resources and their conditions.",
    "describe": "Show one resource in full.",
    "logs": "Print a function's log lines.",
    "invoke": "Invoke a function once, under a debugger if asked.",
    "shell": "Run a shell in a function's sandbox.",
    "env": "Print what a function sees in its environment.",
    "base": "Make the stand-in for AWS's base image.",
    "e2e": "Run the end-to-end suite against a target, and record that it passed.",
    "run": "Run a command with the local stack up.",
    "doctor": "Say what this machine lacks, and the command to fix it.",
    "test": "Run every check of this checkout.",
}
# Other names of commands, not listed.
_ALIASES = {"plan": "diff"}


class LazyGroup(click.Group):
    """A group whose commands are imported one by one, so that `status` does not pay for `up`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Returns the commands in the order of a user's day."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Returns the command, or None when there is none of that name."""
        name = _ALIASES.get(cmd_name, cmd_name)
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f"understudy.cli.{name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(understudy.__version__, prog_name="understudy")
def group() -> None:
    """Run the identical Lambda container image locally, and ship that same digest."""


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits the process."""
    # Most commands end before garbage matters; looking for it would be a tenth of their time.
    gc.set_threshold(*_GARBAGE)
    try:
        code = group.main(arguments, prog_name="understudy", standalone_mode=False)
    except click.Abort:
        code = 130
    except click.ClickException as exc:
        exc.show()
        code = exc.exit_code
    except EnvironmentProblemError as exc:
        click.echo(program.named(str(exc)), err=True)
        code = EXIT_ENVIRONMENT
    except UnderstudyError as exc:
        click.echo(program.named(str(exc)), err=True)
        code = EXIT_FAILED
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except Exception:  # noqa: BLE001 - the root of the command line: a bug ends here, with its traceback
        traceback.print_exc()
        click.echo(f"this is a bug of understudy, please report it: {ISSUES}", err=True)
        code = EXIT_BUG
    sys.exit(code if isinstance(code, int) else 0)
