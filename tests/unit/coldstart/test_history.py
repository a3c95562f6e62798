import dataclasses
from pathlib import Path

import pytest

from tests.fakes.coldstarts import OWNERS, recording, report, span
from understudy.coldstart import advice, history, profiles
from understudy.coldstart.model import LayerTouched, Touched, Tried
from understudy.errors import UnderstudyError


def test_a_report_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    told = recording(
        span("app", 20, 90), span("s3", 30, 40, kind="client"), span("yaml", 40, 60, path="/var/task/app.py")
    )
    profile = profiles.profile(told, handler="app", owners=OWNERS)
    saved = dataclasses.replace(
        report(1.0, 2.0),
        profile=profile,
        calibration=report(3.0).series[0],
        suggestions=advice.suggestions(told, profile, owners=OWNERS),
        tried=(
            Tried(change="bytecode", series=report(2.0).series[0]),
            Tried(change="drop:x", problem="no x"),
        ),
        touched=Touched(layers=(LayerTouched(files=1, blocks=2, touched_bytes=3, size_bytes=4),)),
        notes=("a note",),
    )
    history.save(tmp_path, "before", saved)

    assert saved.suggestions
    assert history.load(tmp_path, "before") == saved


def test_a_missing_report_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    history.save(tmp_path, "a.1", report(1.0))

    with pytest.raises(UnderstudyError, match=r"saved as b; there are: a\.1"):
        history.load(tmp_path, "b")


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"profile": null, "calibration": null}'])
def test_a_damaged_report_is_no_bug_of_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)

    with pytest.raises(UnderstudyError, match="no report of this version"):
        history.load(tmp_path, "a")


@pytest.mark.parametrize("name", ["", "../a", "a/b", "-a", "a" * 81])
def test_a_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnderstudyError, match="cannot name a report"):
        history.save(tmp_path, name, report(1.0))
