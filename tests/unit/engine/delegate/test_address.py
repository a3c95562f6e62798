"""An address of a delegate is a host and a port, and nothing that could not be kept."""

import pytest

from understudy.engine.delegate import address
from understudy.errors import UnderstudyError


@pytest.mark.parametrize(
    ("url", "host", "port", "printed"),
    [
        ("http://localstack:4566", "localstack", 4566, "http://localstack:4566"),
        ("http://localstack:4566/", "localstack", 4566, "http://localstack:4566"),
        ("http://localstack", "localstack", 80, "http://localstack:80"),
        ("http://[::1]:4566", "::1", 4566, "http://[::1]:4566"),
    ],
)
def test_host_and_port(url: str, host: str, port: int, printed: str) -> None:
    found = address.parse(url)
    assert (found.host, found.port, found.url) == (host, port, printed)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://localstack:4566", "plain HTTP"),
        ("localstack:4566", "no http:// URL"),
        ("http://", "no http:// URL"),
        ("http://localstack:4566/aws", "only host and port"),
        ("http://user:secret@localstack", "only host and port"),
        ("http://localstack:port", "cannot be used"),
    ],
)
def test_refuses_what_could_not_be_kept(url: str, reason: str) -> None:
    with pytest.raises(UnderstudyError, match=reason) as caught:
        address.parse(url)
    assert "http://localstack:4566" in caught.value.hint
