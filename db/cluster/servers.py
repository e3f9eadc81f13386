"""Where a server is, and talking to it as its superuser."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg2

from db.cluster.roles import ADMIN, DATABASE, Passwords

Cursor = Any


class Server(NamedTuple):
    """A PostgreSQL server, at the address by which the other nodes know it."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@contextlib.contextmanager
def connect(
    server: Server, passwords: Passwords, database: str = DATABASE, *, name: str = "make up"
) -> Iterator[Cursor]:
    """Yield a cursor of the superuser on a server, each statement its own transaction.

    Args:
        name: what pg_stat_activity shows.
    """
    connection = psycopg2.connect(
        host=server.host,
        port=server.port,
        user=ADMIN,
        password=passwords.of(ADMIN),
        dbname=database,
        connect_timeout=5,
        application_name=name,
    )
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def exists(cursor: Cursor, query: str, value: object) -> bool:
    """Tell whether a query about one value returns a row."""
    cursor.execute(query, [value])
    return cursor.fetchone() is not None
