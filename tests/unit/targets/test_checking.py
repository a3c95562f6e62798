from dataclasses import replace

import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.fakes.project import ScriptedTarget
from tests.unit.reconcile.builders import key, observed
from understudy.errors import UnderstudyError
from understudy.reconcile.model import Observed
from understudy.reconcile.rollout.checks import Answer
from understudy.reconcile.rollout.model import Moved, RolloutError, Subject
from understudy.reconcile.rollout.mover import LiveMover
from understudy.targets.checking import Checker
from understudy.targets.events import Event
from understudy.targets.running import Live

SHOP = Subject(
    key=key("Function/shop"), function="shop", digest="sha256:aa", aliases=("live",), door=key("API/a")
)
LIVE = Live(function="shop", alias="live", version="2", digest="sha256:aa")
THERE = Observed(resources={key("API/a"): observed("API/a", {}, apiID="x1")})
ALIAS = {"Name": "live", "AliasArn": "arn:live", "FunctionVersion": "2", "RevisionId": "r"}


def checker(fake: ScriptedAws, status: int = 200) -> tuple[Checker, list[str], list[Event]]:
    asked: list[str] = []
    events: list[Event] = []

    def get(url: str, timeout_s: float) -> Answer:
        asked.append(url)
        return Answer(status=status, seconds=0.1)

    target = ScriptedTarget(fake)
    return Checker(aws=fake.aws, target=target, report=events.append, step="deploy", get=get), asked, events


def moved(fake: ScriptedAws, *, by: BaseException | None) -> list[Event]:
    one, _, events = checker(fake)
    mover = LiveMover(subjects={"shop": SHOP})
    with one.returning(mover):
        mover.moves.append(Moved(function="shop", alias="live", old="1", new="2"))
        if by is not None:
            raise by
    return events


def test_an_app_is_asked_where_its_api_answers() -> None:
    one, asked, _ = checker(ScriptedAws())
    found = one.look(SHOP, LIVE, THERE, began_ms=0, request_id="")
    assert asked == ["http://127.0.0.1:9/x1/health", "http://127.0.0.1:9/x1/ready"]
    assert [each.outcome for each in found] == ["passed", "passed"]


def test_an_app_behind_a_rest_api_is_asked_below_its_stage_if_every_path_is_its_own() -> None:
    rest = replace(SHOP, door=key("RestAPI/a"), stage="v1")
    there = Observed(resources={key("RestAPI/a"): observed("RestAPI/a", {}, id="r1")})
    one, asked, _ = checker(ScriptedAws())
    one.look(rest, LIVE, there, began_ms=0, request_id="")
    assert asked == ["http://127.0.0.1:9/r1/v1/health", "http://127.0.0.1:9/r1/v1/ready"]
    assert one.look(replace(rest, is_whole=False), LIVE, there, began_ms=0, request_id="") == ()


def test_the_log_is_read_only_after_a_move() -> None:
    fake = ScriptedAws({"GetFunctionConfiguration": {}, "FilterLogEvents": {"events": []}})
    one, _, _ = checker(fake)
    new = Live(function="shop", alias="live", version="2", digest="sha256:aa", previous="1")
    found = one.look(SHOP, new, Observed(resources={}), began_ms=7, request_id="")
    assert [each.name for each in found] == ["log of shop, version 2", "cold start"]
    assert fake.params("FilterLogEvents")["startTime"] == 7


def test_a_check_that_fails_names_function_version_and_finding() -> None:
    one, _, _ = checker(ScriptedAws(), status=500)
    with pytest.raises(RolloutError) as caught:
        one.look(SHOP, LIVE, THERE, began_ms=0, request_id="")
    assert caught.value.message.startswith("shop:live, version 2: GET /health: 500")
    assert caught.value.hint == "./understudy logs shop --target local"


def test_what_moved_goes_back_when_the_rest_fails() -> None:
    fake = ScriptedAws({"GetAlias": ALIAS, "UpdateAlias": ALIAS})
    with pytest.raises(RolloutError) as caught:
        moved(fake, by=UnderstudyError("x", "it failed", hint="h"))
    assert caught.value.message == "it failed; shop:live is back at version 1"
    assert fake.params("UpdateAlias")["FunctionVersion"] == "1"


def test_what_moved_goes_back_when_the_user_stops_it() -> None:
    fake = ScriptedAws({"GetAlias": ALIAS, "UpdateAlias": ALIAS})
    with pytest.raises(KeyboardInterrupt):
        moved(fake, by=KeyboardInterrupt())
    assert fake.writes == ["UpdateAlias"]


def test_what_works_stays() -> None:
    fake = ScriptedAws({"GetAlias": ALIAS})
    moved(fake, by=None)
    assert fake.calls == []


def test_what_somebody_else_moved_meanwhile_is_theirs() -> None:
    fake = ScriptedAws({"GetAlias": {**ALIAS, "FunctionVersion": "9"}})
    with pytest.raises(RolloutError, match="was moved to version 9 by somebody else and stays there"):
        moved(fake, by=RolloutError("x", "it failed", hint="h"))
    assert fake.writes == []


def test_a_move_that_did_not_get_through_is_told_as_it_is() -> None:
    fake = ScriptedAws({"GetAlias": {**ALIAS, "FunctionVersion": "1"}})
    with pytest.raises(RolloutError, match="shop:live serves version 1, as before"):
        moved(fake, by=RolloutError("x", "it failed", hint="h"))
    assert fake.writes == []


def test_an_alias_that_cannot_go_back_is_told_with_the_command() -> None:
    fake = ScriptedAws({"GetAlias": Refusal(code="AccessDeniedException", status=403)})
    with pytest.raises(UnderstudyError) as caught:
        moved(fake, by=RolloutError("x", "it failed", hint="h"))
    assert (caught.value.code, caught.value.hint) == (
        "alias-left",
        "./understudy rollout undo --target local",
    )


def test_a_failure_before_any_move_is_told_as_it_is() -> None:
    one, _, _ = checker(ScriptedAws())
    with pytest.raises(UnderstudyError, match=r"x\]: it failed\n"), one.returning(LiveMover(subjects={})):
        raise UnderstudyError("x", "it failed", hint="h")


@pytest.mark.parametrize(
    ("live", "says"),
    [
        (replace(LIVE, is_new=True), "there is no version to go back to, and it stays"),
        (LIVE, "nothing goes back by itself: ./understudy rollout undo does"),
    ],
)
def test_what_cannot_go_back_is_told(live: Live, says: str) -> None:
    one, _, _ = checker(ScriptedAws(), status=500)
    with pytest.raises(RolloutError, match=says):
        one.look(SHOP, live, THERE, began_ms=0, request_id="")
