"""The engine on this machine.

Only ever talks to the loopback interface, and only with dummy credentials: the user's own keys are never
read, and files under `~/.aws` neither.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from understudy.errors import EnvironmentProblemError
from understudy.targets import addresses, sessions

if TYPE_CHECKING:
    from understudy.reconcile.aws import Aws
    from understudy.targets.project import TargetSection

ACCOUNT = "000000000000"

_CONNECT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTarget:
    """The engine of this project."""

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

    @property
    def port(self) -> int:
        """Port of the endpoint."""
        return addresses.port_of(self.endpoint_url)

    def session(self) -> Aws:
        """Clients of the engine with dummy keys."""
        return sessions.of_endpoint(self.region, self.endpoint_url)

    def account(self) -> str:
        """The account that the engine plays."""
        return ACCOUNT

    def api_url(self, api_id: str) -> str:
        """Base URL of an HTTP API: below its own name where that resolves, below a path elsewhere."""
        return addresses.reachable_url(self.endpoint_url, api_id)

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
        check_listening(self.name, self.endpoint_url)


def check_listening(name: str, endpoint: str) -> None:
    """Returns when something accepts connections at an endpoint.

    Raises:
        EnvironmentProblemError: nothing does.
    """
    url = urlsplit(endpoint)
    try:
        socket.create_connection(
            (url.hostname or "localhost", addresses.port_of(endpoint)), timeout=_CONNECT_S
        ).close()
    except OSError as exc:
        raise EnvironmentProblemError(
            "target-down",
            f"nothing answers at {endpoint}, the endpoint of target {name}: {exc}",
            hint="./understudy up",
            retryable=True,
        ) from exc
