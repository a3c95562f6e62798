"""Where an emulator of somebody else answers: the value of ``--delegate-url``, judged before it is used."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from understudy.errors import UnderstudyError

_PLAIN_PORT = 80
_HINT = "--delegate-url http://localstack:4566"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Host and port of an emulator that speaks HTTP without TLS."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address as people write it; an IPv6 host in brackets."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


def parse(url: str) -> Address:
    """Returns the address that a URL names.

    Refused is what could not be kept: a path (requests pass with their own), credentials, and TLS, which
    the way to the delegate does not speak (LocalStack's port answers plain HTTP as well).

    Raises:
        UnderstudyError: it is no such URL.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise _bad(url, str(exc)) from exc
    if parts.scheme == "https":
        raise _bad(url, "the way to a delegate is plain HTTP")
    if parts.scheme != "http" or not host:
        raise _bad(url, "it is no http:// URL")
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise _bad(url, "only host and port may be given")
    return Address(host=host, port=_PLAIN_PORT if port is None else port)


def _bad(url: str, reason: str) -> UnderstudyError:
    return UnderstudyError("engine-config", f"--delegate-url {url!r} cannot be used: {reason}", hint=_HINT)
