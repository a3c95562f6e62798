import socket
from typing import Any

import pytest

from understudy.targets import addresses

ENDPOINT = "http://localhost:4577"


def resolves_to(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    """Puts an answer in the place of the resolver's: unit tests ask no network."""

    def answer(*_: Any, **__: Any) -> list[Any]:
        if not found:
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", answer)


def test_both_addresses_carry_the_port_of_the_endpoint() -> None:
    assert addresses.host_url(ENDPOINT, "abc") == "http://abc.execute-api.localhost:4577"
    assert addresses.path_url(ENDPOINT, "abc") == "http://localhost:4577/_aws/execute-api/abc"


@pytest.mark.parametrize(
    ("found", "by_name"),
    [
        (["127.0.0.1"], True),
        (["127.0.0.1", "::1"], True),
        ([], False),
        (["93.184.216.34"], False),
        (["127.0.0.1", "93.184.216.34"], False),
    ],
    ids=["v4", "both", "unknown", "elsewhere", "mixed"],
)
def test_the_name_is_used_only_where_it_means_this_machine(
    found: list[str], by_name: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolves_to(monkeypatch, *found)

    expected = addresses.host_url if by_name else addresses.path_url
    assert addresses.reachable_url(ENDPOINT, "abc") == expected(ENDPOINT, "abc")
    url = "http://abc.lambda-url.us-east-1.localhost.localstack.cloud:4577"
    below = f"{ENDPOINT}/_aws/lambda-url/abc"
    assert addresses.reachable_function_url(ENDPOINT, url) == (url if by_name else below)
    assert addresses.reachable_function_url(ENDPOINT, "") == ""


def test_names_of_aws_are_those_of_the_partition() -> None:
    assert addresses.aws_url("eu-central-1", "abc") == "https://abc.execute-api.eu-central-1.amazonaws.com"
    assert addresses.aws_url("cn-north-1", "abc") == "https://abc.execute-api.cn-north-1.amazonaws.com.cn"
