"""One session of one node: statements that are logged, bounded in time, and fail in sentences."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import psycopg2
from psycopg2.extras import NamedTupleCursor

from sharding.errors import NodeNotAvailable, QueryFailed, ShardingError

# What Citus adds when another node refuses what it was asked.
ELSEWHERE = re.compile(r"while executing command on (\S+:\d+)")

Row = Any  # a named tuple: row.shardid
Parameters = Sequence[object] | Mapping[str, object] | None
Log = Callable[[str, str], None]


class Session:
    """A connection to a node, each statement its own transaction unless `transaction()` is open.

    Attributes:
        name: of the node, as messages call it.
        lost: what is raised when the connection breaks.
    """

    lost: type[ShardingError] = NodeNotAvailable

    def __init__(self, connection: Any, *, name: str, log: Log | None = None) -> None:
        self.name = name
        self._connection = connection
        self._log = log

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. What is open on the server is rolled back."""
        self._connection.close()

    def cancel(self) -> None:
        """Cancel the statement that runs now; may be called from another thread."""
        with contextlib.suppress(psycopg2.Error):
            self._connection.cancel()

    def query(self, sql: str, parameters: Parameters = None) -> list[Row]:
        """Run one statement and return its rows as named tuples; [] when it returns none."""
        return self._send(sql, parameters, log=self._log)

    def execute(self, sql: str, parameters: Parameters = None) -> None:
        """Run one statement whose rows nobody needs."""
        self.query(sql, parameters)

    def row(self, sql: str, parameters: Parameters = None) -> Row | None:
        """Return the first row, None when there is none."""
        rows = self.query(sql, parameters)
        return rows[0] if rows else None

    def value(self, sql: str, parameters: Parameters = None) -> Any:
        """Return the first column of the first row, None when there is none."""
        row = self.row(sql, parameters)
        return row[0] if row else None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold several statements together."""
        self.execute("BEGIN")
        try:
            yield
        except BaseException:
            with contextlib.suppress(ShardingError):
                self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def set(self, name: str, value: str) -> None:
        """Change a setting for the rest of the session."""
        self.execute("SELECT set_config(%s, %s, false)", [name, value])

    def limit(self, timeout: timedelta | None) -> None:
        """Bound the time of the statements to come; None: no bound."""
        milliseconds = int(timeout.total_seconds() * 1000) if timeout else 0
        self.set("statement_timeout", str(milliseconds))

    @contextlib.contextmanager
    def muted(self) -> Iterator[None]:
        """Log none of the statements inside: those that are asked many times per second."""
        log, self._log = self._log, None
        try:
            yield
        finally:
            self._log = log

    @contextlib.contextmanager
    def limited(self, timeout: timedelta) -> Iterator[None]:
        """Bound the time of the statements inside more tightly."""
        before = self._present("statement_timeout")
        self.limit(timeout)
        try:
            yield
        finally:
            with contextlib.suppress(ShardingError):
                self.set("statement_timeout", before)

    @property
    def notices(self) -> list[str]:
        """What the server has said beside its answers, e.g. which orphans were dropped."""
        return list(self._connection.notices)

    def _present(self, name: str) -> str:
        return str(self.value("SELECT current_setting(%s)", [name]))

    def _send(self, sql: str, parameters: Parameters, *, log: Log | None) -> list[Row]:
        try:
            with self._connection.cursor(cursor_factory=NamedTupleCursor) as cursor:
                if log:
                    log(self.name, cursor.mogrify(sql, parameters).decode())
                cursor.execute(sql, parameters)
                return list(cursor.fetchall()) if cursor.description else []
        except psycopg2.Error as error:
            raise self._translated(error) from error

    def _translated(self, error: psycopg2.Error) -> Exception:
        if self._connection.closed or error.pgcode in {"57P01", "57P02", "57P03"}:
            return self.lost(f"{self.name} broke off the connection: {sentence(error)}")
        return QueryFailed(
            f"{self._whose(error)}: {sentence(error)}",
            sqlstate=error.pgcode or "",
            hint=(error.diag.message_hint or "") if error.pgcode else "",
        )

    def _whose(self, error: psycopg2.Error) -> str:
        """Name the node that failed: Citus passes on what others have said."""
        other = ELSEWHERE.search(error.diag.context or "")
        if other is None or other[1] == self.name:
            return self.name
        return f"{other[1]} (asked by {self.name})"


class Look(Session):
    """A session that changes nothing, and of which nothing stays.

    Each statement is a transaction of its own, READ ONLY and with its own settings.
    """

    def __init__(self, connection: Any, *, name: str, log: Log | None = None) -> None:
        super().__init__(connection, name=name, log=log)
        self._settings: dict[str, str] = {}
        self._open = False

    def query(self, sql: str, parameters: Parameters = None) -> list[Row]:
        """Run one statement and return its rows as named tuples; [] when it returns none."""
        if self._open:
            return super().query(sql, parameters)
        with self.transaction():
            return super().query(sql, parameters)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold several statements together."""
        names = list(self._settings)
        local = ", ".join(["set_config(%s, %s, true)"] * len(names))
        values = [part for name in names for part in (name, self._settings[name])]
        self._send(f"BEGIN TRANSACTION READ ONLY; SELECT concat({local or 1})", values, log=None)
        self._open = True
        try:
            yield
        except BaseException:
            with contextlib.suppress(ShardingError):
                self._send("ROLLBACK", None, log=None)
            raise
        else:
            self._send("COMMIT", None, log=None)
        finally:
            self._open = False

    def set(self, name: str, value: str) -> None:
        """Change a setting for the statements to come."""
        if self._log:
            self._log(self.name, f"SET {name} TO {literal(value)}")
        self._settings[name] = value
        if self._open:
            self._send("SELECT set_config(%s, %s, true)", [name, value], log=None)

    def _present(self, name: str) -> str:
        return self._settings.get(name, "0")


def quoted(name: str) -> str:
    """Return an identifier as SQL reads it, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a string constant as SQL reads it, for statements that take no parameters."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'" if "\\" not in text else "E'" + escaped.replace("\\", "\\\\") + "'"


def sentence(error: psycopg2.Error) -> str:
    """Return the first line of what the server or libpq says, with a full stop."""
    text: str = error.diag.message_primary or str(error).strip() or type(error).__name__
    first = text.splitlines()[0].strip() if text else ""
    # libpq puts address and port in front, which the name of the node says already.
    said = first.rpartition(" failed: ")[2] if first.startswith("connection to server") else first
    return said.rstrip(".") + "."
