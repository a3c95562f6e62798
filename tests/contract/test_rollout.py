"""Releases on a real engine: what works gets the traffic, what does not loses it or never has it."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract import rollout_project
from tests.contract.engine_process import EngineProcess
from tests.contract.rollout_project import (
    ALIVE,
    BEHIND_API,
    LOGS_ERRORS,
    NO_IMPORT,
    RAISES,
    UNHEALTHY,
    Shop,
)
from understudy.errors import UnderstudyError
from understudy.reconcile.errors import ApplyError
from understudy.reconcile.rollout.model import RolloutError
from understudy.targets import http

PREPROD = {"AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "x"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process = EngineProcess(tmp_path_factory.mktemp("engine") / "data").start()
    yield process.url
    process.stop()


@pytest.fixture(scope="module")
def shop(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A project that was deployed once; tests leave its alias at a version that works."""
    made = rollout_project.make(tmp_path_factory.mktemp("project"), engine)
    done = made.deploy(made.image(ALIVE % "first"), description="git abc")
    assert [(one.version, one.is_new) for one in done.live] == [("1", True)]
    return made


def body(shop: Shop) -> str:
    (api,) = shop.aws.call(shop.aws.apigatewayv2().get_apis)["Items"]
    return http.answer(f"{shop.url}/_aws/execute-api/{api['ApiId']}/health", 60).text


def test_a_release_that_works_is_live_and_noted(shop: Shop) -> None:
    before, _ = shop.live()
    digest = shop.image(ALIVE % "second")

    done = shop.deploy(digest, description="git def")

    (live,) = done.live
    assert (live.previous, live.digest, body(shop)) == (before, digest, "second")
    outcomes = {check.name: check.outcome for check in done.checks}
    assert outcomes["GET /health"] == outcomes["cold start"] == "passed"
    assert outcomes[f"log of shop, version {live.version}"] == "passed"
    (rollout,) = shop.rollouts().read()
    assert [one.version for one in rollout.revisions][:2] == [live.version, before]
    assert (rollout.revisions[0].description, rollout.revisions[0].digest) == ("git def", digest)


def test_a_release_of_what_is_live_writes_nothing(shop: Shop) -> None:
    (rollout,) = shop.rollouts().read()
    done = shop.deploy(rollout.revisions[0].digest, "10%/60s")
    assert (done.deployed.report.writes, done.live[0].previous) == ((), "")


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (RAISES, "ValueError: broken release"),
        (NO_IMPORT, "Runtime.ExitError"),
        (UNHEALTHY, "answers GET /health with 503"),
    ],
    ids=["raises", "import-error", "unhealthy"],
)
def test_a_release_that_does_not_work_gets_no_request(handler: str, says: str, shop: Shop) -> None:
    before, served = shop.live(), body(shop)
    with pytest.raises(ApplyError, match=f"still serves version {before[0]}") as caught:
        shop.deploy(shop.image(handler))
    assert says in caught.value.message
    assert (shop.live(), body(shop)) == (before, served)


def test_a_release_that_fails_behind_the_api_goes_back_by_itself(shop: Shop) -> None:
    before, served = shop.live(), body(shop)
    with pytest.raises(RolloutError) as caught:
        shop.deploy(shop.image(BEHIND_API))
    assert "GET /health: 500" in caught.value.message
    assert caught.value.message.endswith(f"; shop:live is back at version {before[0]}")
    assert (shop.live(), body(shop)) == (before, served)
    (rollout,) = shop.rollouts().read()
    assert rollout.revisions[0].version == before[0]


def test_a_canary_that_works_gets_everything(shop: Shop) -> None:
    shop.deploy(shop.image(ALIVE % "canary"), "50%/1s")
    assert (shop.live()[1], body(shop)) == ({}, "canary")


def test_a_canary_that_logs_errors_is_aborted(shop: Shop) -> None:
    before, served = shop.live(), body(shop)
    with pytest.raises(ApplyError, match=r"canary of version .* was aborted: .*broken for some"):
        shop.deploy(shop.image(LOGS_ERRORS), "50%/3s")
    assert (shop.live(), body(shop)) == (before, served)


def canary_under_way(shop: Shop, text: str) -> "rollout_project.subprocess.Popen[str]":
    process = shop.start(shop.image(ALIVE % text), "10%/60s")
    assert process.stdout is not None
    for line in process.stdout:
        if "10% to version" in line:
            break
    assert list(shop.live()[1].values()) == [0.1]
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_canary_leaves_the_alias_as_it_was(number: signal.Signals, shop: Shop) -> None:
    before = shop.live()
    process = canary_under_way(shop, f"interrupted by {number}")

    process.send_signal(number)

    told, _ = process.communicate(timeout=120)
    assert (process.returncode, shop.live()) == (130, before), told
    assert "no alias was moved" in told


