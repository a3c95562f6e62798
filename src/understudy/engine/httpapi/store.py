"""The HTTP APIs that the engine knows: in memory for the data path, written through to SQLite.

Documents keep botocore's output shapes, so that an operation returns what the store holds. One `ApiRecord`
holds everything below one API; its `revision` moves with every change, which is how the gateway knows that
the router it compiled is stale.
"""

import json
import secrets
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from understudy.engine.state import State

Document = dict[str, Any]

KINDS = ("api", "authorizer", "integration", "route", "stage", "deployment")
_ALPHABET = string.ascii_lowercase + string.digits
_DATES = ("CreatedDate", "LastUpdatedDate")
_SCHEMA = (
    "CREATE TABLE httpapi (api_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, "
    "document TEXT NOT NULL, PRIMARY KEY (api_id, kind, id)) WITHOUT ROWID",
)


def new_id(length: int) -> str:
    """Returns a random identifier as API Gateway makes them."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


@dataclass(slots=True, kw_only=True)
class ApiRecord:
    """One HTTP API and all that belongs to it; `children` is by kind, then by identifier."""

    api_id: str
    account_id: str
    region: str
    document: Document
    children: dict[str, dict[str, Document]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS if kind != "api"}
    )
    revision: int = 0

    @property
    def authorizers(self) -> dict[str, Document]:
        """Authorizers by id."""
        return self.children["authorizer"]

    @property
    def integrations(self) -> dict[str, Document]:
        """Integrations by id."""
        return self.children["integration"]

    @property
    def routes(self) -> dict[str, Document]:
        """Routes by id."""
        return self.children["route"]

    @property
    def stages(self) -> dict[str, Document]:
        """Stages by name."""
        return self.children["stage"]

    @property
    def deployments(self) -> dict[str, Document]:
        """Deployments by id; each carries its snapshot under the private key ``Snapshot``."""
        return self.children["deployment"]


class ApiStore:
    """All HTTP APIs of all accounts; `open` reads them once, every change is written before it is seen."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._records: dict[str, ApiRecord] = {}

    def open(self) -> None:
        """Reads what an earlier engine wrote."""
        self._state.migrate("apigatewayv2", _SCHEMA)
        rows = self._state.execute("SELECT api_id, kind, id, document FROM httpapi")
        for row in sorted(rows, key=lambda row: KINDS.index(row["kind"])):
            document = _thaw(row["document"])
            if row["kind"] == "api":
                owner = document.pop("Owner")
                self._records[row["api_id"]] = ApiRecord(
                    api_id=row["api_id"], account_id=owner[0], region=owner[1], document=document
                )
            else:
                self._records[row["api_id"]].children[row["kind"]][row["id"]] = document

    def find(self, api_id: str) -> ApiRecord | None:
        """Returns the API with that id, whoever owns it."""
        return self._records.get(api_id)

    def owned(self, account_id: str, region: str) -> Iterator[ApiRecord]:
        """Yields one account's APIs of one region, oldest first."""
        for record in self._records.values():
            if (record.account_id, record.region) == (account_id, region):
                yield record

    def add(self, record: ApiRecord) -> None:
        """Remembers a new API."""
        self._write(record, "api", record.api_id, record.document)
        self._records[record.api_id] = record

    def remove(self, record: ApiRecord) -> None:
        """Forgets an API and all that belongs to it."""
        self._state.execute("DELETE FROM httpapi WHERE api_id = ?", (record.api_id,))
        del self._records[record.api_id]

    def put(self, record: ApiRecord, kind: str, identifier: str, document: Document) -> None:
        """Writes one document of an API, new or changed."""
        self._write(record, kind, identifier, document)
        if kind == "api":
            record.document = document
        else:
            record.children[kind][identifier] = document
        record.revision += 1

    def drop(self, record: ApiRecord, kind: str, identifier: str) -> None:
        """Forgets one child document of an API."""
        self._state.execute(
            "DELETE FROM httpapi WHERE api_id = ? AND kind = ? AND id = ?", (record.api_id, kind, identifier)
        )
        del record.children[kind][identifier]
        record.revision += 1

    def _write(self, record: ApiRecord, kind: str, identifier: str, document: Document) -> None:
        owner = {"Owner": (record.account_id, record.region)} if kind == "api" else {}
        self._state.execute(
            "INSERT OR REPLACE INTO httpapi VALUES (?, ?, ?, ?)",
            (record.api_id, kind, identifier, json.dumps(document | owner, default=datetime.isoformat)),
        )


def now() -> datetime:
    """Returns the present second, as API Gateway stamps its resources."""
    return datetime.now(UTC).replace(microsecond=0)


def _thaw(text: str) -> Document:
    document: Document = json.loads(text)
    for name in _DATES:
        if name in document:
            document[name] = datetime.fromisoformat(document[name])
    return document
