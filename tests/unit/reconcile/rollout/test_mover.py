import io
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, key, observed
from understudy.errors import UnderstudyError
from understudy.reconcile.rollout.model import Canary, InterruptedRolloutError, Moved, RolloutError, Subject
from understudy.reconcile.rollout.mover import LiveMover

DIGEST = f"sha256:{'a' * 64}"
SHOP = {"shop": Subject(key=key("Function/shop"), function="shop", digest=DIGEST, door=key("API/shop"))}
TENTH = Canary(share=0.1, seconds=30)


class Lambda:
    """One alias that keeps what it is told, in front of versions that answer as told."""

    def __init__(self, *, version: str = "1", weights: Mapping[str, float] | None = None) -> None:
        self.version = version
        self.weights = dict(weights or {})
        self.revision = 1
        self.status: Callable[[], int] = lambda: 200
        self.error = ""
        self.executed = ""
        self.digest = DIGEST
        self.lines: list[tuple[str, str]] = []

    def answers(self) -> dict[str, Any]:
        return {
            "GetAlias": self._alias,
            "UpdateAlias": self._update,
            "GetFunction": lambda _: {"Code": {"ResolvedImageUri": f"host/shop@{self.digest}"}},
            "GetFunctionConfiguration": {"FunctionName": "shop"},
            "Invoke": self._invoke,
            "FilterLogEvents": lambda _: {"events": [self._event(*one) for one in enumerate(self.lines)]},
        }

    def _alias(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "Name": "live",
            "AliasArn": "arn:live",
            "FunctionVersion": self.version,
            "RevisionId": str(self.revision),
            "RoutingConfig": {"AdditionalVersionWeights": self.weights},
        }

    def _update(self, params: Mapping[str, Any]) -> dict[str, Any]:
        assert params["RevisionId"] == str(self.revision)
        self.version = params["FunctionVersion"]
        self.weights = params["RoutingConfig"]["AdditionalVersionWeights"]
        self.revision += 1
        return self._alias(params)

    def _invoke(self, params: Mapping[str, Any]) -> dict[str, Any]:
        payload = {"statusCode": self.status(), "body": ""}
        if self.error:
            payload = {"errorType": self.error, "errorMessage": "no"}
        return {
            "Payload": io.BytesIO(json.dumps(payload).encode()),
            "ExecutedVersion": self.executed or params["FunctionName"].rpartition(":")[2],
            **({"FunctionError": "Unhandled"} if self.error else {}),
        }

    @staticmethod
    def _event(number: int, line: tuple[str, str]) -> dict[str, Any]:
        version, message = line
        stream = f"2026/01/31/[{version}]a"
        return {"timestamp": 5, "logStreamName": stream, "eventId": str(number), "message": message}


def move(
    one: Lambda, mover: LiveMover, *, to: str = "2", answers: Mapping[str, Any] | None = None
) -> ScriptedAws:
    fake = ScriptedAws({**one.answers(), **(answers or {})})
    spec = {"name": "live", "functionName": "shop", "functionVersion": to}
    mover.move(
        fake.aws, desired("Alias/live", spec), observed("Alias/live", {**spec, "functionVersion": "1"})
    )
    return fake


def test_an_alias_moves_to_a_version_that_answers() -> None:
    one, mover = Lambda(), LiveMover(subjects=SHOP)

    fake = move(one, mover)

    assert (one.version, one.weights) == ("2", {})
    assert [name for name, _ in fake.calls if name in ("Invoke", "UpdateAlias")] == ["Invoke", "UpdateAlias"]
    assert fake.params("Invoke")["FunctionName"] == "shop:2"
    assert mover.moves == [Moved(function="shop", alias="live", old="1", new="2")]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"digest": f"sha256:{'b' * 64}"}, "expected sha256:aaa"),
        ({"digest": ""}, "runs no image"),
        ({"error": "Runtime.ImportModuleError"}, "version 2 of shop fails: Runtime.ImportModuleError: no"),
        ({"executed": "1"}, "did not answer, version 1 did"),
        ({"status": lambda: 500}, "answers GET /health with 500"),
    ],
    ids=["other-digest", "no-digest", "error", "other-version", "unhealthy"],
)
def test_a_version_that_does_not_work_gets_no_traffic(broken: dict[str, Any], says: str) -> None:
    one, mover = Lambda(), LiveMover(subjects=SHOP)
    for name, value in broken.items():
        setattr(one, name, value)

    with pytest.raises(RolloutError) as caught:
        move(one, mover)

    assert says in caught.value.message
    assert caught.value.message.endswith("shop:live still serves version 1")
    assert (one.version, one.revision, mover.moves) == ("1", 1, [])


def test_a_function_that_http_does_not_reach_is_not_invoked() -> None:
    one = Lambda()
    worker = {"shop": Subject(key=key("Function/shop"), function="shop", digest=DIGEST)}
    fake = move(one, LiveMover(subjects=worker))
    assert one.version == "2"
    assert "Invoke" not in [name for name, _ in fake.calls]


