"""The current record of every function: in memory for reading, in SQLite for surviving.

Reads never touch the disk. A write is one row, committed before it is visible, then listeners are told so
that caches built over the records are dropped. Refuses to hold rules: those live with the operations.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from understudy.engine.functions.model import (
    Alias,
    Code,
    EventInvokeConfig,
    Function,
    FunctionId,
    FunctionUrl,
    ImageOverrides,
    Logging,
    ProvisionedConfig,
    Settings,
    Version,
)
from understudy.engine.state import State

MIGRATIONS = (
    "CREATE TABLE lambda_functions (account_id TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, "
    "document TEXT NOT NULL, PRIMARY KEY (account_id, region, name)) WITHOUT ROWID",
    "CREATE TABLE lambda_events (id INTEGER PRIMARY KEY, account_id TEXT NOT NULL, region TEXT NOT NULL, "
    "name TEXT NOT NULL, qualifier TEXT, request_id TEXT NOT NULL, client_context TEXT, "
    "payload BLOB NOT NULL, accepted_at REAL NOT NULL, attempts INTEGER NOT NULL)",
)


class FunctionTable:
    """Functions by identity; the constructor reads nothing, `load` does."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._functions: dict[FunctionId, Function] = {}
        self._listeners: list[Callable[[FunctionId], None]] = []

    def load(self) -> None:
        """Fills the table from SQLite."""
        for row in self._state.execute("SELECT * FROM lambda_functions"):
            key = FunctionId(account_id=row["account_id"], region=row["region"], name=row["name"])
            self._functions[key] = from_document(key, json.loads(row["document"]))

    def on_change(self, listener: Callable[[FunctionId], None]) -> None:
        """Calls `listener` after every write."""
        self._listeners.append(listener)

    def get(self, key: FunctionId) -> Function | None:
        """The function, or None."""
        return self._functions.get(key)

    def all(self) -> Iterator[Function]:
        """Every function of every account and region."""
        return iter(list(self._functions.values()))

    def within(self, account_id: str, region: str) -> list[Function]:
        """The functions of one account and region, by name."""
        found = [
            function
            for key, function in self._functions.items()
            if key.account_id == account_id and key.region == region
        ]
        return sorted(found, key=lambda function: function.id.name)

    def put(self, function: Function) -> Function:
        """Stores `function` and returns it."""
        key = function.id
        self._state.execute(
            "INSERT INTO lambda_functions VALUES (?, ?, ?, ?) "
            "ON CONFLICT (account_id, region, name) DO UPDATE SET document = excluded.document",
            (key.account_id, key.region, key.name, json.dumps(to_document(function))),
        )
        self._functions[key] = function
        self._tell(key)
        return function

    def remove(self, key: FunctionId) -> None:
        """Forgets the function with this identity."""
        self._state.execute(
            "DELETE FROM lambda_functions WHERE account_id = ? AND region = ? AND name = ?",
            (key.account_id, key.region, key.name),
        )
        self._functions.pop(key, None)
        self._tell(key)

    def _tell(self, key: FunctionId) -> None:
        for listener in self._listeners:
            listener(key)


def to_document(function: Function) -> dict[str, Any]:
    """`function` as JSON can hold it, without its identity."""
    document = asdict(function)
    del document["id"]
    return document


def from_document(key: FunctionId, document: Mapping[str, Any]) -> Function:
    """The function that `to_document` described."""
    serving = document["serving"]
    return Function(
        id=key,
        versions={number: _version(item) for number, item in document["versions"].items()},
        serving=_version(serving) if serving else None,
        aliases={name: Alias(**item) for name, item in document["aliases"].items()},
        next_version=document["next_version"],
        tags=document["tags"],
        reserved=document["reserved"],
        policies={name: tuple(items) for name, items in document["policies"].items()},
        event_configs={name: EventInvokeConfig(**item) for name, item in document["event_configs"].items()},
        provisioned={
            name: ProvisionedConfig(**item) for name, item in document.get("provisioned", {}).items()
        },
        # A record from before there were URLs has none.
        urls={name: FunctionUrl(**item) for name, item in document.get("urls", {}).items()},
    )


def _version(item: Mapping[str, Any]) -> Version:
    return Version(**{**item, "code": Code(**item["code"]), "settings": _settings(item["settings"])})


def _settings(item: Mapping[str, Any]) -> Settings:
    image = item["image"]
    return Settings(
        **{
            **item,
            "logging": Logging(**item["logging"]),
            "image": _overrides(image) if image else None,
        }
    )


def _overrides(item: Mapping[str, Any]) -> ImageOverrides:
    entry_point, command = item["entry_point"], item["command"]
    return ImageOverrides(
        entry_point=None if entry_point is None else tuple(entry_point),
        command=None if command is None else tuple(command),
        working_directory=item["working_directory"],
    )
