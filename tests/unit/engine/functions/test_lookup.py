from pathlib import Path

import pytest

from tests.unit.engine.functions.records import function
from understudy.engine.functions import lookup as lookups
from understudy.engine.functions.lookup import Lookup
from understudy.engine.functions.model import Alias
from understudy.engine.functions.names import Target
from understudy.engine.functions.table import MIGRATIONS, FunctionTable
from understudy.engine.protocol import ApiError
from understudy.engine.state import State


def make(path: Path) -> Lookup:
    state = State(path / "engine.sqlite").open()
    state.migrate("lambda", MIGRATIONS)
    return Lookup(FunctionTable(state), lambda: 1_767_225_600.25)


def test_dates_are_lambda_s_and_can_be_read_back(tmp_path: Path) -> None:
    text = make(tmp_path).date()
    assert text == "2026-01-01T00:00:00.250+0000"
    assert lookups.parse_date(text).timestamp() == 1_767_225_600.25


def test_follows_an_alias_to_its_version(tmp_path: Path) -> None:
    lookup = make(tmp_path)
    alias = Alias(name="live", version="1", description="", revision_id="r")
    made = lookup.table.put(function("dash", "1").with_alias(alias))
    assert lookup.version(Target(id=made.id, qualifier="live"))[1].number == "1"
    assert lookup.version(Target(id=made.id))[1].number == "$LATEST"
    with pytest.raises(ApiError, match=r"Function not found: .*:dash:nope$"):
        lookup.version(Target(id=made.id, qualifier="nope"))


def test_no_revision_is_any_revision() -> None:
    lookups.check_revision(None, "r")
    lookups.check_revision("r", "r")
    with pytest.raises(ApiError):
        lookups.check_revision("old", "r")
