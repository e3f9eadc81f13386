"""Connecting to one node: within a bounded time, and to the server itself.

Invariants:
- Connecting ends after `CONNECT_SECONDS`, whatever the network does; a statement ends after the
  session's statement timeout.
- A session is the server's own, never one of a pooler's: what is set, locked or begun in it would
  stay for whoever gets that one next. Sessions that look leave nothing in them all the same.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn
from psycopg2.extras import NamedTupleCursor

from sharding.errors import InvalidInput, NodeNotAvailable, ThroughAPooler
from sharding.session import Log, Look, Row, Session, literal, quoted, sentence

__all__ = ["Log", "Row", "Session", "ask_pooler", "connect", "literal", "parsed", "quoted"]

# libpq counts per address of a name, and looking the name up is not counted at all.
CONNECT_SECONDS = 4.0
LIBPQ_SECONDS = 3
STATEMENT_TIMEOUT = timedelta(seconds=30)

T = TypeVar("T")


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

    Raises:
        NodeNotAvailable: it does not answer.
        ThroughAPooler: something else answers for it.
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
    session = (Look if read_only else Session)(connection, name=name)
    try:
        _require_direct(session, connection)
        session.limit(timeout)
    except BaseException:
        session.close()
        raise
    session._log = log
    return session


def ask_pooler(dsn: str, command: str, *, name: str) -> list[Row]:
    """Return what a PgBouncer answers to a command of its console, e.g. ``SHOW POOLS``.

    Args:
        dsn: where it listens, as one of its admin_users or stats_users.

    Raises:
        NodeNotAvailable: it does not answer within 4 seconds, or is no PgBouncer.
    """

    def ask() -> list[Row]:
        settings = {"dbname": "pgbouncer", "connect_timeout": str(LIBPQ_SECONDS)}
        with contextlib.closing(psycopg2.connect(make_dsn(**(parsed(dsn) | settings)))) as open_:
            open_.autocommit = True
            cursor = open_.cursor(cursor_factory=NamedTupleCursor)
            cursor.execute(command)
            return list(cursor.fetchall())

    return _within(CONNECT_SECONDS, ask, name)


def _require_direct(session: Session, connection: Any) -> None:
    """Compare the process that we were told of with the one that answers: a pooler invents it.

    It needs the pid to tell cancel requests apart, long before it has chosen a server.
    """
    told = connection.info.backend_pid
    answers = session.value("SELECT pg_backend_pid()")
    if told != answers:
        raise ThroughAPooler(
            f"{session.name} leads through a pooler (or a proxy that understands PostgreSQL): we"
            f" were connected to process {told}, and process {answers} answers. Locks and settings"
            " would stay in its sessions, for the application to find. Name the server itself: the"
            " port of PostgreSQL, not of PgBouncer."
        )


def parsed(dsn: str) -> dict[str, str]:
    """Return the parts of a DSN (URL or key=value); InvalidInput when it is neither."""
    try:
        return dict(parse_dsn(dsn))
    except psycopg2.Error as error:
        # The server's sentence could quote the password.
        raise InvalidInput(
            "The DSN cannot be read; it looks like postgresql://user:password@host:5432/database."
        ) from error


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
        raise NodeNotAvailable(f"{name} does not answer: {sentence(result)}") from result
    if isinstance(result, Exception):
        raise result
    return result
