from dataclasses import replace
from pathlib import Path

from tests.unit.engine.functions.records import function, version
from understudy.engine.functions.model import (
    Alias,
    EventInvokeConfig,
    Function,
    FunctionId,
    ImageOverrides,
    Logging,
)
from understudy.engine.functions.table import MIGRATIONS, FunctionTable
from understudy.engine.state import State


def full() -> Function:
    made = function("dash", "1", "2")
    settings = replace(
        made.latest.settings,
        environment={"AB": "ü"},
        image=ImageOverrides(command=("a.b",), working_directory="/srv"),
        logging=Logging(group="g", log_format="JSON", application_level="INFO", system_level="WARN"),
        vpc={"SubnetIds": ["subnet-1"]},
    )
    changed = made.with_version(replace(made.latest, settings=settings))
    changed = changed.with_alias(
        Alias(name="live", version="1", description="d", revision_id="r", weights={"2": 0.25})
    )
    return replace(
        changed,
        tags={"team": "x"},
        reserved=3,
        policies={"live": ({"Sid": "a", "Principal": {"Service": "s"}},)},
        event_configs={"live": EventInvokeConfig(qualifier="live", last_modified="m", maximum_retries=0)},
    )


def open_table(path: Path) -> FunctionTable:
    state = State(path).open()
    state.migrate("lambda", MIGRATIONS)
    table = FunctionTable(state)
    table.load()
    return table


def test_a_function_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    made = full()
    open_table(tmp_path / "engine.sqlite").put(made)
    assert open_table(tmp_path / "engine.sqlite").get(made.id) == made


def test_a_removed_function_stays_removed(tmp_path: Path) -> None:
    table = open_table(tmp_path / "engine.sqlite")
    made = table.put(full())
    table.remove(made.id)
    assert table.get(made.id) is None
    assert open_table(tmp_path / "engine.sqlite").get(made.id) is None


def test_listeners_hear_of_every_change_after_it_is_visible(tmp_path: Path) -> None:
    table = open_table(tmp_path / "engine.sqlite")
    heard: list[tuple[FunctionId, bool]] = []
    table.on_change(lambda key: heard.append((key, table.get(key) is not None)))
    made = table.put(function())
    table.remove(made.id)
    assert heard == [(made.id, True), (made.id, False)]


def test_accounts_and_regions_are_apart(tmp_path: Path) -> None:
    table = open_table(tmp_path / "engine.sqlite")
    here = table.put(function("b"))
    also = table.put(function("a"))
    table.put(replace(here, id=replace(here.id, region="eu-west-1")))
    table.put(replace(here, id=replace(here.id, account_id="111111111111")))
    assert table.within("000000000000", "us-east-1") == [also, here]
    assert len(list(table.all())) == 4


def test_a_failed_update_leaves_the_version_active() -> None:
    updated = version().activated("r2").updating("r3", "m", "c2").failed("r4", "InvalidImage", "bad")
    assert (updated.state, updated.update_status, updated.update_reason_code) == (
        "Active",
        "Failed",
        "InvalidImage",
    )
    created = version().failed("r2", "InvalidImage", "bad")
    assert (created.state, created.state_reason) == ("Failed", "bad")