def test_a_canary_gets_its_share_for_its_time_and_then_all() -> None:
    one, said = Lambda(), list[str]()
    one.lines = [("2", "REPORT RequestId: a\tDuration: 1 ms"), ("1", "[ERROR] as ever")]

    fake = move(one, LiveMover(subjects=SHOP, canary=TENTH, say=said.append, now_ms=lambda: 5))

    updates = [params for name, params in fake.calls if name == "UpdateAlias"]
    shares = [params["RoutingConfig"]["AdditionalVersionWeights"] for params in updates]
    assert [(params["FunctionVersion"], share) for params, share in zip(updates, shares, strict=True)] == [
        ("1", {"2": 0.1}),
        ("2", {}),
    ]
    assert fake.clock.time == pytest.approx(30)
    assert [name for name, _ in fake.calls].count("Invoke") == 6
    assert "shop:live: 10% to version 2 for 30 s" in said


@pytest.mark.parametrize("line", ["Runtime.ExitError", "[ERROR] ValueError: no"], ids=["fatal", "errors"])
def test_a_canary_that_fails_is_taken_back(line: str) -> None:
    one, mover = Lambda(), LiveMover(subjects=SHOP, canary=TENTH, now_ms=lambda: 5)
    one.lines = [("2", line)]

    with pytest.raises(RolloutError) as caught:
        move(one, mover)

    assert caught.value.code == "canary-aborted"
    assert line in caught.value.message
    assert "still serves version 1" in caught.value.message
    assert (one.version, one.weights, mover.moves) == ("1", {}, [])


def test_a_canary_whose_probe_fails_later_is_taken_back() -> None:
    one = Lambda()
    statuses = iter([200, 200, 503])
    one.status = lambda: next(statuses)
    with pytest.raises(RolloutError, match="with 503"):
        move(one, LiveMover(subjects=SHOP, canary=TENTH))
    assert (one.version, one.weights) == ("1", {})


def test_a_look_that_aws_cuts_off_is_not_the_end_of_a_canary() -> None:
    one = Lambda()
    busy = Refusal(code="ServiceException", status=500)
    answers = {"FilterLogEvents": [busy] * 5 + [one.answers()["FilterLogEvents"]]}
    move(one, mover := LiveMover(subjects=SHOP, canary=TENTH), answers=answers)
    assert (one.version, one.weights, len(mover.moves)) == ("2", {}, 1)


def test_a_canary_whose_last_look_saw_nothing_is_taken_back() -> None:
    one = Lambda()
    answers = {"FilterLogEvents": Refusal(code="ServiceException", status=500)}
    with pytest.raises(UnderstudyError, match="ServiceException"):
        move(one, LiveMover(subjects=SHOP, canary=TENTH), answers=answers)
    assert (one.version, one.weights) == ("1", {})


def test_an_interrupted_canary_is_taken_back() -> None:
    one, stop = Lambda(), threading.Event()
    one.status = lambda: stop.set() or 200  # type: ignore[func-returns-value]
    with pytest.raises(InterruptedRolloutError, match="shop:live serves version 1"):
        move(one, LiveMover(subjects=SHOP, canary=TENTH, stop=stop))
    assert (one.version, one.weights) == ("1", {})


def test_a_canary_that_cannot_be_taken_back_is_told_with_the_command() -> None:
    one = Lambda()
    one.lines = [("2", "Runtime.ExitError")]
    answers = {"UpdateAlias": [one.answers()["UpdateAlias"], Refusal(code="AccessDeniedException")]}
    with pytest.raises(UnderstudyError) as caught:
        move(one, LiveMover(subjects=SHOP, canary=TENTH, now_ms=lambda: 5), answers=answers)
    assert (caught.value.code, caught.value.hint) == (
        "canary-left",
        "./understudy rollout undo, with the same --target",
    )


def test_the_canary_of_a_killed_deploy_ends_before_the_next_begins() -> None:
    one, said = Lambda(weights={"2": 0.1}), list[str]()
    one.status = lambda: 500
    with pytest.raises(RolloutError):
        move(one, LiveMover(subjects=SHOP, say=said.append))
    assert (one.version, one.weights) == ("1", {})
    assert said == ["shop:live: the canary of version 2 ends"]


def test_weights_left_behind_alone_are_taken_away_without_a_probe() -> None:
    one = Lambda(version="2", weights={"3": 0.1})
    fake = move(one, mover := LiveMover(subjects=SHOP))
    assert (one.version, one.weights, mover.moves) == ("2", {}, [])
    assert fake.writes == ["UpdateAlias"]


def test_an_alias_that_somebody_else_moved_is_left_to_them() -> None:
    refused = {"UpdateAlias": Refusal(code="PreconditionFailedException", status=412)}
    one = Lambda()
    with pytest.raises(UnderstudyError, match="was moved by somebody else"):
        move(one, LiveMover(subjects=SHOP), answers=refused)


def test_a_write_whose_answer_was_lost_counts() -> None:
    one = Lambda()

    refusal = Refusal(code="PreconditionFailedException", status=412)
    answers = {"UpdateAlias": refusal, "GetAlias": [one.answers()["GetAlias"], _after(one)]}
    move(one, mover := LiveMover(subjects=SHOP), answers=answers)
    assert [each.new for each in mover.moves] == ["2"]


def _after(one: Lambda) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    return lambda params: {**one.answers()["GetAlias"](params), "FunctionVersion": "2"}
