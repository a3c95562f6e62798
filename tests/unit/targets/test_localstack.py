from understudy.targets.localstack import LocalStackTarget
from understudy.targets.project import TargetSection


def test_may_be_another_host_and_holds_dummy_keys() -> None:
    section = TargetSection(type="localstack", overlay="d", endpoint="http://localstack:4566")
    found = LocalStackTarget.of("localstack", section)
    access = found.session().access
    assert access.credentials is not None
    assert (access.endpoint_url, access.credentials.access_key) == ("http://localstack:4566", "test")
    assert found.account() == "000000000000"
