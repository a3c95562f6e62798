from collections.abc import Mapping
from typing import Any

import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from understudy.errors import UnderstudyError
from understudy.reconcile.rollout import history

ALIAS = {"Name": "live", "AliasArn": "arn:live", "FunctionVersion": "3", "RevisionId": "r"}
GONE = Refusal(code="ResourceNotFoundException", status=404)


def function(tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "Configuration": {"FunctionArn": "arn:shop"},
        "Code": {"ResolvedImageUri": "host/shop@sha256:aa"},
        "Tags": dict(tags),
    }


def test_releases_are_newest_first_and_what_is_live_is_believed_first() -> None:
    fake = ScriptedAws(
        {
            "GetAlias": ALIAS,
            "GetFunction": function({"understudy.dev/live": "2 1", "understudy.dev/without-proof": "demo"}),
            "GetFunctionConfiguration": [
                {"Description": "git abc", "LastModified": "2026-01-31"},
                {"Description": "git old"},
                GONE,
            ],
        }
    )

    found = history.read(fake.aws, "shop", "live")

    assert [(one.version, one.digest, one.is_live) for one in found.revisions] == [
        ("3", "sha256:aa", True),
        ("2", "sha256:aa", False),
        ("1", "", False),
    ]
    assert (found.revisions[0].description, found.revisions[0].published) == ("git abc", "2026-01-31")
    assert (found.alias.version, found.without_proof) == ("3", "demo")
    assert fake.writes == []


def test_a_function_that_was_never_deployed_comes_with_the_command() -> None:
    with pytest.raises(UnderstudyError) as caught:
        history.read(ScriptedAws({"GetAlias": GONE}).aws, "shop", "live")
    assert (caught.value.code, caught.value.hint) == (
        "alias-absent",
        "./understudy deploy, with the same --target",
    )


@pytest.mark.parametrize(
    ("tags", "reason", "writes"),
    [
        ({}, "", {"understudy.dev/live": "3 2"}),
        ({"understudy.dev/live": "2 1"}, "", {"understudy.dev/live": "3 2 1"}),
        (
            {"understudy.dev/live": "3 2 1"},
            "no registry, yet",
            {"understudy.dev/without-proof": "no registry  yet"},
        ),
    ],
    ids=["first", "next", "reason"],
)
def test_a_move_is_written_to_the_function(
    tags: Mapping[str, str], reason: str, writes: Mapping[str, str]
) -> None:
    fake = ScriptedAws({"GetFunction": function(tags)})
    assert history.note(fake.aws, "shop", "live", "2", "3", reason=reason)
    assert fake.params("TagResource") == {"Resource": "arn:shop", "Tags": writes}


def test_a_proved_release_takes_the_reason_of_the_one_before_away() -> None:
    tags = {"understudy.dev/live": "3 2", "understudy.dev/without-proof": "demo"}
    fake = ScriptedAws({"GetFunction": function(tags)})
    assert history.note(fake.aws, "shop", "live", "2", "3")
    assert fake.writes == ["UntagResource"]


def test_what_is_written_down_is_not_written_again() -> None:
    fake = ScriptedAws({"GetFunction": function({"understudy.dev/live": "3 2"})})
    assert not history.note(fake.aws, "shop", "live", "2", "3")
    assert fake.writes == []
    assert history.is_noted({"understudy.dev/live": "3 2"}, "live", "3")
    assert not history.is_noted({"understudy.dev/live": "2"}, "live", "3")
