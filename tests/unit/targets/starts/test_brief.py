from pathlib import Path

import pytest

from tests.fakes import project as projects
from tests.fakes.aws import ScriptedAws
from tests.fakes.coldstarts import Starts
from tests.fakes.project import ScriptedTarget
from tests.fakes.runtime import RuntimeClient
from understudy.coldstart import measure
from understudy.coldstart.model import Condition, Report
from understudy.errors import UnderstudyError
from understudy.image.builder import STAND_IN_LABEL
from understudy.image.store import Store
from understudy.sandbox import executors
from understudy.targets.events import Done, Event, Started
from understudy.targets.starts import brief
from understudy.targets.starts.measuring import Wanted


class Lab:
    """A project with two images of one name, an old one and a new one."""

    def __init__(self, root: Path) -> None:
        self.workspace = projects.make(root)
        self.old = projects.image(self.workspace, files={"old": ""}).digest
        self.new = projects.image(self.workspace, files={"new": ""}, labels={STAND_IN_LABEL: "base:1"}).digest
        self.starts = Starts()
        self.events: list[Event] = []

    def run(self, wanted: Wanted, *digests: str) -> list[Report]:
        """Measures."""
        store = Store(self.workspace.layout.store).open()
        target = ScriptedTarget(ScriptedAws())
        return brief.run(self.workspace, target, store, wanted, digests, self.events.append)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    made = Lab(tmp_path / "project")
    monkeypatch.setattr(executors, "make", made.starts.make)
    return made


def test_two_digests_take_turns_and_each_has_its_report(lab: Lab) -> None:
    old, new = lab.run(Wanted(image="shop", runs=2, event_name="GET /health"), lab.old, lab.new)

    assert [(one.digest, one.stand_in_for) for one in (old, new)] == [(lab.old, ""), (lab.new, "base:1")]
    assert {(one.image, one.function, one.event) for one in (old, new)} == {("shop", "shop", "GET /health")}
    assert old.host == new.host == measure.host()
    for one in (old, new):
        assert [(series.condition, len(series.samples)) for series in one.series] == [
            (Condition(memory_mb=256), 2)
        ]
    names = [next(spec.rootfs.layers[0].iterdir()).name for spec in lab.starts.specs]
    assert names == ["old", "new"] * 3
    assert not lab.starts.is_open


def test_what_is_done_is_told(lab: Lab) -> None:
    lab.run(Wanted(image="shop", runs=1), lab.new)
    assert [type(one) for one in (lab.events[0], lab.events[-1])] == [Started, Done]
    assert [getattr(one, "text", "") for one in lab.events[1:-1]] == ["round 0 of 1", "round 1 of 1"]


def test_a_memory_size_that_is_wanted_replaces_the_function_s(lab: Lab) -> None:
    (found,) = lab.run(Wanted(image="shop", runs=1, memory_mb=(1024, 2048)), lab.new)
    assert [one.condition for one in found.series] == [Condition(memory_mb=1024)]
    assert {spec.memory_mb for spec in lab.starts.specs} == {1024}


def test_one_that_does_not_start_is_an_error_and_nothing_stays_open(lab: Lab) -> None:
    async def refuses(client: RuntimeClient) -> None:
        await client.fail_init("Runtime.ImportModuleError", "no module named app")

    lab.starts.program = lambda _: refuses
    with pytest.raises(UnderstudyError, match=r"does not start: Runtime.ImportModuleError"):
        lab.run(Wanted(image="shop", runs=1), lab.old, lab.new)
    assert len(lab.starts.specs) == 1
    assert not lab.starts.is_open


def test_one_that_is_not_here_is_an_error_before_anything_starts(lab: Lab) -> None:
    with pytest.raises(UnderstudyError, match="e" * 64):
        lab.run(Wanted(image="shop", runs=1), lab.new, f"sha256:{'e' * 64}")
    assert lab.starts.specs == []
