import dataclasses
import json
from pathlib import Path

import click
import pytest

from tests.fakes import project as projects
from tests.fakes.coldstarts import OWNERS, recording, report, span
from understudy.cli import coldstart, main
from understudy.coldstart import history, profiles
from understudy.coldstart.model import Deployed, Report
from understudy.targets import target
from understudy.targets.starts import deployed, measuring
from understudy.targets.starts.deployed import Function
from understudy.targets.starts.measuring import Wanted
from understudy.targets.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    found = projects.make(tmp_path / "project")
    monkeypatch.chdir(found.root)
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Wanted]:
    told = recording(span("app", 20, 90))
    found: list[Wanted] = []

    def run(workspace: object, target: object, store: object, wanted: Wanted, tell: object) -> Report:
        found.append(wanted)
        one = report(*[100.0 + number for number in range(8)])
        profile = profiles.profile(told, handler="app", owners=OWNERS)
        return dataclasses.replace(one, profile=profile)

    monkeypatch.setattr(measuring, "run", run)
    return found


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["coldstart", *arguments])
    return int(ended.value.code or 0)


def test_measures_the_first_image_under_its_function_s_own_memory(
    workspace: Workspace, asked: list[Wanted], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("-o", "json") == 0

    (wanted,) = asked
    assert (wanted.image, wanted.memory_mb, wanted.caches, wanted.runs) == ("shop", (), ("warm",), 10)
    assert wanted.event_name == "GET /health"
    assert json.loads(capsys.readouterr().out)["series"][0]["samples"][0]["init_ms"] == 100.0


def test_options_make_the_conditions(workspace: Workspace, asked: list[Wanted], tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text('{"a": 1}')
    more = ("--memory", "128,1024", "--cache", "both", "--init-cpu", "throttled")

    assert run("shop", "-n", "3", *more, "--event", str(tmp_path / "event.json")) == 0

    (wanted,) = asked
    assert (wanted.memory_mb, wanted.caches, wanted.throttled_init) == (
        (128, 1024),
        ("warm", "dropped"),
        True,
    )
    assert (wanted.event, wanted.event_name, wanted.runs) == (b'{"a": 1}', "event.json", 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--memory", "64"], "'64' is no size from 128 to 10240 MB"),
        (["--memory", "1GB"], "'1GB' is no size"),
        (["-n", "0"], "0 is not in the range"),
        (["nothing"], "image nothing is not in the project file"),
        (["--against", "never"], "no report was saved as never; there are: none"),
        (["compare", "a", "b"], "no report was saved as a"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_measured(
    workspace: Workspace,
    asked: list[Wanted],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert run(*arguments) in {1, 2}
    assert message in capsys.readouterr().err
    assert asked == []


def test_a_saved_report_is_what_a_later_one_is_held_against(
    workspace: Workspace, asked: list[Wanted], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--save", "one") == 0
    history.save(workspace.layout.state / "coldstart", "slow", report(*[200.0] * 8))
    capsys.readouterr()

    assert run("--against", "slow") == 0
    assert "48% faster" in capsys.readouterr().out
    assert run("compare", "one", "slow") == 0
    assert "93% slower" in capsys.readouterr().out


def test_files_are_written_where_they_were_asked_for(
    workspace: Workspace, asked: list[Wanted], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--html", "r.html", "--speedscope", "s.json", "--har", "h.json") == 0

    assert "Cold start" in Path("r.html").read_text()
    assert json.loads(Path("s.json").read_text())["exporter"] == "understudy"
    assert json.loads(Path("h.json").read_text())["log"]["version"] == "1.2"
    assert run("--html", "nowhere/r.html") == 1
    assert "nowhere/r.html cannot be written" in capsys.readouterr().err


def test_help_lists_the_commands() -> None:
    group = coldstart.command
    assert isinstance(group, click.Group)
    assert set(group.commands) == {"measure", "compare", "history"}


def allow(workspace: Workspace, budget: str) -> None:
    path = workspace.root / "understudy.yaml"
    path.write_text(
        path.read_text().replace("repository: shop", f"repository: shop\n    coldStart: {{{budget}}}")
    )


def test_a_broken_budget_is_an_exit_code_and_a_line(
    workspace: Workspace, asked: list[Wanted], capsys: pytest.CaptureFixture[str]
) -> None:
    allow(workspace, "limit: 100ms")
    assert run() == 1
    told = capsys.readouterr()
    assert "failed cold start: 0.11 s, limit 0.10 s" in told.out
    assert "error[coldstart-budget]: image shop starts too slowly" in told.err

    # A sweep is not what the budget is about.
    assert run("--memory", "128") == 0
    assert run("--memory", "128", "--accept") == 2


def test_what_is_slower_than_the_named_report_breaks_the_budget(
    workspace: Workspace, asked: list[Wanted], capsys: pytest.CaptureFixture[str]
) -> None:
    allow(workspace, "regression: 10%")
    other = dataclasses.replace(report(*[50.0] * 8), digest=f"sha256:{'b' * 64}")
    history.save(workspace.layout.state / "coldstart", "fast", other)
    assert run("-o", "json") == 0
    assert run("-o", "markdown", "--against", "fast") == 1
    assert "- ❌ cold start, before and after: 0.06 s" in capsys.readouterr().out


def test_the_history_marks_the_accepted_digest(
    workspace: Workspace, asked: list[Wanted], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--accept") == 0
    capsys.readouterr()

    assert run("history") == 0
    (_, row) = capsys.readouterr().out.splitlines()
    assert row.split()[:2] == ["*", "sha256:aaaaaaaaaaaa"]
    assert run("history", "-o", "json") == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["runs"], entry["init_ms"], entry["is_accepted"]) == (8, 103.5, True)


def test_a_target_that_is_not_local_is_measured_too_unless_the_sandbox_is_enough(
    workspace: Workspace, asked: list[Wanted], monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Function(
        target=target.find(workspace.project, "preprod"),
        name="shop",
        digest="sha256:1",
        code_sha256="1",
        memory_mb=768,
        lock_path=workspace.root,
        note="live runs another",
    )
    there = Deployed(target="preprod", function="shop", series=report(200.0).series[0])
    monkeypatch.setattr(deployed, "find", lambda *_: function)
    monkeypatch.setattr(deployed, "measure", lambda *_: there)

    assert run("--target", "preprod", "--save", "both", "--yes") == 0
    assert run("--target", "preprod", "--sandbox") == 0
    assert run() == 0
    assert run("--deployed") == 0

    measured = ("sha256:1", (768,))
    assert [(one.digest, one.memory_mb) for one in asked] == [measured, ("", ()), ("", ()), measured]
    saved = history.load(workspace.layout.state / "coldstart", "both")
    assert (saved.deployed, saved.notes) == (there, ("live runs another",))
