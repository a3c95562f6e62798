"""The log store is bounded: queue and database give up their oldest events, and say so."""

import logging
from pathlib import Path

import pytest

from understudy.engine.logs import store as logs
from understudy.engine.logs.store import LogStore


async def _messages(store: LogStore) -> list[str]:
    rows = await store.run(lambda state: state.execute("SELECT message FROM log_events ORDER BY id"))
    return [row["message"] for row in rows]


async def test_the_oldest_events_go_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_EVENTS", 3)
    store = LogStore(tmp_path / "logs.sqlite").open()
    store.append("g", "s", [(number, str(number)) for number in range(5)])
    await _messages(store)
    await store.run(store.sweep)
    assert await _messages(store) == ["2", "3", "4"]
    store.close()


async def test_a_queue_that_never_drains_drops_its_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logs, "MAX_PENDING", 1)
    store = LogStore(tmp_path / "logs.sqlite")
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            store._pending.append((logs.GroupKey(name="g"), "s", 0, [(number, str(number))]))
            store._pending_events += 1
        store._flushing = True
        store.append("g", "s", [(9, "9")])
    assert "too slow" in caplog.text
    store.open()
    store._flushing = False
    assert await _messages(store) == ["9"]
    store.close()


async def test_every_account_and_region_has_groups_of_its_own(tmp_path: Path) -> None:
    store = LogStore(tmp_path / "logs.sqlite").open()
    store.append("g", "s", [(1, "default")])
    store.append("g", "s", [(1, "other")], account_id="123456789012", region="eu-west-1")
    rows = await store.run(
        lambda state: state.execute(
            "SELECT account, region, message FROM log_groups g JOIN log_events e ON e.group_id = g.id"
        )
    )
    assert sorted(map(tuple, rows)) == [
        ("000000000000", "us-east-1", "default"),
        ("123456789012", "eu-west-1", "other"),
    ]
    store.close()
