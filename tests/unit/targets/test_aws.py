import pytest

from tests.fakes.aws import ScriptedAws
from understudy.errors import UnderstudyError
from understudy.reconcile.aws import Aws
from understudy.targets.aws import AwsTarget
from understudy.targets.project import TargetSection


class _Scripted(AwsTarget):
    """The target with an account that answers."""

    def session(self) -> Aws:
        return ScriptedAws(
            {"GetCallerIdentity": {"Account": "111122223333", "Arn": "arn:aws:sts::111122223333:role/x"}}
        ).aws


def target(account: str) -> _Scripted:
    return _Scripted(name="preprod", region="eu-west-1", expected_account=account)


@pytest.fixture(autouse=True)
def no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


def test_guard_accepts_the_account_that_the_target_is_for() -> None:
    target("111122223333").guard()


def test_guard_refuses_another_account() -> None:
    with pytest.raises(
        UnderstudyError,
        match=r"account 111122223333 \(arn:aws:sts::111122223333:role/x\), target preprod is 999988887777",
    ):
        target("999988887777").guard()


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_guard_refuses_an_environment_of_another_region(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "eu-west-1")
    target("111122223333").guard()
    monkeypatch.setenv(name, "us-east-1")
    with pytest.raises(UnderstudyError, match=f"{name} is us-east-1, target preprod is in eu-west-1"):
        target("111122223333").guard()


@pytest.mark.parametrize(
    "section",
    [
        TargetSection(type="aws", overlay="d"),
        TargetSection(type="aws", overlay="d", account="111122223333", endpoint="http://localhost:4566"),
    ],
    ids=["no-account", "endpoint"],
)
def test_needs_an_account_and_takes_no_endpoint(section: TargetSection) -> None:
    with pytest.raises(UnderstudyError) as caught:
        AwsTarget.of("preprod", section)
    assert caught.value.code == "target-account"


ROLE = "arn:aws:iam::111122223333:role/deployer"
SECTION = TargetSection(type="aws", overlay="d", account="111122223333", profile="p", role=ROLE)


def test_uses_the_user_s_own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    found = AwsTarget.of("preprod", SECTION)
    access = found.session().access
    assert (access.credentials, access.profile, access.endpoint_url) == (None, "p", None)
    assert access.role == ROLE
    assert found.notices == ()


def test_an_endpoint_in_the_environment_is_used_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4599")
    found = AwsTarget.of("preprod", SECTION)
    assert found.session().access.endpoint_url == "http://127.0.0.1:4599"
    assert found.notices == ("AWS_ENDPOINT_URL is set: target preprod is http://127.0.0.1:4599, not AWS",)


def test_an_api_is_asked_where_aws_serves_it_or_where_aws_is_played() -> None:
    real = AwsTarget(name="preprod", region="eu-west-1", expected_account="1")
    double = AwsTarget(
        name="preprod", region="eu-west-1", expected_account="1", endpoint_url="http://localhost:1"
    )
    assert real.api_url("abc") == "https://abc.execute-api.eu-west-1.amazonaws.com"
    assert double.api_url("abc") == "http://localhost:1/_aws/execute-api/abc"
