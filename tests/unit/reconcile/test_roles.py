from typing import Any

import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from understudy.reconcile.aws import Access
from understudy.reconcile.errors import AwsError

ROLE = "arn:aws:iam::111122223333:role/deployer"
ASSUMED = {
    "Credentials": {
        "AccessKeyId": "ASIAROLE",
        "SecretAccessKey": "s",
        "SessionToken": "t",
        "Expiration": "2099-01-01T00:00:00Z",
    }
}


def scripted(assume: dict[str, Any] | Refusal, monkeypatch: pytest.MonkeyPatch) -> ScriptedAws:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    access = Access(region="eu-west-1", endpoint_url="http://127.0.0.1:9", role=ROLE)
    return ScriptedAws({"AssumeRole": assume, "GetCallerIdentity": {"Account": "111122223333"}}, access)


def test_calls_are_made_in_the_role(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = scripted(ASSUMED, monkeypatch)
    credentials = fake.aws.session.get_credentials()
    assert fake.calls == []

    assert credentials.get_frozen_credentials().access_key == "ASIAROLE"
    assert fake.params("AssumeRole") == {"RoleArn": ROLE, "RoleSessionName": "understudy"}


def test_a_role_that_may_not_be_assumed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = scripted(Refusal(code="AccessDenied", message="not authorized", status=403), monkeypatch)
    fake.aws.session.unregister("before-call", fake._answer)
    fake.aws.session.register("before-call.sts.AssumeRole", fake._answer)
    with pytest.raises(AwsError, match="AssumeRole was refused: AccessDenied"):
        fake.aws.caller()
