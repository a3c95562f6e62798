import json

import pytest

from tests.unit.cli.conftest import Reached, Understudy
from understudy.reconcile.rollout.model import AliasState, Revision, Rollout
from understudy.targets.rollouts import Rollouts, Undone
from understudy.targets.running import Live
from understudy.targets.workspace import Workspace

ROLLOUT = Rollout(
    alias=AliasState(function="shop", alias="live", version="3", weights={"4": 0.1}),
    revisions=(
        Revision(version="3", digest="sha256:cc", description="git abc", published="today", is_live=True),
        Revision(version="2", digest="", description="", published="", is_live=False),
    ),
    without_proof="a demo",
)
UNDONE = Undone(
    live=Live(function="shop", alias="live", version="2", digest="sha256:bb", previous="3"),
    ended_canary=("4",),
)


@pytest.fixture
def asked(project: Workspace, reach: Reached, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What was asked of the target's releases."""
    found: list[tuple[str, ...]] = []
    reach()

    def read(self: Rollouts, function: str = "") -> tuple[Rollout, ...]:
        found.append(("read", function))
        return (ROLLOUT,)

    def undo(self: Rollouts, function: str = "", to: str = "") -> Undone:
        found.append(("undo", function, to))
        return UNDONE

    monkeypatch.setattr(Rollouts, "read", read)
    monkeypatch.setattr(Rollouts, "undo", undo)
    return found


def test_status_tells_version_digest_canary_and_where_it_comes_from(
    understudy: Understudy, asked: list[tuple[str, ...]]
) -> None:
    done = understudy("rollout", "status", "--function", "shop")
    assert (done.exit_code, asked) == (0, [("read", "shop")])
    assert done.stdout.splitlines() == [
        "shop:live version 3 sha256:cc",
        "  canary: 10% to version 4",
        "  published: today",
        "  from: git abc",
        "  without proof: a demo",
    ]


def test_history_lists_newest_first(understudy: Understudy, asked: list[tuple[str, ...]]) -> None:
    rows = understudy("rollout", "history").stdout.splitlines()
    assert rows[1].split() == ["shop:live", "3", "live", "sha256:cc", "today", "git", "abc"]
    assert rows[2].split() == ["shop:live", "2", "(deleted)"]


def test_undo_tells_where_the_alias_went(understudy: Understudy, asked: list[tuple[str, ...]]) -> None:
    done = understudy("rollout", "undo", "--to-revision", "2")
    assert asked == [("undo", "", "2")]
    assert done.stdout == "shop:live: the canary of version 4 ended\nshop:live: version 3 -> 2 sha256:bb\n"


@pytest.mark.parametrize("command", ["status", "history", "undo"])
def test_programs_get_everything(command: str, understudy: Understudy, asked: list[tuple[str, ...]]) -> None:
    assert "shop" in json.dumps(json.loads(understudy("rollout", command, "-o", "json").stdout))


def test_undo_on_production_wants_a_yes(
    understudy: Understudy, asked: list[tuple[str, ...]], reach: Reached
) -> None:
    reach().production = True
    done = understudy("rollout", "undo")
    assert (done.exit_code, asked) == (1, [])
    assert "go back to the version before on local" in done.stderr