def test_a_killed_canary_is_ended_by_undo_and_finished_by_the_next_deploy(shop: Shop) -> None:
    before = shop.live()
    process = canary_under_way(shop, "killed")
    process.kill()
    process.communicate()

    undone = shop.understudy("rollout", "undo", "-o", "json")
    assert undone.returncode == 0, undone.stderr
    assert (shop.live(), len(json.loads(undone.stdout)["ended_canary"])) == (before, 1)

    process = canary_under_way(shop, "killed")
    process.kill()
    process.communicate()
    shop.deploy(shop.image(ALIVE % "killed"))
    assert (shop.live()[1], body(shop)) == ({}, "killed")


def test_undo_goes_back_and_forth_and_tells_the_digest(shop: Shop) -> None:
    first = shop.deploy(shop.image(ALIVE % "one")).live[0]
    second = shop.deploy(shop.image(ALIVE % "two")).live[0]

    undone = shop.understudy("rollout", "undo")
    assert undone.stdout == f"shop:live: version {second.version} -> {first.version} {first.digest}\n"
    assert body(shop) == "one"

    again = shop.understudy("rollout", "undo", "--to-revision", second.version)
    assert (again.returncode, body(shop)) == (0, "two")
    history = json.loads(shop.understudy("rollout", "history", "-o", "json").stdout)
    listed = [one["version"] for one in history[0]["revisions"]]
    assert listed[:2] == [second.version, first.version]


def test_a_history_that_missed_a_move_heals(shop: Shop) -> None:
    first = shop.deploy(shop.image(ALIVE % "noted")).live[0]
    second = shop.deploy(shop.image(ALIVE % "missed")).live[0]
    arn = shop.aws.call(shop.aws.lambda_().get_function, FunctionName="shop")["Configuration"]["FunctionArn"]
    tags = {"understudy.dev/live": f"{first.version} 1"}
    shop.aws.call(shop.aws.lambda_().tag_resource, Resource=arn, Tags=tags)

    shop.deploy(second.digest)

    found = shop.aws.call(shop.aws.lambda_().list_tags, Resource=arn)["Tags"]
    assert found["understudy.dev/live"] == f"{second.version} {first.version} 1"


def test_what_was_proved_locally_is_promoted_and_what_was_not_is_stopped(shop: Shop) -> None:
    digest = shop.image(ALIVE % "proved")
    shop.deploy(digest)
    there = {**PREPROD, "AWS_ENDPOINT_URL": shop.url}

    refused = shop.understudy("promote", "local", "preprod", "--yes", **there)
    assert refused.returncode == 1
    assert "error[proof-e2e]" in refused.stderr
    assert "./understudy e2e --target local" in refused.stderr

    suite = shop.understudy("e2e", "--target", "local", "-q")
    assert suite.returncode == 0, suite.stdout + suite.stderr
    assert "recorded for shop: 1 passed" in suite.stderr
    promoted = shop.understudy("promote", "local", "preprod", "--yes", "-o", "json", **there)
    assert promoted.returncode == 0, promoted.stderr
    (live,) = json.loads(promoted.stdout)["live"]
    assert (live["version"], live["digest"]) == ("1", digest)

    unproved = shop.image(ALIVE % "unproved")
    shop.deploy(unproved)
    reason = ("--without-proof", "a demo")
    passed = shop.understudy("promote", "local", "preprod", "--yes", "-o", "json", *reason, **there)
    assert passed.returncode == 0, passed.stderr
    assert json.loads(passed.stdout)["without_proof"] == "a demo"
    status = json.loads(
        shop.understudy("rollout", "status", "--target", "preprod", "-o", "json", **there).stdout
    )
    assert status[0]["without_proof"] == "a demo"
    assert [one["digest"] for one in status[0]["revisions"]] == [unproved, digest]
    assert "without proof: a demo" in status[0]["revisions"][0]["description"]
    assert "verified, E2E local" in status[0]["revisions"][1]["description"]


def test_functions_that_are_released_together_go_back_together(tmp_path: Path) -> None:
    process = EngineProcess(tmp_path / "data", with_delegate=False).start()
    try:
        both = rollout_project.make(tmp_path / "project", process.url, with_admin=True)
        good = both.image(ALIVE % "one")
        first = both.deploy(good, admin=good)
        assert [(str(one), one.version) for one in first.live] == [
            ("shop:live", "1"),
            ("admin:live", "1"),
            ("worker", "$LATEST"),
        ]
        newer, broken = both.image(ALIVE % "two"), both.image(BEHIND_API)

        with pytest.raises(RolloutError, match="admin:live, version 2: GET /health: 500") as caught:
            both.deploy(newer, admin=broken)
        assert "shop:live is back at version 1" in caught.value.message
        assert "admin:live is back at version 1" in caught.value.message
        assert (both.live(), both.live("admin")) == (("1", {}), ("1", {}))

        with pytest.raises(UnderstudyError, match="shop:live, admin:live"):
            both.rollouts().undo()
        done = both.deploy(newer, admin=good)
        assert [(str(one), one.digest) for one in done.live] == [
            ("shop:live", newer),
            ("admin:live", good),
            ("worker", good),
        ]
    finally:
        process.stop()
