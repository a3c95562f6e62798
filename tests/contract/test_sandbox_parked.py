"""Sandboxes made ahead are used, made again, and missed by nobody when they die."""

import os
from typing import Any

import pytest

from tests.fakes.runtime_root import Place

IDENTITIES = [0, 65534] if os.geteuid() == 0 else [os.geteuid()]


@pytest.fixture(scope="module", params=IDENTITIES, ids=lambda uid: "root" if uid == 0 else "unprivileged")
def seen(request: pytest.FixtureRequest, sandbox_place: Place) -> Any:
    return sandbox_place.run(request.param, "parked")


def test_a_start_takes_a_parked_sandbox(seen: Any) -> None:
    assert seen["open"] == seen["again"] > 0
    assert seen["taken"] == 1
    assert isinstance(seen["value"], int)


def test_a_start_does_without_when_the_parked_ones_died(seen: Any) -> None:
    assert isinstance(seen["after_death"], int)
