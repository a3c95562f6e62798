import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from tests.fakes.aws import Cut, FakeClock, Refusal, ScriptedAws
from understudy.errors import EnvironmentProblemError
from understudy.reconcile import retries
from understudy.reconcile.errors import AwsError

ROLE = Refusal(code="InvalidParameterValueException", message="The role cannot be assumed by Lambda.")
BUSY = Refusal(code="ResourceConflictException", message="An update is in progress for resource", status=409)
EXISTS = Refusal(code="ResourceConflictException", message="Function already exist: f", status=409)
DOWN = Refusal(code="ServiceException", status=500)
FAST = Refusal(code="ThrottlingException", message="Rate exceeded")


def create_alias(fake: ScriptedAws) -> object:
    return fake.aws.call(fake.aws.lambda_().create_alias, FunctionName="f", Name="a", FunctionVersion="1")


@pytest.mark.parametrize(
    "refusal",
    [
        ROLE,
        BUSY,
        DOWN,
        FAST,
        Cut(),
        Refusal(code="ConcurrentModificationException"),
        Refusal(code="Throttling", message="Rate exceeded"),
        Refusal(code="TooManyRequestsException", message="Too Many Requests", status=429),
        Refusal(code="SlowDown", status=503),
        Refusal(code="ServiceUnavailable", status=503),
        Refusal(code="504", status=504),
    ],
    ids=str,
)
def test_what_may_be_repeated_is_asked_again(refusal: Refusal | Cut) -> None:
    fake = ScriptedAws({"GetFunction": [refusal, refusal, {"Tags": {"a": "b"}}]})
    assert fake.aws.call(fake.aws.lambda_().get_function, FunctionName="f")["Tags"] == {"a": "b"}
    assert len(fake.clock.slept) == 2


@pytest.mark.parametrize("refusal", [ROLE, BUSY, FAST], ids=str)
def test_create_that_was_refused_for_now_is_made_again(refusal: Refusal) -> None:
    fake = ScriptedAws({"CreateAlias": [refusal, {"Name": "a"}]})
    create_alias(fake)
    assert fake.writes == ["CreateAlias", "CreateAlias"]


@pytest.mark.parametrize(
    ("failure", "error"), [(DOWN, AwsError), (Cut(), EnvironmentProblemError)], ids=["5xx", "cut"]
)
def test_create_that_may_have_happened_is_not_repeated(
    failure: Refusal | Cut, error: type[Exception]
) -> None:
    fake = ScriptedAws({"CreateAlias": failure})
    with pytest.raises(error) as caught:
        create_alias(fake)
    assert (fake.writes, fake.clock.slept) == (["CreateAlias"], [])
    assert caught.value.retryable  # type: ignore[attr-defined]  # both are ours


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


@pytest.mark.parametrize(
    "refusal",
    [
        EXISTS,
        Refusal(code="AccessDeniedException", status=403),
        Refusal(code="LimitExceededException", message="at most 100 APIs", status=429),
        Refusal(code="ValidationException"),
    ],
    ids=str,
)
def test_the_rest_is_told_at_once(refusal: Refusal) -> None:
    fake = ScriptedAws({"GetFunction": refusal})
    with pytest.raises(AwsError):
        fake.aws.call(fake.aws.lambda_().get_function, FunctionName="f")
    assert fake.clock.slept == []


@pytest.mark.parametrize(
    ("error", "low", "high"),
    [
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), 2, 8),
        (ConnectTimeoutError(endpoint_url="http://127.0.0.1:9"), 55, 70),
    ],
    ids=["refused", "timeout"],
)
def test_endpoint_that_cannot_be_reached_is_tried_for_its_own_time(
    error: Exception, low: float, high: float
) -> None:
    clock = FakeClock()
    operation = ScriptedAws().aws.lambda_().meta.service_model.operation_model("CreateAlias")
    context: dict[str, object] = {"context": {}}
    attempts = 0
    while True:
        attempts += 1
        if retries.Retries(clock=clock)(None, operation, attempts, error, context) is None:
            break
    assert low <= clock.time <= high


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("GetApi", True),
        ("PutRolePolicy", True),
        ("DeleteApi", True),
        ("UpdateFunctionCode", True),
        ("TagResource", True),
        ("CreateApi", False),
        ("PublishVersion", False),
        ("AddPermission", False),
        ("UpdateTable", False),
        ("UpdateTimeToLive", False),
        ("Invoke", False),
    ],
)
def test_what_does_the_same_twice_is_told_by_its_name(operation: str, expected: bool) -> None:
    assert retries.is_repeatable(operation) is expected
