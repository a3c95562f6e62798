"""URLs of an HTTP API on the local endpoint, one of which always works."""

import socket
from urllib.parse import urlsplit


def host_url(endpoint: str, api_id: str) -> str:
    """The API under its execute-api host name, below the local endpoint."""
    return f"http://{api_id}.execute-api.localhost:{urlsplit(endpoint).port}"


def path_url(endpoint: str, api_id: str) -> str:
    """The API below a path of the endpoint: works where names below ``localhost`` do not resolve."""
    return f"{endpoint}/_aws/execute-api/{api_id}"


def reachable_url(endpoint: str, api_id: str) -> str:
    """The host URL where this machine resolves its name to itself, the path URL elsewhere."""
    url = host_url(endpoint, api_id)
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM)
    except OSError:
        return path_url(endpoint, api_id)
    loopback = all(entry[4][0] in ("127.0.0.1", "::1") for entry in found)
    return url if loopback else path_url(endpoint, api_id)
