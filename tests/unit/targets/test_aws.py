import pytest

from tests.fakes.aws import ScriptedAws
from understudy.errors import UnderstudyError
from understudy.reconcile.aws import Aws
from understudy.targets.aws import AwsTarget
from understudy.targets.project import TargetSection


class _Scripted(AwsTarget):
    """The target with an account that answers."""

    def session(self) -> Aws:
        return ScriptedAws({"GetCallerIdentity": {"Account": "111122223333"}}).aws


def target(account: str) -> _Scripted:
    return _Scripted(name="preprod", region="eu-west-1", expected_account=account)


def test_guard_accepts_the_account_that_the_target_is_for() -> None:
    target("111122223333").guard()


def test_guard_refuses_another_account() -> None:
    with pytest.raises(
        UnderstudyError, match="belong to account 111122223333, target preprod is 999988887777"
    ):
        target("999988887777").guard()


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


def test_uses_the_user_s_own_credentials() -> None:
    section = TargetSection(type="aws", overlay="d", account="111122223333", profile="p")
    access = AwsTarget.of("preprod", section).session().access
    assert (access.credentials, access.profile, access.endpoint_url) == (None, "p", None)
