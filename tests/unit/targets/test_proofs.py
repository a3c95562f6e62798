import datetime as dt
from pathlib import Path

import pytest

from tests.fakes import project as projects
from tests.fakes.aws import ScriptedAws
from tests.fakes.project import ScriptedTarget
from understudy.image.builder.model import STAND_IN_LABEL
from understudy.image.store import Store
from understudy.targets import proof_key, suite
from understudy.targets.launches import FunctionLaunch
from understudy.targets.proofs import ProofGate, ProofMissingError, Proved, ProvedGate
from understudy.targets.verification import Gate
from understudy.targets.workspace import Workspace
from understudy.verify import e2e
from understudy.verify.e2e import SuiteRun
from understudy.verify.proof import Claim, Proof

NOON = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A project with a suite, whose images verify has proved."""
    monkeypatch.delenv(proof_key.VARIABLE, raising=False)
    found = projects.make(tmp_path / "project")
    (found.root / suite.FOLDER).mkdir(parents=True)
    (found.root / suite.FOLDER / "test_a.py").write_text("one")
    _verified(monkeypatch, yes=True)
    return found


def _verified(monkeypatch: pytest.MonkeyPatch, *, yes: bool) -> None:
    def find(self: Gate, launch: FunctionLaunch, digest: str) -> Proof | None:
        claim = Claim(digest=digest, launch="l", rule_set="r")
        return Proof(digest="sha256:1", claim=claim, created="", verdict="") if yes else None

    monkeypatch.setattr(Gate, "find", find)


def gate(workspace: Workspace, *, guarded: bool = True) -> ProofGate:
    store = Store(workspace.layout.store).open()
    target = ScriptedTarget(ScriptedAws(), name="preprod", guarded=guarded)
    verified = Gate(workspace=workspace, target=target, store=store, report=lambda _: None)
    return ProofGate(workspace=workspace, target=target, store=store, gate=verified)


def passed(workspace: Workspace, digest: str, target_type: str = "local") -> None:
    run = SuiteRun(
        name="shop",
        digest=digest,
        function="shop:live",
        version="1",
        target=target_type,
        target_type=target_type,
        suite=suite.revision(workspace.root),
        passed=3,
        failed=0,
        skipped=0,
    )
    e2e.write(Store(workspace.layout.store).open(), proof_key.load(workspace.layout), run, NOON)


def refusal(workspace: Workspace, digest: str) -> ProofMissingError:
    with pytest.raises(ProofMissingError) as caught:
        gate(workspace).check({"shop": digest}, "")
    return caught.value


def test_an_image_with_both_halves_passes_and_says_so(workspace: Workspace) -> None:
    digest = projects.image(workspace).digest
    passed(workspace, digest)
    found = gate(workspace).check({"shop": digest}, "")
    assert found.words.startswith("verified, E2E local sha256:")
    assert found.reason == ""


def test_a_project_without_a_suite_has_no_record_and_may_give_a_reason(workspace: Workspace) -> None:
    digest = projects.image(workspace).digest
    (workspace.root / suite.FOLDER / "test_a.py").unlink()
    assert refusal(workspace, digest).code == "proof-e2e"
    assert gate(workspace).check({"shop": digest}, "no suite yet").reason == "no suite yet"


def test_commands_that_take_no_reason_refuse_what_is_not_proved(workspace: Workspace) -> None:
    digest = projects.image(workspace).digest
    both = ProvedGate(proofs=gate(workspace))
    with pytest.raises(ProofMissingError):
        both.check({"shop": digest})
    passed(workspace, digest)
    both.check({"shop": digest})


def test_an_image_without_the_suites_record_is_refused_with_the_command(workspace: Workspace) -> None:
    error = refusal(workspace, projects.image(workspace).digest)
    assert error.code == "proof-e2e"
    assert error.hint.startswith("./understudy e2e --target local")


def test_a_suite_that_changed_since_does_not_count(workspace: Workspace) -> None:
    digest = projects.image(workspace).digest
    passed(workspace, digest)
    (workspace.root / suite.FOLDER / "test_b.py").write_text("more")
    assert "the suite changed since it passed on local" in refusal(workspace, digest).message


def test_a_suite_that_passed_on_an_account_is_no_proof_for_one(workspace: Workspace) -> None:
    digest = projects.image(workspace).digest
    passed(workspace, digest, "aws")
    assert refusal(workspace, digest).code == "proof-e2e"


def test_an_image_that_verify_has_not_proved_is_refused(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = projects.image(workspace).digest
    passed(workspace, digest)
    _verified(monkeypatch, yes=False)
    error = refusal(workspace, digest)
    assert error.code == "proof-verify"
    assert "as function shop runs it" in error.message
    assert error.hint.startswith("./understudy verify --target preprod")


def test_a_stand_in_base_is_refused_though_both_halves_are_there(workspace: Workspace) -> None:
    digest = projects.image(workspace, labels={STAND_IN_LABEL: "aws/base:1"}).digest
    passed(workspace, digest)
    error = refusal(workspace, digest)
    assert error.code == "proof-stand-in"
    assert "is on the stand-in for aws/base:1" in error.message


def test_everything_that_is_missing_is_told_at_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    _verified(monkeypatch, yes=False)
    error = refusal(workspace, projects.image(workspace, labels={STAND_IN_LABEL: "b"}).digest)
    assert error.message.count("\n  also: ") == 2


def test_a_reason_passes_and_goes_on_record(workspace: Workspace) -> None:
    digest = projects.image(workspace).digest
    assert gate(workspace).check({"shop": digest}, "a demo") == Proved(
        words="without proof: a demo", reason="a demo"
    )


def test_a_reason_that_is_not_needed_is_not_recorded(workspace: Workspace) -> None:
    digest = projects.image(workspace).digest
    passed(workspace, digest)
    assert gate(workspace).check({"shop": digest}, "a demo").reason == ""


def test_a_target_that_is_no_account_asks_for_nothing(workspace: Workspace) -> None:
    assert gate(workspace, guarded=False).check({"shop": "sha256:0"}, "") == Proved()
