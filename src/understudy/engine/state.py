"""What the engine remembers, in one SQLite file that survives kill -9.

Write-ahead logging with ``synchronous=NORMAL``: a committed transaction outlives the process, and a statement
takes well under a millisecond, so services call it straight from the event loop. It is no place for blobs
(the image store holds those) nor for log lines (`logs` has its own file and writer).
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from understudy.errors import EnvironmentProblemError

_BUSY_TIMEOUT_S = 5.0
_LEDGER = (
    "CREATE TABLE IF NOT EXISTS migrations (service TEXT NOT NULL, step INTEGER NOT NULL, statement TEXT "
    "NOT NULL, PRIMARY KEY (service, step)) WITHOUT ROWID"
)

Parameters = Sequence[Any] | Mapping[str, Any]


class State:
    """One SQLite database shared by the engine's services; the constructor only stores the path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._depth = 0
        self._connection: sqlite3.Connection | None = None

    def open(self) -> "State":
        """Returns itself with the database open, created first when it is missing.

        Raises:
            EnvironmentProblemError: the file cannot be opened or is no SQLite database.
        """
        if self._connection is not None:
            return self
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = _connect(self.path)
        except sqlite3.Error as exc:
            raise EnvironmentProblemError(
                "state-unreadable",
                f"engine state {self.path} cannot be opened: {exc}",
                hint=f"move it away: mv {self.path} {self.path}.broken",
                where=str(self.path),
            ) from exc
        return self

    def close(self) -> None:
        """Closes the database; a second call does nothing."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def execute(self, sql: str, params: Parameters = ()) -> list[sqlite3.Row]:
        """Returns the rows of one statement; outside `transaction` it is committed when this returns.

        Raises:
            sqlite3.IntegrityError: a constraint of the service's own tables refused the row.
        """
        with self._lock:
            return self._open_connection().execute(sql, params).fetchall()

    @contextmanager
    def transaction(self) -> Iterator["State"]:
        """Makes the statements inside one atomic change; a nested transaction joins the outer one.

        Never await inside: other coroutines share the connection and would join the transaction.
        """
        with self._lock:
            connection = self._open_connection()
            if self._depth == 0:
                connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                connection.execute("COMMIT")

    def migrate(self, service: str, statements: Sequence[str]) -> None:
        """Brings a service's tables up to date: runs each statement once, in order, remembered by position.

        Append to the list, never edit it: a statement that has run here in another wording is refused.

        Raises:
            EnvironmentProblemError: the database was made by another version of the service.
        """
        with self.transaction():
            self.execute(_LEDGER)
            done = {
                row["step"]: row["statement"]
                for row in self.execute(
                    "SELECT step, statement FROM migrations WHERE service = ?", (service,)
                )
            }
            if any(step >= len(statements) or statements[step] != text for step, text in done.items()):
                raise EnvironmentProblemError(
                    "state-version",
                    f"engine state {self.path} was written by another version of {service}",
                    hint=f"move it away: mv {self.path} {self.path}.old",
                    where=str(self.path),
                )
            for step in range(len(done), len(statements)):
                self.execute(statements[step])
                self.execute("INSERT INTO migrations VALUES (?, ?, ?)", (service, step, statements[step]))

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError("State.open() was not called")
        return self._connection


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
