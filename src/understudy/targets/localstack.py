"""LocalStack in the engine's place, on this machine or in a container beside it."""

from dataclasses import dataclass
from typing import Self

from understudy.reconcile.aws import Access, Aws, Credentials
from understudy.targets import addresses, local
from understudy.targets.project import TargetSection


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStackTarget:
    """A LocalStack that somebody else started."""

    name: str
    endpoint_url: str
    region: str = "us-east-1"

    @classmethod
    def of(cls, name: str, section: TargetSection) -> Self:
        """The target that a section of the project file describes."""
        return cls(
            name=name, endpoint_url=section.endpoint or addresses.DEFAULT_ENDPOINT, region=section.region
        )

    def session(self) -> Aws:
        """Clients of LocalStack with dummy keys."""
        return Aws(Access(region=self.region, endpoint_url=self.endpoint_url, credentials=Credentials()))

    def account(self) -> str:
        """The account that LocalStack plays for dummy keys."""
        return local.ACCOUNT

    def guard(self) -> None:
        """Returns when something listens at the endpoint.

        Raises:
            EnvironmentProblemError: nothing listens there.
        """
        local.check_listening(self.name, self.endpoint_url)
