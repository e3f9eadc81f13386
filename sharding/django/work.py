"""What a piece of work, a request or a task, asks of the databases: named in the SQL, and timed.

Inside `doing(Work(…))` every statement ends in a comment that says what it belongs to, in the form
of sqlcommenter, so that a slow one in PostgreSQL's log leads to its request::

    SELECT … /*request_id='6f1c…',route='/api/orders/{order_id}/'*/

Invariant: a comment holds nothing but names and ids of `SAFE` characters; no value can end it, and
none is a placeholder. PostgreSQL groups its statistics without comments, and Citus keeps its fast
path and its local plans (docs/monitoring.md). What Citus sends on to another node loses it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import Any, NamedTuple

SAFE = re.compile(r"[A-Za-z0-9._:/{}-]{1,200}")
MOST_STATEMENTS = 200  # that one piece of work remembers; what comes later is only counted


class Statement(NamedTuple):
    """One statement as it was sent but for its values; seconds that it took, on which alias."""

    sql: str
    alias: str
    seconds: float


class Spent:
    """How many statements went to an alias, and the seconds that they took."""

    __slots__ = ("queries", "seconds")

    def __init__(self) -> None:
        self.queries = 0
        self.seconds = 0.0

    def add(self, other: "Spent") -> None:
        """Add what was spent elsewhere."""
        self.queries += other.queries
        self.seconds += other.seconds


class Work:
    """One request or task, and what it has asked of each database."""

    __slots__ = ("_comment", "spent", "statements")

    def __init__(self) -> None:
        self._comment: str | None = None
        self.spent: dict[str, Spent] = {}
        self.statements: list[Statement] = []

    def note(self, sql: str, alias: str, seconds: float, queries: int = 1) -> None:
        """Add a statement; connecting and committing take time but are no queries."""
        spent = self.spent.get(alias)
        if spent is None:
            spent = self.spent[alias] = Spent()
        spent.queries += queries
        spent.seconds += seconds
        if len(self.statements) < MOST_STATEMENTS:
            self.statements.append(Statement(sql, alias, seconds))

    def names(self) -> dict[str, str]:
        """Return what the comments of this work say, by name."""
        return {}

    @property
    def comment(self) -> str:
        """What its statements end in; made with the first of them."""
        if self._comment is None:
            self._comment = comment_of(**self.names())
        return self._comment

    @property
    def queries(self) -> int:
        """How many statements there were in all."""
        return sum(spent.queries for spent in self.spent.values())

    @property
    def seconds(self) -> float:
        """How long the databases took in all."""
        return sum(spent.seconds for spent in self.spent.values())


current: ContextVar[Work | None] = ContextVar("work", default=None)


@contextmanager
def doing(work: Work) -> Iterator[Work]:
    """Count what follows, in this context, as part of a piece of work."""
    token = current.set(work)
    try:
        yield work
    finally:
        current.reset(token)


def comment_of(**names: str) -> str:
    """Return the comment that says these; a value with other than SAFE characters is left out."""
    said = [f"{name}='{value}'" for name, value in names.items() if SAFE.fullmatch(value)]
    return f" /*{','.join(said)}*/" if said else ""


def observe(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Run one statement, commented and timed: a wrapper as Django's `execute_wrappers` are."""
    work = current.get()
    if work is None or not isinstance(sql, str):
        return execute(sql, params, many, context)
    began = perf_counter()
    try:
        return execute(sql + work.comment, params, many, context)
    finally:
        work.note(sql, context["connection"].alias, perf_counter() - began)


class Observed:
    """Makes a database wrapper tell the current work of its statements, and of waiting besides."""

    alias: str
    execute_wrappers: list[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(observe)

    def connect(self) -> None:
        with _noted("CONNECT", self.alias):
            super().connect()  # type: ignore[misc]

    def is_usable(self) -> bool:
        """Ask whether the connection still lives, as Django does once per request."""
        with _noted("CHECK", self.alias):
            return bool(super().is_usable())  # type: ignore[misc]

    def _commit(self) -> Any:
        with _noted("COMMIT", self.alias):
            return super()._commit()  # type: ignore[misc]


@contextmanager
def _noted(what: str, alias: str) -> Iterator[None]:
    """Note the time of something as a whole: statements inside, as of connecting, not again."""
    work = current.get()
    if work is None:
        yield
        return
    token, began = current.set(None), perf_counter()
    try:
        yield
    finally:
        current.reset(token)
        work.note(what, alias, perf_counter() - began, queries=0)
