"""A client's connection that says aloud what it sends, and what it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import psycopg2

PATIENCE = 30.0  # seconds, for what comes within two

Say = Callable[[str], None]


class NotShown(Exception):
    """The cluster did not do what the example is there to show."""


class Answer(NamedTuple):
    """What a statement was answered: rows of a query, or how many a change met (-1: neither)."""

    rows: list[tuple[Any, ...]]
    changed: int

    def __str__(self) -> str:
        if self.changed >= 0:
            return f"{self.changed} row{'' if self.changed == 1 else 's'}"
        return ", ".join(" ".join(str(value) for value in row) for row in self.rows) or "no row"


class Session:
    """One connection in autocommit: BEGIN and COMMIT are sent like everything else."""

    def __init__(self, name: str, dsn: str, say: Say, settings: str = "") -> None:
        self.name = name
        self._say = say
        self.connection = psycopg2.connect(dsn, options=settings, connect_timeout=5)
        self.connection.autocommit = True

    def __call__(self, sql: str) -> Answer:
        """Send a statement; what fails raises."""
        self._say(f"{self.name}: {sql}")
        answer = self.quietly(sql)
        self._tell(answer)
        return answer

    def change(self, sql: str) -> int:
        """Send a change and return how many rows it met."""
        return self(sql).changed

    def value(self, sql: str) -> Any:
        """Send a query and return the first column of its first row."""
        return self(sql).rows[0][0]

    def refused(self, sql: str) -> str:
        """Send a statement that has to fail, and return its SQLSTATE.

        Raises:
            NotShown: it did not fail.
        """
        if code := self.outcome(sql):
            return code
        raise NotShown(f"this was not refused: {sql}")

    def outcome(self, sql: str) -> str:
        """Send a statement that may fail; return its SQLSTATE, or nothing if it does not."""
        self._say(f"{self.name}: {sql}")
        try:
            self._tell(self.quietly(sql))
        except psycopg2.Error as error:
            return self._fail(error)
        return ""

    def code(self, sql: str) -> str:
        """Send a statement without a word; return its SQLSTATE if it fails, and undo it then."""
        try:
            self.quietly(sql)
        except psycopg2.Error as error:
            if self.connection.info.transaction_status:
                self.quietly("ROLLBACK")
            return error.pgcode or "connection lost"
        return ""

    def start(self, sql: str) -> Waiting:
        """Send a statement without waiting for its answer."""
        self._say(f"{self.name}: {sql}   …")
        return Waiting(self, sql)

    def quietly(self, sql: str) -> Answer:
        """Send a statement without a word."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            if cursor.description:
                return Answer(list(cursor.fetchall()), -1)
            return Answer([], cursor.rowcount)

    def resume(self, answer: Answer | psycopg2.Error) -> str:
        """Say what came of a statement that was started; return the SQLSTATE of an error."""
        self._say(f"{self.name}: … is answered")
        if isinstance(answer, psycopg2.Error):
            return self._fail(answer)
        self._tell(answer)
        return ""

    def _tell(self, answer: Answer) -> None:
        for notice in self.connection.notices:
            if notice.startswith("WARNING"):
                self._say(f"   {notice.splitlines()[0]}")
        self.connection.notices.clear()
        if answer.changed >= 0 or answer.rows not in ([], [("",)]):
            self._say(f"   {answer}")

    def _fail(self, error: psycopg2.Error) -> str:
        code = error.pgcode or "connection lost"
        self._say(f"   ERROR {code}: {str(error).splitlines()[0]}")
        return code


class Waiting:
    """A statement that was sent and is not answered yet."""

    def __init__(self, session: Session, sql: str) -> None:
        self._session = session
        self._answer: Answer | psycopg2.Error | None = None
        self._thread = threading.Thread(target=self._run, args=(sql,), daemon=True)
        self._thread.start()

    @property
    def waits(self) -> bool:
        """Whether there is no answer yet."""
        return self._answer is None

    @property
    def value(self) -> Any:
        """The first column of the first row of the answer."""
        return self._granted().rows[0][0]

    @property
    def changed(self) -> int:
        """How many rows it has changed."""
        return self._granted().changed

    def end(self) -> str:
        """Wait for the answer; return the SQLSTATE of an error, or nothing.

        Raises:
            TimeoutError: there is none.
        """
        self._thread.join(PATIENCE)
        if self._answer is None:
            raise TimeoutError(f"{self._session.name} is not answered")
        return self._session.resume(self._answer)

    def _granted(self) -> Answer:
        if not isinstance(self._answer, Answer):
            raise NotShown(f"{self._session.name} is refused: {self._answer}")
        return self._answer

    def _run(self, sql: str) -> None:
        try:
            self._answer = self._session.quietly(sql)
        except psycopg2.Error as error:
            self._answer = error
