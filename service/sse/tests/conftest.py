from collections.abc import Iterator

import pytest

from sse.tests.lambda_api import Lambda


@pytest.fixture
def aws_lambda() -> Iterator[Lambda]:
    with Lambda() as server:
        yield server
