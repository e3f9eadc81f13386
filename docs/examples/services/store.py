"""A service's own database."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.extras import RealDictCursor, register_uuid

register_uuid()


class Database:
    """One connection per thread: gunicorn's threads, and those of the background."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._local = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Yield a cursor, whose rows are dicts; an exception undoes what was done with it."""
        connection = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            connection = psycopg2.connect(self.url, cursor_factory=RealDictCursor)
            self._local.connection = connection
        with connection, connection.cursor() as cursor:
            yield cursor

    def run(self, sql: str, *parameters: Any) -> int:
        """Run a statement in a transaction of its own; return how many rows it concerned."""
        with self.transaction() as cursor:
            cursor.execute(sql, parameters)
            return int(cursor.rowcount)

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a query in a transaction of its own."""
        with self.transaction() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def close(self) -> None:
        """Close this thread's connection."""
        if connection := getattr(self._local, "connection", None):
            connection.close()
