"""Environments of one image share its read-only root, and nothing else."""

import os
from typing import Any

import pytest

from tests.fakes.runtime_root import Place

IDENTITIES = [0, 65534] if os.geteuid() == 0 else [os.geteuid()]


@pytest.fixture(scope="module", params=IDENTITIES, ids=lambda uid: "root" if uid == 0 else "unprivileged")
def seen(request: pytest.FixtureRequest, sandbox_place: Place) -> Any:
    return sandbox_place.run(request.param, "roots")


def test_environments_of_one_image_share_its_root(seen: Any) -> None:
    first, second = seen["root"]
    assert first == second


def test_each_has_its_own_tmp_of_its_own_size(seen: Any) -> None:
    first, second = seen["tmp"]
    assert first != second
    assert not seen["seen"]
    assert seen["sizes"] == [512, 600]


def test_layers_are_leased_beyond_the_last_environment_and_not_beyond_the_executor(seen: Any) -> None:
    assert seen["leased"]
    assert not seen["leased_after"]


def test_a_layer_that_was_unpacked_again_is_shown_as_it_is_now(seen: Any) -> None:
    assert seen["again"]
