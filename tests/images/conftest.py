"""One workshop for the run: images share the base and its unpacked layers."""

import pytest

from tests.images import workshop
from tests.images.workshop import Workshop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return workshop.opened(tmp_path_factory.mktemp("images"))
