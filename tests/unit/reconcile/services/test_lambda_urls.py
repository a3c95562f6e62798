from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.manifests.model import Json
from understudy.reconcile.services import lambda_urls

URL: dict[str, Json] = {"functionName": "f", "qualifier": "live", "authType": "NONE"}
THERE = {"FunctionUrl": "https://x.lambda-url", "AuthType": "NONE"}
MISSING = Refusal(code="ResourceNotFoundException", status=404)


def test_function_url_is_created_changed_and_deleted() -> None:
    fake = ScriptedAws({"GetFunctionUrlConfig": [MISSING, {**THERE, "AuthType": "AWS_IAM"}, THERE]})
    verbs = [reconcile(fake.aws, desired("FunctionURLConfig/u", URL)) for _ in range(3)]
    assert verbs == ["create", "update", "unchanged"]
    lambda_urls.FunctionUrlManager().delete(fake.aws, observed("FunctionURLConfig/u", URL))
    assert fake.writes == ["CreateFunctionUrlConfig", "UpdateFunctionUrlConfig", "DeleteFunctionUrlConfig"]


def test_url_of_an_alias_is_asked_for_by_it() -> None:
    fake = ScriptedAws({"GetFunctionUrlConfig": THERE})
    assert reconcile(fake.aws, desired("FunctionURLConfig/u", URL)) == "unchanged"
    assert fake.params("GetFunctionUrlConfig") == {"FunctionName": "f", "Qualifier": "live"}


def test_cors_that_was_left_out_goes_away() -> None:
    fake = ScriptedAws({"GetFunctionUrlConfig": {**THERE, "Cors": {"AllowOrigins": ["*"]}}})
    assert reconcile(fake.aws, desired("FunctionURLConfig/u", URL)) == "update"
    assert fake.params("UpdateFunctionUrlConfig")["Cors"] == {}


def test_invoke_mode_is_written_and_goes_back_to_buffered() -> None:
    fake = ScriptedAws(
        {
            "GetFunctionUrlConfig": [{**THERE, "InvokeMode": "BUFFERED"}]
            + 3 * [{**THERE, "InvokeMode": "RESPONSE_STREAM"}]
        }
    )
    streaming = desired("FunctionURLConfig/u", {**URL, "invokeMode": "RESPONSE_STREAM"})
    assert [reconcile(fake.aws, streaming) for _ in range(2)] == ["update", "unchanged"]
    assert fake.params("UpdateFunctionUrlConfig")["InvokeMode"] == "RESPONSE_STREAM"
    assert reconcile(fake.aws, desired("FunctionURLConfig/u", URL)) == "update"
