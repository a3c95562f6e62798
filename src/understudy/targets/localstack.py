"""LocalStack in the engine's place, on this machine or in a container beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from understudy.targets import addresses, local, sessions

if TYPE_CHECKING:
    from understudy.reconcile.aws import Aws
    from understudy.targets.project import TargetSection


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStackTarget:
    """A LocalStack, or what answers like one, that somebody else started on this machine."""

    name: str
    endpoint_url: str
    region: str = "us-east-1"
    production: bool = False
    guarded: bool = False
    notices: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, section: TargetSection) -> Self:
        """The target that a section of the project file describes.

        Raises:
            UnderstudyError: its endpoint is another machine's.
        """
        endpoint = section.endpoint or addresses.DEFAULT_ENDPOINT
        addresses.check_loopback(name, endpoint)
        return cls(name=name, endpoint_url=endpoint, region=section.region, production=section.production)

    def session(self) -> Aws:
        """Clients of LocalStack with dummy keys."""
        return sessions.of_endpoint(self.region, self.endpoint_url)

    def account(self) -> str:
        """The account that LocalStack plays for dummy keys."""
        return local.ACCOUNT

    def api_url(self, api_id: str) -> str:
        """Base URL of an HTTP API: a path, for MiniStack answers `/health` below an API's own name itself."""
        return addresses.path_url(self.endpoint_url, api_id)

    def function_url(self, url: str) -> str:
        """A function URL: below its own name where that resolves, below a path elsewhere."""
        return addresses.reachable_function_url(self.endpoint_url, url)

    def guard(self) -> None:
        """Returns when something listens at the endpoint.

        Raises:
            UnderstudyError: the endpoint is another machine's.
            EnvironmentProblemError: nothing listens there.
        """
        addresses.check_loopback(self.name, self.endpoint_url)
        local.check_listening(self.name, self.endpoint_url)
