import pytest

from understudy.errors import UnderstudyError
from understudy.targets import addresses
from understudy.targets.local import LocalTarget
from understudy.targets.project import TargetSection


def section(endpoint: str | None) -> TargetSection:
    return TargetSection(type="local", endpoint=endpoint, overlay="deploy")


@pytest.mark.parametrize(
    "endpoint",
    [
        None,
        "http://localhost:4566",
        "http://127.0.0.1:4566",
        "http://[::1]:4566",
        "http://aws.localhost:4566",
        "http://127.8.8.8:1",
    ],
)
def test_accepts_this_machine(endpoint: str | None) -> None:
    found = LocalTarget.of("local", section(endpoint))
    assert found.endpoint_url == (endpoint or addresses.DEFAULT_ENDPOINT)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://10.0.0.1:4566",
        "http://example.com:4566",
        "http://localhost.example.com:4566",
        "http://localhost.localstack.cloud:4566",
        "https://lambda.us-east-1.amazonaws.com",
        "http://0.0.0.0:4566",
        "ftp://localhost",
        "localhost:4566",
        "http://localhost@example.com",
    ],
)
def test_refuses_every_other_machine(endpoint: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        LocalTarget.of("local", section(endpoint))
    assert caught.value.code == "target-not-local"
    assert caught.value.where == "understudy.yaml, targets.local.endpoint"


@pytest.mark.parametrize(
    ("endpoint", "port"), [(None, 4566), ("http://localhost:4577", 4577), ("http://localhost", 4566)]
)
def test_knows_the_port_that_up_listens_on(endpoint: str | None, port: int) -> None:
    assert LocalTarget.of("local", section(endpoint)).port == port


def test_session_holds_dummy_keys_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "REAL")
    access = LocalTarget.of("local", section(None)).session().access
    assert access.credentials is not None
    assert access.credentials.access_key == "test"
    assert LocalTarget.of("local", section(None)).account() == "000000000000"
