"""Tables that were put aside instead of dropped: schema `shardctl_quarantine` on their node.

Nothing but `drop` removes them, and nothing but a person calls that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Session, literal, quoted
from sharding.errors import NodeNotAvailable, QueryFailed

SCHEMA = "shardctl_quarantine"
# PostgreSQL cuts names off at 63 bytes; the stamp takes 15 of them.
LONGEST = 48
LOCK_TIMEOUT = "SET lock_timeout TO '5s'"
# Kept, they would let changes of a reference table fail for rows that nobody reads.
LET_GO = """
DO $$ DECLARE key record; BEGIN
  FOR key IN SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = {name}::regclass
  LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', {name}::regclass, key.conname); END LOOP;
END $$
"""
TABLES = """
SELECT c.relname::text AS name, obj_description(c.oid, 'pg_class') AS note,
       pg_total_relation_size(c.oid) AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'shardctl_quarantine' AND c.relkind IN ('r', 'p') ORDER BY 1
"""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A table in quarantine.

    Attributes:
        node: host:port.
        name: in the schema shardctl_quarantine.
        origin: what it was called where it was found.
        since: when it was put aside; None for one that somebody else put there.
        age: for how long it has been there.
    """

    node: str
    name: str
    origin: str
    since: datetime | None
    age: timedelta | None
    bytes: int


def put(table: str) -> tuple[str, ...]:
    """Return the statements that put a table aside, all or nothing; `table` is a regclass' text."""
    now = datetime.now(UTC)
    bare = table.rpartition(".")[2].strip('"')
    name = f"{bare[:LONGEST]}_{now:%Y%m%d%H%M%S}"
    note = json.dumps({"origin": table, "since": now.isoformat(timespec="seconds")})
    return (
        LOCK_TIMEOUT,
        "BEGIN",
        f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
        LET_GO.format(name=literal(table)).strip(),
        f"ALTER TABLE {table} RENAME TO {quoted(name)}",
        f"ALTER TABLE {_beside(table, name)} SET SCHEMA {SCHEMA}",
        f"COMMENT ON TABLE {SCHEMA}.{quoted(name)} IS {literal(note)}",
        "COMMIT",
    )


def inspect(cluster: Cluster, nodes: Iterable[Node]) -> tuple[list[Kept], dict[str, str]]:
    """Return what is in quarantine, and which nodes did not say."""
    told, silent = split_answers(cluster.on_each(nodes, _of_node))
    kept = [table for tables in told.values() for table in tables]
    return kept, {node.name: str(error) for node, error in silent.items()}


def drop(cluster: Cluster, tables: Iterable[Kept]) -> tuple[list[Kept], list[str]]:
    """Drop tables for good; return those that are gone, and what servers refused."""
    nodes = {node.name: node for node in cluster.primaries()}
    gone, failed = [], []
    for table in tables:
        try:
            with cluster.on(nodes[table.node]) as session:
                session.execute("SET citus.enable_ddl_propagation TO off")
                session.execute(LOCK_TIMEOUT)
                # No CASCADE: whatever depends on it is a reason to look again.
                session.execute(f"DROP TABLE {SCHEMA}.{quoted(table.name)}")
        except (QueryFailed, NodeNotAvailable) as error:
            failed.append(str(error))
        else:
            gone.append(table)
    return gone, failed


def _of_node(session: Session) -> list[Kept]:
    return [_kept(session.name, row.name, row.note or "", row.bytes)
            for row in session.query(TABLES)]  # fmt: skip


def _kept(node: str, name: str, note: str, size: int) -> Kept:
    try:
        said = json.loads(note)
        origin, since = said["origin"], datetime.fromisoformat(said["since"])
    except (ValueError, KeyError, TypeError):
        origin, since = "", None
    age = datetime.now(UTC) - since if since else None
    return Kept(node=node, name=name, origin=origin, since=since, age=age, bytes=size)


def _beside(table: str, name: str) -> str:
    """Return another name in the schema of a table."""
    schema, dot, _ = table.rpartition(".")
    return f"{schema}{dot}{quoted(name)}"
