import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from understudy.errors import UnderstudyError
from understudy.manifests.model import JsonMap
from understudy.reconcile.services import lambda_settings
from understudy.reconcile.services.lambda_settings import EVENTS, PROVISIONED

WHERE = {"FunctionName": "f", "Qualifier": "live"}
BOTH = frozenset({EVENTS, PROVISIONED})
NO_EVENTS = Refusal(code="ResourceNotFoundException", status=404)
COLD = Refusal(code="ProvisionedConcurrencyConfigNotFoundException", status=404)
WARM = {"RequestedProvisionedConcurrentExecutions": 3, "Status": "READY"}
WANTED: JsonMap = {
    EVENTS: {"functionName": "ignored", "maximumRetryAttempts": 1},
    PROVISIONED: {"qualifier": "ignored", "provisionedConcurrentExecutions": 3},
}


def test_nothing_is_none() -> None:
    fake = ScriptedAws({"GetFunctionEventInvokeConfig": NO_EVENTS, "GetProvisionedConcurrencyConfig": COLD})
    assert lambda_settings.observe(fake.aws, WHERE, {}) == {EVENTS: None, PROVISIONED: None}


def test_what_ack_ignores_is_taken_from_the_manifest() -> None:
    fake = ScriptedAws(
        {
            "GetFunctionEventInvokeConfig": {
                "FunctionArn": "arn:f",
                "MaximumRetryAttempts": 1,
                "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
            },
            "GetProvisionedConcurrencyConfig": WARM,
        }
    )
    found = lambda_settings.observe(fake.aws, WHERE, WANTED)
    destinations = {"onSuccess": {}, "onFailure": {}}
    assert found[EVENTS] == {
        "maximumRetryAttempts": 1,
        "destinationConfig": destinations,
        "functionName": "ignored",
    }
    assert found[PROVISIONED] == WANTED[PROVISIONED]


def test_provisioned_concurrency_is_waited_for() -> None:
    starting = {**WARM, "Status": "IN_PROGRESS"}
    fake = ScriptedAws({"GetProvisionedConcurrencyConfig": [starting, starting, WARM]})
    lambda_settings.write(fake.aws, WHERE, WANTED, BOTH)
    assert fake.writes == ["PutFunctionEventInvokeConfig", "PutProvisionedConcurrencyConfig"]
    assert fake.params("PutFunctionEventInvokeConfig") == {**WHERE, "MaximumRetryAttempts": 1}
    assert fake.params("PutProvisionedConcurrencyConfig") == {
        **WHERE,
        "ProvisionedConcurrentExecutions": 3,
    }
    assert len(fake.clock.slept) == 2


def test_only_what_changed_is_written() -> None:
    fake = ScriptedAws()
    lambda_settings.write(fake.aws, WHERE, WANTED, frozenset({"description"}))
    assert fake.writes == []


def test_what_the_manifest_does_not_have_goes_away() -> None:
    fake = ScriptedAws()
    lambda_settings.write(fake.aws, WHERE, {}, BOTH)
    assert fake.writes == ["DeleteFunctionEventInvokeConfig", "DeleteProvisionedConcurrencyConfig"]


def test_failure_tells_the_reason_and_is_asked_for_again() -> None:
    failed = {**WARM, "Status": "FAILED", "StatusReason": "FUNCTION_ERROR_INIT_FAILURE"}
    fake = ScriptedAws({"GetProvisionedConcurrencyConfig": failed})
    with pytest.raises(UnderstudyError, match="f:live failed: FUNCTION_ERROR_INIT_FAILURE"):
        lambda_settings.write(fake.aws, WHERE, WANTED, BOTH)
    assert lambda_settings.observe(fake.aws, WHERE, WANTED)[PROVISIONED] is None
