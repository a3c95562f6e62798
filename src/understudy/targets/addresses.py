"""Addresses on this machine: the local endpoint, and URLs of an HTTP API there, one of which always works."""

import socket
from urllib.parse import urlsplit

from understudy.errors import UnderstudyError
from understudy.reconcile import loopback

DEFAULT_ENDPOINT = "http://localhost:4566"
_PORT = 4566


def host_url(endpoint: str, api_id: str) -> str:
    """The API under its execute-api host name, below the local endpoint."""
    return f"http://{api_id}.execute-api.localhost:{urlsplit(endpoint).port}"


def path_url(endpoint: str, api_id: str) -> str:
    """The API below a path of the endpoint: works where names below ``localhost`` do not resolve."""
    return f"{endpoint}/_aws/execute-api/{api_id}"


def aws_url(region: str, api_id: str) -> str:
    """The API as AWS serves it, without a custom domain; callers of a REST API name its stage below.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
    """
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{api_id}.execute-api.{region}.{suffix}"


def reachable_url(endpoint: str, api_id: str) -> str:
    """The host URL where this machine resolves its name to itself, the path URL elsewhere."""
    url = host_url(endpoint, api_id)
    return url if _is_here(url) else path_url(endpoint, api_id)


def reachable_function_url(endpoint: str, url: str) -> str:
    """A function URL of the endpoint: as it is where its name leads here, below a path of it elsewhere."""
    url_id = (urlsplit(url).hostname or "").partition(".")[0]
    return url if not url or _is_here(url) else f"{endpoint}/_aws/lambda-url/{url_id}"


def _is_here(url: str) -> bool:
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(entry[4][0] in ("127.0.0.1", "::1") for entry in found)


def port_of(endpoint: str) -> int:
    """Port of an endpoint; LocalStack's where it names none."""
    return urlsplit(endpoint).port or _PORT


def check_loopback(name: str, endpoint: str) -> None:
    """Returns when an endpoint can only be this machine, whatever name resolution says.

    Raises:
        UnderstudyError: it is not, or is no HTTP URL.
    """
    if urlsplit(endpoint).scheme not in ("http", "https") or not loopback.is_loopback(
        urlsplit(endpoint).hostname
    ):
        raise UnderstudyError(
            "target-not-local",
            f"endpoint {endpoint} of target {name} is not on this machine",
            hint=f"write endpoint: {DEFAULT_ENDPOINT}, or another type of target",
            where=f"understudy.yaml, targets.{name}.endpoint",
        )
