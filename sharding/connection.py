"""One connection to one node: statements that are logged, bounded in time, and fail in sentences.

Invariant: no call waits for ever. Connecting ends after `CONNECT_SECONDS`, whatever the network
does; a statement ends after the session's statement timeout.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn
from psycopg2.extras import NamedTupleCursor

from sharding.errors import InvalidInput, NodeNotAvailable, QueryFailed

# libpq counts per address of a name, and looking the name up is not counted at all.
CONNECT_SECONDS = 4.0
LIBPQ_SECONDS = 3
STATEMENT_TIMEOUT = timedelta(seconds=30)

Row = Any  # a named tuple: row.shardid
Log = Callable[[str, str], None]
T = TypeVar("T")


class Session:
    """A connection to a node, each statement its own transaction unless `transaction()` is open."""

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

    def query(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] | None = None
    ) -> list[Row]:
        """Run one statement and return its rows as named tuples; [] when it returns none."""
        with self._connection.cursor(cursor_factory=NamedTupleCursor) as cursor:
            if self._log:
                self._log(self.name, cursor.mogrify(sql, parameters).decode())
            try:
                cursor.execute(sql, parameters)
            except psycopg2.Error as error:
                raise self._translated(error) from error
            return list(cursor.fetchall()) if cursor.description else []

    def execute(self, sql: str, parameters: Sequence[object] | None = None) -> None:
        """Run one statement whose rows nobody needs."""
        self.query(sql, parameters)

    def row(self, sql: str, parameters: Sequence[object] | None = None) -> Row | None:
        """Return the first row, None when there is none."""
        rows = self.query(sql, parameters)
        return rows[0] if rows else None

    def value(self, sql: str, parameters: Sequence[object] | None = None) -> Any:
        """Return the first column of the first row, None when there is none."""
        row = self.row(sql, parameters)
        return row[0] if row else None

    @contextlib.contextmanager
    def transaction(self, *, isolation: str = "") -> Iterator[None]:
        """Hold several statements together, e.g. `isolation="REPEATABLE READ READ ONLY"`."""
        self.execute(f"BEGIN TRANSACTION ISOLATION LEVEL {isolation}" if isolation else "BEGIN")
        try:
            yield
        except BaseException:
            with contextlib.suppress(QueryFailed, NodeNotAvailable):
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
        before = self.value("SELECT current_setting('statement_timeout')")
        self.limit(timeout)
        try:
            yield
        finally:
            with contextlib.suppress(QueryFailed, NodeNotAvailable):
                self.set("statement_timeout", before)

    @property
    def notices(self) -> list[str]:
        """What the server has said beside its answers, e.g. which orphans were dropped."""
        return list(self._connection.notices)

    def _translated(self, error: psycopg2.Error) -> Exception:
        if self._connection.closed or error.pgcode in {"57P01", "57P02", "57P03"}:
            return NodeNotAvailable(f"{self.name} broke off the connection: {_sentence(error)}")
        return QueryFailed(
            f"{self.name}: {_sentence(error)}",
            sqlstate=error.pgcode or "",
            hint=(error.diag.message_hint or "") if error.pgcode else "",
        )


def connect(
    dsn: str,
    *,
    name: str,
    log: Log | None = None,
    read_only: bool = False,
    timeout: timedelta = STATEMENT_TIMEOUT,
) -> Session:
    """Connect within `CONNECT_SECONDS`; NodeNotAvailable when that fails.

    Args:
        dsn: where to; its own application_name and connect_timeout hold.
        name: how the node is called in messages.
        log: is told every statement, with the name of the node.
        read_only: the server then refuses every change.
        timeout: what a statement may take at most.
    """
    defaults = {
        "application_name": "shardctl",
        "connect_timeout": str(LIBPQ_SECONDS),
        # A node that is cut off in the middle of an answer is given up after some 9 seconds.
        "keepalives_idle": "3",
        "keepalives_interval": "2",
        "keepalives_count": "3",
        "tcp_user_timeout": "9000",
    }
    connection = _within(
        CONNECT_SECONDS, lambda: psycopg2.connect(make_dsn(**(defaults | parsed(dsn)))), name
    )
    connection.autocommit = True
    session = Session(connection, name=name)
    session.limit(timeout)
    if read_only:
        session.set("default_transaction_read_only", "on")
    session._log = log
    return session


def parsed(dsn: str) -> dict[str, str]:
    """Return the parts of a DSN (URL or key=value); InvalidInput when it is neither."""
    try:
        return dict(parse_dsn(dsn))
    except psycopg2.Error as error:
        # The server's sentence could quote the password.
        raise InvalidInput(
            "The DSN cannot be read; it looks like postgresql://user:password@host:5432/database."
        ) from error


def quoted(name: str) -> str:
    """Return an identifier as SQL reads it, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a string constant as SQL reads it, for statements that take no parameters."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'" if "\\" not in text else "E'" + escaped.replace("\\", "\\\\") + "'"


def _within(seconds: float, work: Callable[[], T], name: str) -> T:
    """Run `work` in a thread that is left behind when it takes longer."""
    outcome: list[T | Exception] = []

    def attempt() -> None:
        try:
            outcome.append(work())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise NodeNotAvailable(f"{name} does not answer: no connection within {seconds:.0f} s.")
    (result,) = outcome
    if isinstance(result, psycopg2.Error):
        raise NodeNotAvailable(f"{name} does not answer: {_sentence(result)}") from result
    if isinstance(result, Exception):
        raise result
    return result


def _sentence(error: psycopg2.Error) -> str:
    """Return the first line of what the server or libpq says, with a full stop."""
    text: str = error.diag.message_primary or str(error).strip() or type(error).__name__
    first = text.splitlines()[0].strip() if text else ""
    # libpq puts address and port in front, which the name of the node says already.
    said = first.rpartition(" failed: ")[2] if first.startswith("connection to server") else first
    return said.rstrip(".") + "."
