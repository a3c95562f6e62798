"""State: committed is kept, failed is undone, migrations run once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.engine.state import State
from understudy.errors import EnvironmentProblemError


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = State(tmp_path / "sub" / "engine.sqlite").open()
    opened.migrate("demo", ["CREATE TABLE demo (name TEXT PRIMARY KEY)"])
    yield opened
    opened.close()


def _names(state: State) -> list[str]:
    return [row["name"] for row in state.execute("SELECT name FROM demo ORDER BY name")]


def test_the_constructor_does_not_touch_the_disk(tmp_path: Path) -> None:
    State(tmp_path / "engine.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_keeps_committed_rows_for_the_next_opener(state: State) -> None:
    state.execute("INSERT INTO demo VALUES (?)", ("kept",))
    other = State(state.path).open()
    assert _names(other) == ["kept"]
    other.close()


def _fail_after_two_inserts(state: State) -> None:
    with state.transaction():
        state.execute("INSERT INTO demo VALUES ('outer')")
        with state.transaction():
            state.execute("INSERT INTO demo VALUES ('inner')")
        raise KeyError


def test_undoes_everything_in_a_failed_transaction(state: State) -> None:
    with pytest.raises(KeyError):
        _fail_after_two_inserts(state)
    assert _names(state) == []
    with state.transaction():
        state.execute("INSERT INTO demo VALUES ('again')")
    assert _names(state) == ["again"]


def test_runs_each_migration_once(state: State) -> None:
    steps = ["CREATE TABLE demo (name TEXT PRIMARY KEY)", "ALTER TABLE demo ADD COLUMN size INTEGER"]
    state.migrate("demo", steps)
    state.migrate("demo", steps)
    state.execute("INSERT INTO demo VALUES ('x', 3)")
    assert state.execute("SELECT size FROM demo")[0]["size"] == 3


def test_refuses_a_database_of_another_version(state: State) -> None:
    with pytest.raises(EnvironmentProblemError, match="another version of demo"):
        state.migrate("demo", ["CREATE TABLE demo (name TEXT)"])


def test_names_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "engine.sqlite"
    path.write_bytes(b"not a database, not at all, but long enough to be looked at" * 40)
    with pytest.raises(EnvironmentProblemError, match="cannot be opened"):
        State(path).open()


def test_says_that_open_was_forgotten(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="open"):
        State(tmp_path / "x").execute("SELECT 1")
