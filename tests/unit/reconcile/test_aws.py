import threading
from pathlib import Path

import pytest

from tests.fakes.aws import Cut, Refusal, ScriptedAws
from understudy.reconcile.aws import Access, Aws, Credentials
from understudy.reconcile.errors import AwsError

BUSY = Refusal(code="ResourceConflictException", message="An update is in progress for resource", status=409)
EXISTS = Refusal(code="ResourceConflictException", message="Function already exist: f", status=409)
MISSING = Refusal(code="ResourceNotFoundException", status=404)


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


def test_page_that_fails_for_now_is_asked_for_again() -> None:
    fake = ScriptedAws(
        {
            "ListFunctions": [
                {"Functions": [{"FunctionName": "f"}], "NextMarker": "m"},
                BUSY,
                Cut(),
                {"Functions": [{"FunctionName": "g"}]},
            ]
        }
    )
    pages = fake.aws.pages(fake.aws.lambda_().get_paginator("list_functions").paginate())
    assert [item["FunctionName"] for page in pages for item in page["Functions"]] == ["f", "g"]


def test_the_sdk_repeats_nothing_by_itself() -> None:
    for client in (ScriptedAws().aws.lambda_(), ScriptedAws().aws.apigatewayv2()):
        assert client.meta.config.retries["total_max_attempts"] == 1


def test_account_is_that_of_the_credentials() -> None:
    answer = {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/u"}
    assert ScriptedAws({"GetCallerIdentity": answer}).aws.caller() == tuple(answer.values())
