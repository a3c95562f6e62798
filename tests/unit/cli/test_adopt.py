import pytest

from tests.fakes import project as projects
from tests.fakes.gate import FakeGate
from tests.unit.cli.conftest import Reached, Understudy
from understudy.targets.proofs import ProofGate, Proved
from understudy.targets.workspace import Workspace


def unowned(digest: str) -> dict[str, object]:
    """A function that somebody else made, with another memory size."""
    there = projects.exists(digest, MemorySize=128)
    function = {**there["GetFunction"], "Tags": {"by": "hand"}}  # type: ignore[dict-item]  # a mapping
    return {**there, "GetFunction": function}


@pytest.fixture
def proved(gate: FakeGate, monkeypatch: pytest.MonkeyPatch) -> FakeGate:
    """Nothing stands against the image."""
    monkeypatch.setattr(ProofGate, "check", lambda *_: Proved())
    return gate


@pytest.mark.parametrize(("guarded", "writes"), [(True, []), (False, ["UpdateFunctionConfiguration"])])
def test_an_account_s_resources_are_not_taken_over_unasked(
    guarded: bool,
    writes: list[str],
    understudy: Understudy,
    project: Workspace,
    reach: Reached,
    proved: FakeGate,
) -> None:
    target = reach(unowned(projects.image(project).digest))
    target.guarded = guarded

    done = understudy("apply")

    assert target.fake.writes[:1] == writes
    if guarded:
        assert done.exit_code == 1
        assert (
            "error[resource-foreign]: Function/shop exists, and carries no tag of this stack" in done.stderr
        )
        assert "./understudy adopt Function/shop" in done.stderr


def test_adopt_writes_the_tags_alone(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    before = unowned("sha256:x")
    function = before["GetFunction"]
    after = {**function, "Tags": {"by": "hand", **projects.tags_of("Function.shop")}}  # type: ignore[dict-item]  # a mapping
    target = reach({**before, "GetFunction": [function, after]})

    done = understudy("adopt", "function/shop")

    assert target.fake.writes == ["TagResource"]
    assert target.fake.params("TagResource")["Tags"] == projects.tags_of("Function.shop")
    assert done.stdout == (
        "! Function/shop  (exists, and carries no tag of this stack)\n"
        '    tags.understudy.dev/stack: null -> "shop"\n'
        '    tags.understudy.dev/resource: null -> "Function.shop"\n'
        "1 update\n1 changed\n"
    )
    assert done.exit_code == 0
