"""The service on moto: a table, a bucket with tickers, and clients that reach nothing else."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from moto import mock_aws

from dashboard.app import create_app
from dashboard.clients import Clients
from dashboard.settings import Settings
from fakes import SerialisedClients, ticker_document

TABLE, BUCKET, KEY = "configurations", "dashboard-tickers", "tickers.json.gz"

# Credentials that are good nowhere, and nothing of the developer's own AWS set-up.
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
}
_FOREIGN = ("AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_SESSION_TOKEN")


@pytest.fixture(scope="session")
def clients() -> Iterator[Clients]:
    """Clients of one AWS account for all tests: making clients is what takes the time."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in _ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        for name in _FOREIGN:
            monkeypatch.delenv(name, raising=False)
        with mock_aws():
            yield SerialisedClients()


@pytest.fixture
def aws(clients: Clients) -> Iterator[Clients]:
    """The account with the table and the ticker object in it, as the deployment makes them."""
    clients.dynamodb().create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
    )
    clients.s3().create_bucket(Bucket=BUCKET)
    clients.s3().put_object(Bucket=BUCKET, Key=KEY, Body=ticker_document())
    yield clients
    clients.dynamodb().delete_table(TableName=TABLE)
    clients.s3().delete_object(Bucket=BUCKET, Key=KEY)
    clients.s3().delete_bucket(Bucket=BUCKET)


@pytest.fixture
def settings() -> Settings:
    return Settings(configurations_table=TABLE, tickers_bucket=BUCKET, git_sha="abc123")


@pytest.fixture
def app(aws: Clients, settings: Settings) -> FastAPI:
    return create_app(settings, aws)


@pytest.fixture
def api(app: FastAPI) -> TestClient:
    return TestClient(app)


@pytest.fixture
def alice(app: FastAPI) -> TestClient:
    return TestClient(app, headers={"X-User-ID": "alice"})


@pytest.fixture
def bob(app: FastAPI) -> TestClient:
    return TestClient(app, headers={"X-User-ID": "bob"})
