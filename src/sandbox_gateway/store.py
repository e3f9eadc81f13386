"""Charges and the events that tell of them, in one SQLite file that survives a kill -9.

Invariant: a key is charged once and refunded once at most. Every change is one immediate
transaction: the charge, its line in the ledger and its events exist together or not at all.
"""

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

SCHEMA = """
CREATE TABLE IF NOT EXISTS charge (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, status TEXT NOT NULL,
    amount TEXT NOT NULL, currency TEXT NOT NULL, metadata TEXT NOT NULL,
    asked INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS ledger (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL, kind TEXT NOT NULL, at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS ledger_by_key ON ledger (key);
CREATE TABLE IF NOT EXISTS delivery (
    number INTEGER PRIMARY KEY, body TEXT NOT NULL, due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS delivery_by_due ON delivery (due);
"""
ID = re.compile(r"ch_([0-9]{1,18})")
FIND = """
SELECT 'ch_' || rowid, key, request, status, amount, currency, metadata FROM charge
WHERE {column} = ?
"""
LEDGER = """
SELECT charge.key, amount, currency, status, asked,
    count(ledger.number) FILTER (WHERE kind = 'charge') AS charged,
    count(ledger.number) FILTER (WHERE kind = 'refund') AS refunded
FROM charge LEFT JOIN ledger ON ledger.key = charge.key GROUP BY charge.key
"""


class Charge(NamedTuple):
    """A charge as it stands: succeeded, declined or refunded. `id` is the provider's own."""

    id: str
    key: str
    request: str
    status: str
    amount: str
    currency: str
    metadata: dict[str, Any]


class Delivery(NamedTuple):
    """An event on its way."""

    number: int
    body: str
    attempts: int


class _Connection(sqlite3.Connection):
    """A connection that is closed with whoever holds it, its thread, and not by the collector."""

    def __del__(self) -> None:
        self.close()


class Store:
    """The file; each thread has its own connection to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._connection().executescript(SCHEMA)

    def find(self, name: str) -> Charge | None:
        """Return the charge of this id, or under this key."""
        if match := ID.fullmatch(name):
            return _found(self._connection(), "rowid", match[1])
        return _found(self._connection(), "key", name)

    def charge(
        self,
        key: str,
        *,
        request: str,
        status: str,
        amount: str,
        currency: str,
        metadata: dict[str, Any],
        deliveries: list[tuple[str, float]],
    ) -> tuple[Charge, bool]:
        """Charge once; return what stands under the key, and whether this call made it.

        Args:
            request: what was asked for; another request under the same key is the caller's error.
            deliveries: bodies of events, and when they are due.
        """
        with self._transaction() as db:
            if before := _found(db, "key", key):
                db.execute("UPDATE charge SET asked = asked + 1 WHERE key = ?", [key])
                return before, False
            row = db.execute(
                "INSERT INTO charge (key, request, status, amount, currency, metadata) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [key, request, status, amount, currency, json.dumps(metadata)],
            )
            if status == "succeeded":
                _enter(db, key, "charge")
            _send(db, deliveries)
        charge_id = f"ch_{row.lastrowid}"
        return Charge(charge_id, key, request, status, amount, currency, metadata), True

    def refund(self, key: str, *, deliveries: list[tuple[str, float]]) -> Charge | None:
        """Send the money back once; return what stands under the key then."""
        with self._transaction() as db:
            before = _found(db, "key", key)
            if before is None or before.status != "succeeded":
                return before
            db.execute("UPDATE charge SET status = 'refunded' WHERE key = ?", [key])
            _enter(db, key, "refund")
            _send(db, deliveries)
        return before._replace(status="refunded")

    def ledger(self) -> list[dict[str, Any]]:
        """Return, per key, how often it was asked for, charged and refunded."""
        return [dict(row) for row in self._connection().execute(LEDGER)]

    def due(self, now: float, limit: int = 50) -> list[Delivery]:
        """Return the events that are to be sent now, the oldest first."""
        rows = self._connection().execute(
            "SELECT number, body, attempts FROM delivery WHERE due <= ? ORDER BY due LIMIT ?",
            [now, limit],
        )
        return [Delivery(*row) for row in rows]

    def delivered(self, number: int) -> None:
        """Forget an event that was taken, or that nobody will ever take."""
        self._connection().execute("DELETE FROM delivery WHERE number = ?", [number])

    def postpone(self, number: int, *, due: float) -> None:
        """Send an event again later."""
        self._connection().execute(
            "UPDATE delivery SET attempts = attempts + 1, due = ? WHERE number = ?", [due, number]
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # A thread that ended leaves its connection to another one to be closed.
            connection = sqlite3.connect(
                self._path,
                timeout=10,
                isolation_level=None,
                check_same_thread=False,
                factory=_Connection,
            )
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            self._local.connection = connection
        return connection


def _found(db: sqlite3.Connection, column: str, value: str) -> Charge | None:
    row = db.execute(FIND.format(column=column), [value]).fetchone()
    return Charge(*row)._replace(metadata=json.loads(row[-1])) if row else None


def _enter(db: sqlite3.Connection, key: str, kind: str) -> None:
    db.execute("INSERT INTO ledger (key, kind, at) VALUES (?, ?, ?)", [key, kind, time.time()])


def _send(db: sqlite3.Connection, deliveries: list[tuple[str, float]]) -> None:
    db.executemany("INSERT INTO delivery (body, due) VALUES (?, ?)", deliveries)
