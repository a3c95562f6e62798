import pytest

from understudy.errors import UnderstudyError
from understudy.targets.localstack import LocalStackTarget
from understudy.targets.project import TargetSection


def section(endpoint: str | None) -> TargetSection:
    return TargetSection(type="localstack", overlay="d", endpoint=endpoint)


def test_holds_dummy_keys_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "REAL")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://example.com")
    found = LocalStackTarget.of("localstack", section(None))
    access = found.session().access
    assert access.credentials is not None
    assert (access.endpoint_url, access.credentials.access_key) == ("http://localhost:4566", "test")
    assert found.account() == "000000000000"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://localstack:4566",
        "http://localhost.localstack.cloud:4566",
        "https://lambda.us-east-1.amazonaws.com",
    ],
)
def test_refuses_another_machine(endpoint: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        LocalStackTarget.of("localstack", section(endpoint))
    assert caught.value.code == "target-not-local"


def test_an_api_is_asked_below_a_path_even_where_its_name_resolves() -> None:
    found = LocalStackTarget(name="localstack", endpoint_url="http://localhost:4570")
    assert found.api_url("abc") == "http://localhost:4570/_aws/execute-api/abc"
