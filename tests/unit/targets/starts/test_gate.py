import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes import project as projects
from tests.fakes.aws import ScriptedAws
from tests.fakes.coldstarts import report
from tests.fakes.project import ScriptedTarget
from understudy.coldstart import ledger, measure
from understudy.coldstart.model import Condition, Report
from understudy.image.store import Store
from understudy.targets import workspace
from understudy.targets.starts import brief
from understudy.targets.starts.gate import BudgetExceededError, ColdStartGate
from understudy.targets.starts.measuring import Wanted

BUDGET = "repository: shop\n    coldStart: {limit: 500ms, regression: 10%}\n"
OTHER = f"sha256:{'b' * 64}"


class Lab:
    """A project with a budget, whose images take as long as told."""

    def __init__(self, root: Path) -> None:
        self.found = projects.make(root)
        self.digest = projects.image(self.found).digest
        self.store = Store(self.found.layout.store).open()
        self.init_ms: dict[str, float] = {}
        self.measured: list[list[str]] = []
        self.wanted: list[Wanted] = []

    def gate(self, budget: str = BUDGET) -> ColdStartGate:
        """A gate of the project with that budget."""
        path = self.found.root / "understudy.yaml"
        path.write_text(projects.PROJECT.replace("repository: shop\n", budget))
        return ColdStartGate(
            workspace=workspace.find(self.found.root),
            target=ScriptedTarget(ScriptedAws()),
            store=self.store,
            tell=lambda _: None,
        )

    def report(self, digest: str) -> Report:
        """As it is measured now."""
        found = report(*[self.init_ms[digest] + number for number in range(5)])
        headline = dataclasses.replace(found.series[0], condition=Condition(memory_mb=256))
        return dataclasses.replace(found, digest=digest, host=measure.host(), series=(headline,))

    def run(self, *arguments: object) -> list[Report]:
        """Stands in the place of `brief.run`."""
        digests = arguments[4]
        assert isinstance(digests, Sequence)
        self.measured.append(list(digests))
        wanted = arguments[3]
        assert isinstance(wanted, Wanted)
        self.wanted.append(wanted)
        return [self.report(digest) for digest in digests]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    made = Lab(tmp_path / "project")
    monkeypatch.setattr(brief, "run", made.run)
    return made


def test_a_digest_is_measured_once(lab: Lab) -> None:
    lab.init_ms[lab.digest] = 100.0
    gate = lab.gate()
    for _ in range(2):
        checks = gate.check({"shop": lab.digest})
        assert [(one.name, one.outcome) for one in checks] == [
            ("cold start of shop", "passed"),
            ("cold start, before and after of shop", "passed"),
        ]
    assert lab.measured == [[lab.digest]]


def test_a_report_of_other_conditions_is_no_answer(lab: Lab) -> None:
    lab.init_ms[lab.digest] = 100.0
    gate = lab.gate()
    known = lab.report(lab.digest)
    for other in (
        dataclasses.replace(known, event="GET /"),
        dataclasses.replace(known, function="admin"),
        dataclasses.replace(known, series=report(*[100.0] * 5).series),
        dataclasses.replace(
            known, series=(dataclasses.replace(known.series[0], samples=known.series[0].samples[:1]),)
        ),
    ):
        ledger.note(gate.workspace.layout.cold_starts, other)
        gate.check({"shop": lab.digest})
    assert len(lab.measured) == 4


def test_a_report_of_another_machine_is_an_answer(lab: Lab) -> None:
    lab.init_ms[lab.digest] = 100.0
    gate = lab.gate()
    known = lab.report(lab.digest)
    ledger.note(
        gate.workspace.layout.cold_starts,
        dataclasses.replace(known, host=dataclasses.replace(known.host, processors=999)),
    )
    assert len(gate.check({"shop": lab.digest})) == 2
    assert lab.measured == []


def test_a_project_without_a_budget_measures_and_accepts_nothing(lab: Lab) -> None:
    gate = lab.gate("repository: shop\n")
    assert gate.check({"shop": lab.digest}) == ()
    gate.accept({"shop": lab.digest})
    assert (lab.measured, gate.workspace.layout.cold_starts.exists()) == ([], False)


def test_what_takes_longer_than_the_limit_is_refused(lab: Lab) -> None:
    lab.init_ms[lab.digest] = 900.0
    with pytest.raises(BudgetExceededError, match=r"cold start: 0.99 s, limit 0.50 s"):
        lab.gate().check({"shop": lab.digest})


def accepted(lab: Lab, init_ms: float) -> tuple[ColdStartGate, str]:
    """A gate with an accepted digest, and that digest; the image is still there."""
    old = projects.image(lab.found, labels={"age": "old"}).digest
    lab.init_ms[old] = init_ms
    gate = lab.gate()
    gate.check({"shop": old})
    gate.accept({"shop": old})
    return gate, old


def test_what_is_slower_beside_the_accepted_digest_as_well_is_refused(lab: Lab) -> None:
    gate, old = accepted(lab, 100.0)
    lab.init_ms[lab.digest] = 200.0
    with pytest.raises(BudgetExceededError, match=r"before and after: 0.11 s .* -> 0.22 s, \+9\d%"):
        gate.check({"shop": lab.digest})
    assert lab.measured == [[old], [lab.digest], [old, lab.digest]]


def test_what_is_measured_again_is_what_the_report_is_of(lab: Lab) -> None:
    gate, old = accepted(lab, 100.0)
    lab.init_ms[lab.digest] = 200.0
    asked = Wanted(image="shop", runs=20)
    of = dataclasses.replace(lab.report(lab.digest), function="admin")
    ledger.note(gate.workspace.layout.cold_starts, dataclasses.replace(lab.report(old), function="admin"))
    gate.judge(of, asked)
    assert lab.measured[-1] == [old, lab.digest]
    again = lab.wanted[-1]
    assert (again.function, again.memory_mb, again.runs) == ("admin", (256,), 20)


def test_a_machine_that_got_slower_refuses_nothing(lab: Lab) -> None:
    gate, old = accepted(lab, 100.0)
    lab.init_ms.update({old: 200.0, lab.digest: 200.0})
    gate.check({"shop": lab.digest})
    assert lab.measured[-1] == [old, lab.digest]
    again = ledger.find(gate.workspace.layout.cold_starts, "shop", old)
    assert again is not None
    assert again.series[0].spread("init_ms").median == 202.0


def test_without_the_accepted_image_its_report_has_to_do(lab: Lab) -> None:
    gate = lab.gate()
    lab.init_ms.update({OTHER: 100.0, lab.digest: 200.0})
    ledger.note(gate.workspace.layout.cold_starts, lab.report(OTHER))
    ledger.accept(gate.workspace.layout.cold_starts, "shop", OTHER)
    with pytest.raises(BudgetExceededError):
        gate.check({"shop": lab.digest})
    assert lab.measured == [[lab.digest]]
