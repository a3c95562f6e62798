"""Whether a host can only be this machine, whatever name resolution says."""

import ipaddress


def is_loopback(host: str | None) -> bool:
    """Whether a host of an URL is this machine, by its text alone."""
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
