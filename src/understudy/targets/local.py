"""The engine on this machine.

Only ever talks to the loopback interface, and only with dummy credentials: the user's own keys are never
read, and files under `~/.aws` neither.
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.reconcile.aws import Access, Aws, Credentials
from understudy.targets.project import TargetSection

ACCOUNT = "000000000000"
DEFAULT_ENDPOINT = "http://localhost:4566"

_PORT = 4566
_CONNECT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTarget:
    """The engine of this project."""

    name: str
    endpoint_url: str
    region: str = "us-east-1"

    @classmethod
    def of(cls, name: str, section: TargetSection) -> Self:
        """The target that a section of the project file describes.

        Raises:
            UnderstudyError: its endpoint is another machine's.
        """
        endpoint = section.endpoint or DEFAULT_ENDPOINT
        check_loopback(name, endpoint)
        return cls(name=name, endpoint_url=endpoint, region=section.region)

    @property
    def port(self) -> int:
        """Port of the endpoint."""
        return urlsplit(self.endpoint_url).port or _PORT

    def session(self) -> Aws:
        """Clients of the engine with dummy keys."""
        return Aws(Access(region=self.region, endpoint_url=self.endpoint_url, credentials=Credentials()))

    def account(self) -> str:
        """The account that the engine plays."""
        return ACCOUNT

    def guard(self) -> None:
        """Returns when something listens at the endpoint.

        Raises:
            UnderstudyError: the endpoint is another machine's.
            EnvironmentProblemError: nothing listens there.
        """
        check_loopback(self.name, self.endpoint_url)
        check_listening(self.name, self.endpoint_url)


def check_loopback(name: str, endpoint: str) -> None:
    """Returns when an endpoint can only be this machine, whatever name resolution says.

    Raises:
        UnderstudyError: it is not, or is no HTTP URL.
    """
    url = urlsplit(endpoint)
    host = url.hostname or ""
    if url.scheme not in ("http", "https") or not _is_loopback(host):
        raise UnderstudyError(
            "target-not-local",
            f"endpoint {endpoint} of target {name} is not on this machine",
            hint=f"write endpoint: {DEFAULT_ENDPOINT}, or another type of target",
            where=f"understudy.yaml, targets.{name}.endpoint",
        )


def check_listening(name: str, endpoint: str) -> None:
    """Returns when something accepts connections at an endpoint.

    Raises:
        EnvironmentProblemError: nothing does.
    """
    url = urlsplit(endpoint)
    port = url.port or _PORT
    try:
        socket.create_connection((url.hostname or "localhost", port), timeout=_CONNECT_S).close()
    except OSError as exc:
        raise EnvironmentProblemError(
            "target-down",
            f"nothing answers at {endpoint}, the endpoint of target {name}: {exc}",
            hint="./understudy up",
            retryable=True,
        ) from exc


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
