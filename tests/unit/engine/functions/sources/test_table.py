from pathlib import Path

from tests.unit.engine.functions.sources.mappings import mapping
from understudy.engine.functions.sources.table import MappingTable
from understudy.engine.state import State


def test_mappings_and_places_survive_and_go_together(tmp_path: Path) -> None:
    state = State(tmp_path / "engine.sqlite").open()
    table = MappingTable(state)
    table.load()
    one = table.put(mapping(patterns=('{"a":["b"]}',), maximum_retries=3))
    table.advance(one.uuid, "shard", "1")
    table.advance(one.uuid, "shard", "2")
    again = MappingTable(state)
    again.load()
    assert list(again.all()) == [one]
    assert (again.checkpoint(one.uuid, "shard"), again.checkpoint(one.uuid, "other")) == ("2", None)
    again.remove(one.uuid)
    assert again.get(one.uuid) is None
    assert again.checkpoint(one.uuid, "shard") is None
    state.close()
