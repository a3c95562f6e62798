import pytest

from understudy.reconcile import credentials
from understudy.reconcile.aws import Access, Aws, Credentials


def test_an_endpoint_is_reached_with_its_dummy_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    aws = Aws(Access(region="eu-west-1", endpoint_url="http://127.0.0.1:9", credentials=Credentials()))
    assert credentials.variables(aws) == {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def test_an_account_is_reached_with_the_keys_of_the_users_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("ACCESS_KEY_ID", "mine"),
        ("SECRET_ACCESS_KEY", "secret"),
        ("SESSION_TOKEN", "token"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    found = credentials.variables(Aws(Access(region="us-east-1")))
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_SESSION_TOKEN"]) == ("mine", "token")
    assert "AWS_ENDPOINT_URL" not in found
