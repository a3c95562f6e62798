import threading
from pathlib import Path

import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from understudy.reconcile.aws import Access, Aws, Credentials
from understudy.reconcile.errors import AwsError

ROLE = Refusal(code="InvalidParameterValueException", message="The role cannot be assumed by Lambda.")
BUSY = Refusal(code="ResourceConflictException", message="An update is in progress for resource", status=409)
EXISTS = Refusal(code="ResourceConflictException", message="Function already exist: f", status=409)
MISSING = Refusal(code="ResourceNotFoundException", status=404)


@pytest.mark.parametrize("refusal", [ROLE, BUSY, Refusal(code="ConcurrentModificationException")])
def test_asks_again_while_something_settles(refusal: Refusal) -> None:
    fake = ScriptedAws({"GetFunction": [refusal, refusal, {"Tags": {"a": "b"}}]})
    assert fake.aws.call(fake.aws.lambda_().get_function, FunctionName="f")["Tags"] == {"a": "b"}
    assert len(fake.clock.slept) == 2


def test_pauses_grow_and_differ() -> None:
    fake = ScriptedAws({"GetFunction": [BUSY] * 12 + [{}]})
    fake.aws.call(fake.aws.lambda_().get_function, FunctionName="f")
    assert fake.clock.slept[0] <= 0.05
    assert 2.5 <= fake.clock.slept[-1] <= 5.0


def test_gives_up_when_it_never_settles() -> None:
    fake = ScriptedAws({"GetFunction": BUSY})
    with pytest.raises(AwsError) as caught:
        fake.aws.call(fake.aws.lambda_().get_function, FunctionName="f")
    assert caught.value.aws_code == "ResourceConflictException"
    assert 55 <= fake.clock.time <= 70


def test_other_conflicts_are_told_at_once() -> None:
    fake = ScriptedAws({"CreateAlias": EXISTS})
    with pytest.raises(AwsError, match="already exist"):
        fake.aws.call(fake.aws.lambda_().create_alias, FunctionName="f", Name="a", FunctionVersion="1")
    assert fake.clock.slept == []


def test_find_is_none_for_what_is_not_there_and_raises_for_the_rest() -> None:
    fake = ScriptedAws({"GetFunction": [MISSING, EXISTS]})
    assert fake.aws.find(fake.aws.lambda_().get_function, FunctionName="f") is None
    with pytest.raises(AwsError):
        fake.aws.find(fake.aws.lambda_().get_function, FunctionName="f")


def test_client_is_made_once_for_all_threads() -> None:
    aws = ScriptedAws().aws
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(aws.iam())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in found}) == 1


def test_dummy_credentials_ignore_the_user_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "credentials").write_text("[real]\naws_access_key_id = REAL\naws_secret_access_key = REAL\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "REAL")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    aws = Aws(Access(region="eu-west-1", endpoint_url="http://127.0.0.1:9", credentials=Credentials()))
    signer = aws.sts()._request_signer  # type: ignore[attr-defined]  # what requests are signed with
    assert signer._credentials.access_key == "test"
    assert aws.sts().meta.region_name == "eu-west-1"


def test_pages_translate_errors() -> None:
    fake = ScriptedAws({"ListFunctions": Refusal(code="AccessDeniedException", status=403)})
    with pytest.raises(AwsError):
        list(fake.aws.pages(fake.aws.lambda_().get_paginator("list_functions").paginate()))


def test_account_is_that_of_the_credentials() -> None:
    assert ScriptedAws({"GetCallerIdentity": {"Account": "111122223333"}}).aws.account() == "111122223333"
