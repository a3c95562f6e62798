"""The APIs that the engine knows: in memory for the data path, written through to SQLite.

Documents keep botocore's output shapes, so that an operation returns what the store holds. One `ApiRecord`
holds everything below one API; its `revision` moves with every change, which is how the gateway knows that
the router it compiled is stale.
"""

import json
import re
import secrets
import string
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from understudy.engine.protocol import ApiError
from understudy.engine.state import State

Document = dict[str, Any]

_CUSTOM_ID = "_custom_id_"
_HOST_NAME = re.compile(r"[a-z0-9]{1,63}")
_ALPHABET = string.ascii_lowercase + string.digits
_DATES = ("CreatedDate", "LastUpdatedDate", "createdDate", "lastUpdatedDate")


def new_id(length: int) -> str:
    """Returns a random identifier as API Gateway makes them."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def api_id(tags: Mapping[str, str] | None, taken: Container[str]) -> str:
    """Returns the id of a new API: a random one, or the one that LocalStack's tag ``_custom_id_`` asks for.

    Raises:
        ApiError: BadRequestException, when that cannot be a host's name or is taken.
    """
    wanted = (tags or {}).get(_CUSTOM_ID)
    if wanted is None:
        return new_id(10)
    if _HOST_NAME.fullmatch(wanted) is None or wanted in taken:
        raise ApiError("BadRequestException", f"The id of the tag {_CUSTOM_ID} is taken or invalid: {wanted}")
    return wanted


@dataclass(slots=True, kw_only=True)
class ApiRecord:
    """One API and all that belongs to it; `children` is by kind, then by identifier."""

    api_id: str
    account_id: str
    region: str
    document: Document
    children: dict[str, dict[str, Document]] = field(default_factory=lambda: defaultdict(dict))
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
    def resources(self) -> dict[str, Document]:
        """Resources of a REST API by id, each with its methods."""
        return self.children["resource"]

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
    """All APIs of one kind and all accounts; `open` reads them once, a change is written before it is seen.

    Args:
        service: botocore's name of the service whose APIs these are.
        table: of the engine's state that holds them; no input of anybody.
    """

    def __init__(self, state: State, service: str = "apigatewayv2", table: str = "httpapi") -> None:
        self._state = state
        self._service = service
        self._table = table
        self._records: dict[str, ApiRecord] = {}

    def open(self) -> None:
        """Reads what an earlier engine wrote."""
        columns = "api_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL"
        schema = f"CREATE TABLE {self._table} ({columns}, PRIMARY KEY (api_id, kind, id)) WITHOUT ROWID"
        self._state.migrate(self._service, (schema,))
        rows = self._state.execute(f"SELECT api_id, kind, id, document FROM {self._table}")  # noqa: S608
        for row in sorted(rows, key=lambda row: bool(row["kind"] != "api")):
            document = _thaw(row["document"])
            if row["kind"] == "api":
                owner = document.pop("Owner")
                self._records[row["api_id"]] = ApiRecord(
                    api_id=row["api_id"], account_id=owner[0], region=owner[1], document=document
                )
            else:
                self._records[row["api_id"]].children[row["kind"]][row["id"]] = document

    def __contains__(self, api_id: object) -> bool:
        return api_id in self._records

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
        self._state.execute(
            f"DELETE FROM {self._table} WHERE api_id = ?",  # noqa: S608
            (record.api_id,),
        )
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
            f"DELETE FROM {self._table} WHERE api_id = ? AND kind = ? AND id = ?",  # noqa: S608
            (record.api_id, kind, identifier),
        )
        del record.children[kind][identifier]
        record.revision += 1

    def _write(self, record: ApiRecord, kind: str, identifier: str, document: Document) -> None:
        owner = {"Owner": (record.account_id, record.region)} if kind == "api" else {}
        self._state.execute(
            f"INSERT OR REPLACE INTO {self._table} VALUES (?, ?, ?, ?)",  # noqa: S608
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
