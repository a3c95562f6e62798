"""A sandbox with a network of its own, seen from inside: as root, as an unprivileged user, and in Docker."""

import os
from typing import Any

import pytest

from tests.fakes.runtime_root import Place

NOBODY = 65534
IDENTITIES: list[int | str] = [0, NOBODY] if os.geteuid() == 0 else [os.geteuid()]
NAMES = {0: "root", "docker": "docker"}


@pytest.fixture(scope="module")
def place(sandbox_place: Place) -> Place:
    return sandbox_place


@pytest.fixture(
    scope="module", params=[*IDENTITIES, "docker"], ids=lambda who: NAMES.get(who, "unprivileged")
)
def seen(request: pytest.FixtureRequest, place: Place) -> Any:
    return place.run(request.param, "isolated")


def test_runtime_api_and_endpoint_are_reached(seen: Any) -> None:
    assert seen["endpoint"] == "pong"


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("other_port", "ConnectionRefusedError ECONNREFUSED"),
        ("address", "OSError ENETUNREACH"),
        ("six", "OSError ENETUNREACH"),
        ("name", "OSError ENETUNREACH"),
    ],
)
def test_everything_else_fails_at_once(seen: Any, what: str, error: str) -> None:
    assert seen[what] in {error, error.replace("ENETUNREACH", "EADDRNOTAVAIL")}


def test_endpoint_that_is_down_answers_nothing(seen: Any) -> None:
    assert seen["endpoint_that_is_down"] in {"", "ConnectionResetError ECONNRESET", "OSError ENOTCONN"}


def test_names_lead_nowhere_and_are_on_record(seen: Any) -> None:
    assert seen["lookups"] == ["db.example.com", "other.example.com"]
    assert seen["resolved"].startswith("198.18.")
    assert seen["resolved"] != seen["other_name"]
    assert seen["name_of"] == "db.example.com"


def test_the_sandboxs_own_name_is_known(seen: Any) -> None:
    assert seen["own_name"] == "127.0.0.1"


def test_only_the_loopback_device_is_there(seen: Any) -> None:
    assert seen["interfaces"].startswith("['lo'")
    assert seen["constraint"] == "own namespace without a route"


def test_files_are_laid_over_the_image(seen: Any) -> None:
    assert seen["file"] == "over"


def test_runtime_starts_again_after_a_crash(seen: Any) -> None:
    assert seen["crash"] == "Runtime.ExitError"
    assert seen["again"] == 1


def test_nothing_is_left_on_disk(seen: Any) -> None:
    assert seen["left"] == []
