"""The statements that a cluster was asked, by pg_stat_statements, and how Citus plans them.

Each statement is prepared, so that the server tells the types of its parameters, and explained
with made-up values of these types, each a different one. It is planned, and not executed.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sharding.cluster import Cluster, split_answers
from sharding.connection import Session
from sharding.errors import QueryFailed
from sharding.inspection.placements import Layout, Table

INSTALLED = "SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'"
# One text may be several rows: of several roles, or of several levels of nesting.
SEEN = """
SELECT query, sum(calls)::bigint AS calls, sum(total_exec_time) / 1000 AS seconds
  FROM pg_stat_statements
 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND query ~* '^\\s*(/[*].*?[*]/)?\\s*(select|insert|update|delete|with|merge)'
 GROUP BY query
"""
NAME = "shardctl_advise"
TYPES = f"SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = '{NAME}'"  # noqa: S608
COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
TAG = re.compile(r"""(?:route|controller|action|task|framework)\s*[=:]\s*'?([^',*]+)'?""")
TARGET = re.compile(
    r"""\s*(?P<verb>insert\s+into|update|delete\s+from|merge\s+into)\s+(?:only\s+)?"""
    r"""(?P<table>[\w."$]+)""",
    re.IGNORECASE,
)
NUMBERS = {"smallint", "integer", "bigint", "numeric", "real", "double precision"}
TEXTS = {"text", "character varying", "character", "name", "citext"}
LITERALS = {
    "boolean": "true",
    "date": "'2000-01-01'",
    "interval": "'1 second'",
    "json": "'{}'",
    "jsonb": "'{}'",
    "timestamp with time zone": "'2000-01-01 00:00+00'",
    "timestamp without time zone": "'2000-01-01 00:00'",
}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement without its values, as all nodes together were asked it.

    Attributes:
        seconds: that the servers spent in it.
        tag: what a comment in it says of where it comes from (sqlcommenter, Marginalia).
        writes: the table that it changes, as Citus names it; None: it reads.
        replaces: whether it changes or removes rows that are there.
    """

    text: str
    calls: int
    seconds: float
    tag: str = ""
    writes: Table | None = None
    replaces: bool = False


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """How Citus would run a statement.

    Attributes:
        tasks: on how many shards at once, at the most in any part of it.
        subplans: results that are gathered and sent to the nodes before the rest is run.
        repartitions: whether rows are sent between the nodes to be joined.
        refusal: why it could not be planned, e.g. a constant that has no place for a parameter.
    """

    tasks: int = 0
    subplans: int = 0
    repartitions: bool = False
    refusal: str = ""


def seen(cluster: Cluster, layout: Layout) -> tuple[list[Statement], dict[str, str]]:
    """Return the statements on tables of Citus's, the costliest first; and why nodes are silent.

    What the nodes ask each other is left out: it names the shards' own tables.

    Raises:
        QueryFailed: no node has pg_stat_statements.
    """
    told, silent = split_answers(
        cluster.on_each([node for node in layout.nodes if node.is_primary], _read)
    )
    if told and all(rows is None for rows in told.values()):
        raise QueryFailed(
            "pg_stat_statements is installed on no node.",
            hint="Add it behind citus in shared_preload_libraries on every node, restart, and"
            " CREATE EXTENSION pg_stat_statements;",
        )
    tables = {table.name: table for table in layout.tables}
    mentions = _any_of(tables)
    shards = _any_of(placement.relation for placement in layout.placements)
    found: dict[str, Statement] = {}
    for text, calls, seconds in (row for rows in told.values() for row in rows or ()):
        bare = " ".join(COMMENT.sub(" ", text).split())
        if not mentions.search(bare) or shards.search(bare):
            continue
        known = found.get(bare) or _statement(bare, text, tables)
        found[bare] = replace(known, calls=known.calls + calls, seconds=known.seconds + seconds)
    return sorted(found.values(), key=lambda statement: -statement.seconds), {
        node.name: str(error) for node, error in silent.items()
    }


def judge(session: Session, statement: Statement) -> Judgement:
    """Return how Citus plans a statement; nothing is executed."""
    try:
        with _prepared(session, statement.text) as types:
            values = ", ".join(sample(name, n) for n, name in enumerate(types, 1))
            call = f"EXECUTE {NAME}({values})" if values else f"EXECUTE {NAME}"
            plan = session.value(f"EXPLAIN (FORMAT JSON, COSTS OFF) {call}")
    except QueryFailed as error:
        return Judgement(refusal=str(error))
    return read_plan(json.loads(plan) if isinstance(plan, str) else plan)


def read_plan(plan: Any) -> Judgement:
    """Return what EXPLAIN (FORMAT JSON) of Citus says of its tasks."""
    nodes = list(_walk(plan))
    return Judgement(
        tasks=max((node["Task Count"] for node in nodes if "Task Count" in node), default=0),
        subplans=sum(len(node["Subplans"]) for node in nodes if "Subplans" in node),
        repartitions=any("Map Task Count" in node for node in nodes),
    )


def sample(type_name: str, number: int) -> str:
    """Return a literal of a type, a different one for each number; NULL of types not known here."""
    if type_name.endswith("[]"):
        return f"ARRAY[{sample(type_name[:-2], number)}]::{type_name}"
    if type_name in NUMBERS:
        return str(number)
    if type_name in TEXTS:
        return f"'sample {number}'"
    if type_name == "uuid":
        return f"'{UUID(int=number)}'"
    return LITERALS.get(type_name, "NULL")


def _read(session: Session) -> list[tuple[str, int, float]] | None:
    if not session.value(INSTALLED):
        return None
    return [(row.query, row.calls, row.seconds) for row in session.query(SEEN)]


@contextlib.contextmanager
def _prepared(session: Session, text: str) -> Iterator[list[str]]:
    session.execute(f"PREPARE {NAME} AS {text}")
    try:
        yield session.value(TYPES) or []
    finally:
        session.execute(f"DEALLOCATE {NAME}")


def _statement(bare: str, text: str, tables: Mapping[str, Table]) -> Statement:
    target = TARGET.match(bare)
    name = target["table"].replace('"', "") if target else ""
    return Statement(
        text=bare,
        calls=0,
        seconds=0.0,
        tag=_tag(text),
        writes=tables.get(name) or tables.get(name.removeprefix("public.")),
        replaces=target is not None and not target["verb"].lower().startswith("insert"),
    )


def _tag(text: str) -> str:
    found = (TAG.search(comment) for comment in COMMENT.findall(text))
    return next((match[1].strip() for match in found if match), "")


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern for any of the names, as a whole word."""
    escaped = "|".join(re.escape(name) for name in names)
    return re.compile(rf"(?<![\w$])(?:{escaped or '(?!)'})(?![\w$])")


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value:
        if isinstance(child, dict | list):
            yield from _walk(child)
