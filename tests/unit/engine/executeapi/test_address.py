from typing import Any

import pytest

from understudy.engine.executeapi import address


def scope(host: str, path: str) -> dict[str, Any]:
    decoded = path.replace("%2F", "/")
    return {"headers": [(b"host", host.encode())], "path": decoded, "raw_path": path.encode()}


@pytest.mark.parametrize(
    ("host", "path", "api_id", "rest"),
    [
        ("abc.execute-api.localhost:4566", "/dev/a%2Fb", "abc", "/dev/a%2Fb"),
        ("abc.execute-api.us-east-1.localhost.localstack.cloud:4566", "/dev", "abc", "/dev"),
        ("localhost:4566", "/_aws/execute-api/abc/dev/a", "abc", "/dev/a"),
        ("localhost:4566", "/restapis/abc/dev/_user_request_/a%2Fb", "abc", "/dev/a%2Fb"),
        ("localhost:4566", "/restapis/abc/dev/_user_request_", "abc", "/dev/"),
    ],
)
def test_every_form_names_api_and_path(host: str, path: str, api_id: str, rest: str) -> None:
    found = address.of(scope(host, path))

    assert found == address.Address(api_id=api_id, domain=host, path=rest)


@pytest.mark.parametrize("path", ["/", "/restapis/abc/resources", "/bucket/_user_request_"])
def test_other_requests_have_no_address(path: str) -> None:
    assert address.of(scope("localhost:4566", path)) is None
    assert not address.is_api_path(path)
