"""An account of AWS itself, with the user's own credentials.

``AWS_ENDPOINT_URL`` points it elsewhere, as it does for AWS's own tools: that is how it is tested against
doubles. The account has to be the target's there too.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from understudy.errors import UnderstudyError
from understudy.targets import addresses, sessions

if TYPE_CHECKING:
    from understudy.reconcile.aws import Aws
    from understudy.targets.project import TargetSection

_ENDPOINT = "AWS_ENDPOINT_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsTarget:
    """One account and region.

    Attributes:
        expected_account: the account that the credentials must belong to.
        profile: profile of the credentials.
        role: ARN of the role to assume with them.
        endpoint_url: what ``AWS_ENDPOINT_URL`` says.
    """

    name: str
    region: str
    expected_account: str
    profile: str | None = None
    role: str | None = None
    production: bool = False
    guarded: bool = True
    endpoint_url: str | None = None

    @classmethod
    def of(cls, name: str, section: TargetSection) -> Self:
        """The target that a section of the project file describes.

        Raises:
            UnderstudyError: the section does not say which account it is, or names an endpoint.
        """
        if section.account is None or section.endpoint is not None:
            raise UnderstudyError(
                "target-account",
                f"target {name} of type aws needs an account and takes no endpoint",
                hint=f"write targets.{name}.account with the 12 digits of the account, and no endpoint",
                where=f"understudy.yaml, targets.{name}",
            )
        return cls(
            name=name,
            region=section.region,
            expected_account=section.account,
            profile=section.profile,
            role=section.role,
            production=section.production,
            endpoint_url=os.environ.get(_ENDPOINT) or None,
        )

    @property
    def notices(self) -> tuple[str, ...]:
        """That this is not AWS, when it is not."""
        if self.endpoint_url is None:
            return ()
        return (f"{_ENDPOINT} is set: target {self.name} is {self.endpoint_url}, not AWS",)

    def session(self) -> Aws:
        """Clients of AWS with the user's own chain of credentials, in the target's role."""
        return sessions.of_account(
            self.region, profile=self.profile, role=self.role, endpoint_url=self.endpoint_url
        )

    def account(self) -> str:
        """The account that this target is for."""
        return self.expected_account

    def api_url(self, api_id: str) -> str:
        """Base URL of an HTTP API; below a path where an endpoint plays AWS."""
        if self.endpoint_url:
            return addresses.path_url(self.endpoint_url, api_id)
        return addresses.aws_url(self.region, api_id)

    def function_url(self, url: str) -> str:
        """A function URL as AWS gives it; as this machine reaches it where an endpoint plays AWS."""
        return addresses.reachable_function_url(self.endpoint_url, url) if self.endpoint_url else url

    def guard(self) -> None:
        """Returns when the credentials belong to the account that this target is for.

        Raises:
            UnderstudyError: they belong to another account, or to none; or the environment names another
                region, in which scripts beside this command would look.
        """
        self._check_region()
        account, arn = self.session().caller()
        if account != self.expected_account:
            raise UnderstudyError(
                "target-wrong-account",
                f"the credentials belong to account {account} ({arn}), target {self.name} is "
                f"{self.expected_account}",
                hint=f"sign in to {self.expected_account}, or set targets.{self.name}.profile or .role",
                where=f"understudy.yaml, targets.{self.name}.account",
            )

    def _check_region(self) -> None:
        for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            named = os.environ.get(variable)
            if named and named != self.region:
                raise UnderstudyError(
                    "target-wrong-region",
                    f"{variable} is {named}, target {self.name} is in {self.region}",
                    hint=f"unset {variable}, or write targets.{self.name}.region: {named}",
                    where=f"understudy.yaml, targets.{self.name}.region",
                )
