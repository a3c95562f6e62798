import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import findings, project
from tests.fakes.findings import finding
from understudy.errors import UnderstudyError
from understudy.image.model import Image
from understudy.image.store import Store, attachments
from understudy.targets import target
from understudy.targets.events import Done, Event, Failed, Noticed
from understudy.targets.verification import BackgroundGate, Gate, VerificationFailedError
from understudy.targets.workspace import Workspace
from understudy.verify import proof, run, subject
from understudy.verify.model import Severity
from understudy.verify.report import Report
from understudy.verify.run import Request

FAILED = replace(findings.BOOT, passed=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return project.make(tmp_path)


@pytest.fixture
def image(workspace: Workspace) -> Image:
    return project.image(workspace)


class Runs:
    """Plays `run.verify`: no rule and no sandbox, the report that a test wants."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.facts: dict[str, Any] = {}

    def __call__(self, request: Request, places: run.Places, progress: run.Progress) -> Report:
        self.requests.append(request)
        progress("looking at its files")
        image = places.store.image(request.reference)
        launch = subject.effective_launch(image.config, request.launch)
        made = findings.report(
            self.facts.get("findings", ()),
            digest=image.digest,
            reference=request.name,
            allowed=request.allowed,
            **{key: value for key, value in self.facts.items() if key != "findings"},
        )
        return replace(made, launch=launch, rule_set=run.version.rule_set())


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    monkeypatch.setattr(run, "verify", made)
    return made


@pytest.fixture
def gate(workspace: Workspace) -> tuple[Gate, list[Event]]:
    told: list[Event] = []
    return Gate(
        workspace=workspace,
        target=target.find(workspace.project, "local"),
        store=Store(workspace.layout.store).open(),
        report=told.append,
    ), told


def test_an_image_that_passes_gets_a_proof_and_is_not_verified_again(
    gate: tuple[Gate, list[Event]], image: Image, runs: Runs
) -> None:
    first = gate[0].check({"shop": image.digest})
    second = gate[0].check({"shop": image.digest})

    assert len(runs.requests) == 1
    assert runs.requests[0].launch.memory_mb == 256
    assert second[0].proof == first[0].proof
    assert attachments.attached(gate[0].store, image.digest, proof.ARTIFACT_TYPE)
    done = [event for event in gate[1] if isinstance(event, Done)]
    assert done[0].detail.startswith("starts on Lambda; init 312 ms")
    assert done[1].detail == "proved before"


def test_a_failing_image_is_refused_with_cause_place_and_fix(
    gate: tuple[Gate, list[Event]], image: Image, runs: Runs
) -> None:
    runs.facts = {"findings": [finding()], "boot": FAILED}

    with pytest.raises(VerificationFailedError) as raised:
        gate[0].check({"shop": image.digest})

    assert "image shop would not start on Lambda, nothing was pushed" in raised.value.message
    assert "✗ abi-mismatch" in raised.value.message
    assert "app/Dockerfile:1" in raised.value.message
    assert "fix     pip install" in raised.value.message
    assert attachments.attached(gate[0].store, image.digest) == ()


def test_what_may_fail_is_noticed_and_passes(
    gate: tuple[Gate, list[Event]], image: Image, runs: Runs
) -> None:
    runs.facts = {"findings": [finding(severity=Severity.MAY_FAIL)]}

    gate[0].check({"shop": image.digest})

    (notice,) = [event for event in gate[1] if isinstance(event, Noticed)]
    assert notice.text.startswith("abi-mismatch: ")


def test_an_inconclusive_boot_passes_without_a_proof(
    gate: tuple[Gate, list[Event]], image: Image, runs: Runs
) -> None:
    network = finding("boot-network", severity=Severity.MAY_FAIL, source="boot")
    runs.facts = {"findings": [network], "boot": FAILED}

    (judged,) = gate[0].check({"shop": image.digest})

    assert judged.proof is None
    assert gate[0].find(judged.launch, image.digest) is None


def test_allowing_a_rule_lets_it_pass_and_the_proof_counts_only_with_it(
    gate: tuple[Gate, list[Event]], image: Image, runs: Runs
) -> None:
    runs.facts = {"findings": [finding()], "boot": None}
    strict, _ = gate
    lenient = replace(strict, allowed={"abi-mismatch": "never imported"})

    (judged,) = lenient.check({"shop": image.digest})

    assert judged.proof is not None
    # The image could be booted here, and a proof without a boot is no proof then.
    assert lenient.find(judged.launch, image.digest) is None
    with pytest.raises(VerificationFailedError):
        strict.check({"shop": image.digest})


class Collected:
    """What a background gate told, and when it was done."""

    def __init__(self) -> None:
        self.passed: list[tuple[str, str]] = []

    def __call__(self, name: str, digest: str) -> None:
        self.passed.append((name, digest))


@pytest.fixture
def background(gate: tuple[Gate, list[Event]]) -> Callable[[], tuple[BackgroundGate, Collected]]:
    def make() -> tuple[BackgroundGate, Collected]:
        collected = Collected()
        return BackgroundGate(gate[0], collected, quiet_s=0.0), collected

    return make


def test_a_released_image_is_verified_later_and_its_proof_follows(
    background: Callable[[], tuple[BackgroundGate, Collected]], image: Image, runs: Runs
) -> None:
    later, collected = background()
    later.submit("shop", image.digest).result(30)
    later.close()
    assert collected.passed == [("shop", image.digest)]


def test_a_released_image_that_fails_is_told_and_goes_on_running(
    background: Callable[[], tuple[BackgroundGate, Collected]],
    gate: tuple[Gate, list[Event]],
    image: Image,
    runs: Runs,
) -> None:
    runs.facts = {"findings": [finding()], "boot": FAILED}
    later, collected = background()
    later.submit("shop", image.digest).result(30)
    later.close()
    (failed,) = [event for event in gate[1] if isinstance(event, Failed)]
    assert "it runs on local AWS only" in failed.error
    assert "✗ abi-mismatch" in failed.error
    assert collected.passed == []


def test_what_cannot_be_verified_in_the_background_is_told(
    background: Callable[[], tuple[BackgroundGate, Collected]],
    gate: tuple[Gate, list[Event]],
    image: Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> Report:
        raise UnderstudyError("image-gone", "the image is gone", hint="build it")

    monkeypatch.setattr(run, "verify", broken)
    later, _ = background()
    later.submit("shop", image.digest).result(30)
    later.close()
    assert any(isinstance(event, Failed) and "image-gone" in event.error for event in gate[1])


def test_only_the_newest_save_is_verified(
    gate: tuple[Gate, list[Event]], workspace: Workspace, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = project.image(workspace)
    held = threading.Event()
    monkeypatch.setattr(
        run, "verify", lambda *arguments: runs(*arguments) if held.wait(30) else pytest.fail("never let go")
    )
    later = BackgroundGate(gate[0], Collected(), quiet_s=0.0)
    first = later.submit("shop", image.digest)
    stale = later.submit("shop", f"sha256:{'1' * 64}")
    newest = later.submit("shop", image.digest)
    held.set()
    for one in (first, stale, newest):
        one.result(30)
    later.close()
    assert {request.reference for request in runs.requests} == {image.digest}


def test_closing_forgets_what_has_not_begun(gate: tuple[Gate, list[Event]], image: Image, runs: Runs) -> None:
    later = BackgroundGate(gate[0], Collected(), quiet_s=30.0)
    later.submit("shop", image.digest)
    later.close()
    assert runs.requests == []
