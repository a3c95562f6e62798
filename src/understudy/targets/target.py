"""The targets of a project: an endpoint, credentials, and a guard against the wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from understudy.errors import UnderstudyError
from understudy.manifests import errors
from understudy.targets import aws, local, localstack

if TYPE_CHECKING:
    from understudy.reconcile.aws import Aws
    from understudy.targets.project import Project, TargetSection


class Target(Protocol):
    """Where a stack runs."""

    @property
    def name(self) -> str:
        """The target's name in the project file."""
        ...

    @property
    def endpoint_url(self) -> str | None:
        """The URL in the place of AWS; None for AWS itself."""
        ...

    @property
    def region(self) -> str:
        """AWS region."""
        ...

    @property
    def production(self) -> bool:
        """Whether writing to it wants a confirmation."""
        ...

    @property
    def guarded(self) -> bool:
        """Whether it is an account of AWS: it takes proven images only, and nothing over unasked."""
        ...

    @property
    def notices(self) -> tuple[str, ...]:
        """What is unusual about where it points; told with every command."""
        ...

    def session(self) -> Aws:
        """Clients with this target's credentials; nothing is connected yet."""
        ...

    def account(self) -> str:
        """The account id that manifests are rendered with.

        Raises:
            UnderstudyError: AWS refused the credentials.
        """
        ...

    def api_url(self, api_id: str) -> str:
        """Base URL at which this target answers for an HTTP API."""
        ...

    def function_url(self, url: str) -> str:
        """A function URL as this machine reaches it; empty for none."""
        ...

    def guard(self) -> None:
        """Returns when it is safe to write to this target, with these credentials, from here.

        Raises:
            UnderstudyError: it is not, or nothing answers there.
        """
        ...


def find(project: Project, name: str) -> Target:
    """The target of that name.

    Raises:
        UnderstudyError: the project has no such target; the hint names the nearest.
    """
    if name not in project.targets:
        close = errors.nearest(name, project.targets)
        listed = ", ".join(sorted(project.targets)) or "none"
        raise UnderstudyError(
            "target-unknown",
            f"target {name} is not in the project file, which has: {listed}",
            hint=f"--target {close}" if close else f"add targets.{name} to understudy.yaml",
        )
    return _make(name, project.targets[name])


def _make(name: str, section: TargetSection) -> Target:
    match section.type:
        case "local":
            return local.LocalTarget.of(name, section)
        case "localstack":
            return localstack.LocalStackTarget.of(name, section)
        case "aws":
            return aws.AwsTarget.of(name, section)
