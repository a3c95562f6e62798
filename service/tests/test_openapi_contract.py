"""The API does what its OpenAPI description says: schemathesis, in process."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from dashboard.app import create_app
from dashboard.clients import Clients
from dashboard.services import compose
from dashboard.settings import Settings
from fakes import AnyTickers

app = create_app(Settings())
schema = schemathesis.openapi.from_dict(app.openapi())
schema.app = app


@pytest.fixture
def _services(aws: Clients, settings: Settings) -> Iterator[None]:
    """Services that know every ticker, so that every valid body is accepted."""
    own = app.state.services
    app.state.services = replace(compose(settings, aws), tickers=AnyTickers())
    yield
    app.state.services = own


@schema.parametrize()
@pytest.mark.usefixtures("_services")
@settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_the_api_keeps_its_description(case: schemathesis.Case) -> None:
    # No schema can say which cursors a list has given out.
    excluded = [positive_data_acceptance] if case.operation.label == "GET /api/v2/configurations" else []
    case.call_and_validate(excluded_checks=excluded)
