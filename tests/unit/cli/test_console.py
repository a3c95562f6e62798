import json
from dataclasses import dataclass
from pathlib import PurePosixPath

import pytest

from understudy.cli import console


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    path: PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    items: tuple[Inner, ...]
    names: dict[int, object]


def test_dataclasses_paths_and_tuples_become_json(capsys: pytest.CaptureFixture[str]) -> None:
    value = Outer(items=(Inner(path=PurePosixPath("/a")),), names={1: None, 2: True, 3: 1.5, 4: b"x"})

    console.print_json(value)

    assert json.loads(capsys.readouterr().out) == {
        "items": [{"path": "/a"}],
        "names": {"1": None, "2": True, "3": 1.5, "4": "b'x'"},
    }


def test_a_table_is_not_cut_where_stdout_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_table(["NAME", "WHY"], [["a", "x" * 300], ["bb", ""]])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["NAME", "WHY"]
    assert lines[1].split() == ["a", "x" * 300]
    assert lines[1].index("x") == lines[0].index("WHY")
