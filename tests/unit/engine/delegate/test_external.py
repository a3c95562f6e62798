"""What an emulator of somebody else says of itself, and how the door before it is worded."""

import json

import pytest

from understudy.engine.delegate import external
from understudy.engine.delegate.address import Address
from understudy.engine.delegate.external import ExternalDelegate

LOCALSTACK = {"services": {"s3": "running", "sqs": "available"}, "edition": "community", "version": "4.14.0"}


def test_localstack_says_its_version_and_its_services() -> None:
    found = external.found(200, json.dumps(LOCALSTACK).encode())
    assert found is not None
    assert (found.name, found.fault) == ("localstack 4.14.0", None)
    assert found.services == {"s3": "running", "sqs": "available"}


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"services": []}'])
@pytest.mark.parametrize("status", [200, 404])
def test_an_emulator_that_does_not_say_is_one_too(status: int, body: bytes) -> None:
    found = external.found(status, body)
    assert found is not None
    assert (found.name, found.fault) == ("external", None)


@pytest.mark.parametrize("status", [0, 500, 503])
def test_nobody_there_is_nobody_found(status: int) -> None:
    assert external.found(status, b"") is None


def test_an_engine_is_no_delegate_of_an_engine() -> None:
    found = external.found(200, json.dumps({**LOCALSTACK, "edition": "understudy"}).encode())
    assert found is not None
    assert found.fault is not None
    assert "this one" in found.fault


async def test_it_has_no_process_and_says_where_it_is() -> None:
    status = ExternalDelegate(Address(host="localstack", port=4566)).status()
    assert (status.state, status.pid, status.url) == ("stopped", None, "http://localstack:4566")
