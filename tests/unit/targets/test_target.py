import pytest

from understudy.errors import UnderstudyError
from understudy.targets import addresses, target
from understudy.targets.aws import AwsTarget
from understudy.targets.local import LocalTarget
from understudy.targets.localstack import LocalStackTarget
from understudy.targets.project import Project, TargetSection

PROJECT = Project(
    project="p",
    images={},
    targets={
        "local": TargetSection(type="local", overlay="d"),
        "localstack": TargetSection(type="localstack", overlay="d", endpoint="http://localhost:4567"),
        "preprod": TargetSection(type="aws", overlay="d", account="111122223333", region="eu-west-1"),
    },
)


@pytest.mark.parametrize(
    ("name", "kind"), [("local", LocalTarget), ("localstack", LocalStackTarget), ("preprod", AwsTarget)]
)
def test_finds_a_target_by_its_name(name: str, kind: type) -> None:
    found = target.find(PROJECT, name)
    assert isinstance(found, kind)
    assert found.name == name


@pytest.mark.parametrize(
    ("name", "hint"), [("prepord", "--target preprod"), ("zzz", "add targets.zzz to understudy.yaml")]
)
def test_unknown_target_names_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        target.find(PROJECT, name)
    assert (caught.value.code, caught.value.hint) == ("target-unknown", hint)


@pytest.mark.parametrize(
    ("name", "here"), [("local", True), ("localstack", True), ("preprod", False)], ids=str
)
def test_a_function_url_is_one_that_this_machine_reaches(
    name: str, here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "reachable_function_url", lambda endpoint, url: f"{endpoint} {url}")

    found = target.find(PROJECT, name).function_url("http://u.lambda-url.test")

    assert found.startswith("http://localhost:456") is here
    assert found.endswith("http://u.lambda-url.test")
