import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired
from understudy.errors import UnderstudyError
from understudy.manifests.model import Stack
from understudy.reconcile import release
from understudy.reconcile.release import Release

OLD, NEW = "host/repo@sha256:aa", "host/repo@sha256:bb"
LATEST = {"CodeSha256": "bb", "RevisionId": "r", "State": "Active", "LastUpdateStatus": "Successful"}
TARGET = Release(function="f", aliases=("live",))


def answers(uri: str, **more: object) -> dict[str, object]:
    return {
        "GetFunction": {"Configuration": LATEST, "Code": {"ImageUri": uri}},
        "GetFunctionConfiguration": LATEST,
        "GetAlias": {"FunctionVersion": "1"},
        "PublishVersion": {"Version": "2"},
        "UpdateFunctionCode": {"Version": "2"},
        **more,
    }


def test_new_digest_goes_to_code_version_and_alias() -> None:
    fake = ScriptedAws(answers(OLD))  # type: ignore[arg-type]
    report = release.release(fake.aws, TARGET, NEW)
    assert fake.writes == ["UpdateFunctionCode", "UpdateAlias"]
    assert fake.params("UpdateFunctionCode") == {"FunctionName": "f", "ImageUri": NEW, "Publish": True}
    assert fake.params("UpdateAlias")["FunctionVersion"] == "2"
    assert (report.version, report.changed) == ("2", True)


def test_same_digest_writes_nothing() -> None:
    fake = ScriptedAws(answers(NEW))  # type: ignore[arg-type]
    report = release.release(fake.aws, TARGET, NEW)
    assert (fake.writes, report.version, report.changed) == ([], "1", False)


def test_interrupted_release_is_finished() -> None:
    older = {**LATEST, "CodeSha256": "aa"}
    fake = ScriptedAws(answers(NEW, GetFunctionConfiguration=[older, LATEST, LATEST]))  # type: ignore[arg-type]
    report = release.release(fake.aws, TARGET, NEW)
    assert fake.writes == ["PublishVersion", "UpdateAlias"]
    assert report.changed


def test_alias_of_a_version_that_is_gone_moves() -> None:
    gone = Refusal(code="ResourceNotFoundException", status=404)
    fake = ScriptedAws(answers(NEW, GetFunctionConfiguration=[gone, LATEST]))  # type: ignore[arg-type]
    assert release.release(fake.aws, TARGET, NEW).version == "2"


def test_function_that_is_still_changing_is_waited_for() -> None:
    busy = {**LATEST, "LastUpdateStatus": "InProgress"}
    fake = ScriptedAws(
        answers(  # type: ignore[arg-type]
            OLD,
            GetFunction={"Configuration": busy, "Code": {"ImageUri": OLD}},
            GetFunctionConfiguration=[busy, LATEST],
        )
    )
    release.release(fake.aws, Release(function="f"), NEW)
    assert fake.writes == ["UpdateFunctionCode"]
    assert len(fake.clock.slept) == 1


def test_function_without_aliases_runs_latest() -> None:
    fake = ScriptedAws(answers(OLD))  # type: ignore[arg-type]
    assert release.release(fake.aws, Release(function="f"), NEW).version == "$LATEST"


def test_absent_function_is_told() -> None:
    fake = ScriptedAws({"GetFunction": Refusal(code="ResourceNotFoundException", status=404)})
    with pytest.raises(UnderstudyError) as caught:
        release.release(fake.aws, TARGET, NEW)
    assert caught.value.hint == "./understudy apply"


def test_functions_of_an_image_come_with_the_aliases_that_follow() -> None:
    stack = Stack(
        resources=(
            desired("Function/fn", {"name": "f"}, "Image/app"),
            desired("Function/other", {"name": "o"}, "Image/else"),
            desired("Version/v", {"functionName": "f"}, "Function/fn", follow=True),
            desired("Alias/live", {"name": "live", "functionVersion": "${Version.v.version}"}, "Version/v"),
            desired("Alias/fixed", {"name": "fixed", "functionVersion": "1"}, "Function/fn"),
        )
    )
    assert release.of_image(stack, "app") == (Release(function="f", aliases=("live",)),)


def test_versions_are_described_where_their_manifest_says_nothing() -> None:
    follows = desired("Version/v", {"functionName": "f"}, follow=True)
    named = desired("Version/n", {"functionName": "f", "description": "mine"}, follow=True)
    stack = release.described(Stack(resources=(follows, named)), "git abc")
    assert [one.spec.get("description") for one in stack] == ["git abc", "mine"]
    assert release.described(stack, "") == stack
