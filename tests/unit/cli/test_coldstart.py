import dataclasses
import json
from pathlib import Path

import click
import pytest

from tests.fakes import project as projects
from tests.fakes.coldstarts import OWNERS, recording, report, span
from understudy.cli import coldstart, main
from understudy.coldstart import history, profiles
from understudy.coldstart.model import Report
from understudy.targets import coldstarts
from understudy.targets.coldstarts import Wanted
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

    monkeypatch.setattr(coldstarts, "run", run)
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


def test_help_lists_both_commands() -> None:
    group = coldstart.command
    assert isinstance(group, click.Group)
    assert set(group.commands) == {"measure", "compare"}
