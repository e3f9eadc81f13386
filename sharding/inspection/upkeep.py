"""How well each shard is looked after: dead rows, vacuum, transaction ids, size of its indexes.

Each node is asked about its own shards, in PostgreSQL's statistics; no table is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sharding.cluster import Cluster, split_answers
from sharding.connection import Row, Session
from sharding.inspection import placements
from sharding.inspection.findings import Finding, Severity
from sharding.inspection.placements import Layout

# A B-tree that is filled by random keys settles at about 70 % full pages; the estimate leaves out
# the header of tuples, so it is a floor: what exceeds it twice is bloat, or a wide key.
SHARDS = """
SELECT name, s.n_live_tup AS live, s.n_dead_tup AS dead,
       greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed_at,
       greatest(s.last_analyze, s.last_autoanalyze) AS analyzed_at,
       age(c.relfrozenxid)::bigint AS xid_age, pg_relation_size(c.oid) AS bytes,
       pg_indexes_size(c.oid) AS index_bytes,
       (SELECT sum(greatest(x.reltuples, 0) * (16 + 8 * i.indnkeyatts) / 0.7)::bigint
          FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam
         WHERE i.indrelid = c.oid AND a.amname = 'btree') AS expected_index_bytes
  FROM unnest(%s::text[]) AS name JOIN pg_class c ON c.oid = to_regclass(name)
  LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
"""
LIMIT = "SELECT current_setting('autovacuum_freeze_max_age')::bigint"
STATEMENTS = """
SELECT query, calls, total_exec_time / 1000 AS seconds, mean_exec_time AS mean_ms
  FROM pg_stat_statements
 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND query ~ '_[0-9]{5,}'
 ORDER BY total_exec_time DESC LIMIT 200
"""
HAS_STATEMENTS = "SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'"
# Autovacuum begins at 20 %: half of a table dead means that it does not get through.
MOST_DEAD = 0.5
LEAST_DEAD_ROWS = 1000
MOST_BLOAT = 2.0
LEAST_INDEX_BYTES = 8 * 2**20


@dataclass(frozen=True, kw_only=True)
class ShardUpkeep:
    """One shard's table on its node.

    Attributes:
        live, dead: rows, by PostgreSQL's count; None: nothing was counted since a crash.
        xid_age: transactions since its oldest row was frozen; at 2 billion writes would stop.
        bytes: of the table itself, `index_bytes` of all its indexes.
        bloat: how often the size that its B-trees should have goes into the one they have.
    """

    node: str
    shard: str
    table: str
    live: int | None
    dead: int | None
    vacuumed_at: datetime | None
    analyzed_at: datetime | None
    xid_age: int
    bytes: int
    index_bytes: int
    bloat: float | None

    @property
    def dead_share(self) -> float | None:
        """The share of the rows that are dead; None when they were not counted."""
        if self.live is None or self.dead is None or not self.live + self.dead:
            return None
        return self.dead / (self.live + self.dead)


@dataclass(frozen=True, kw_only=True)
class ShardStatement:
    """A statement on one shard, as its node has counted it."""

    node: str
    shard: str
    text: str
    calls: int
    seconds: float
    mean_ms: float


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """All shards, and what should be done about some.

    Attributes:
        statements: the costliest ones by shard; empty without pg_stat_statements.
    """

    shards: tuple[ShardUpkeep, ...]
    statements: tuple[ShardStatement, ...]
    findings: tuple[Finding, ...]
    silent: Mapping[str, str] = field(default_factory=dict)


def inspect(cluster: Cluster) -> Upkeep:
    """Return how well the shards of all nodes are looked after."""
    layout = placements.read(cluster, sizes=False)
    nodes = [node for node in layout.nodes if node.is_primary]
    told, silent = split_answers(cluster.on_each(nodes, _reader(layout)))
    shards = [shard for listed, _, _ in told.values() for shard in listed]
    limits = {node.name: limit for node, (_, _, limit) in told.items()}
    statements = [statement for _, listed, _ in told.values() for statement in listed]
    statements.sort(key=lambda statement: -statement.seconds)
    return Upkeep(
        shards=tuple(shards),
        statements=tuple(statements),
        findings=tuple(f for shard in shards for f in judge(shard, limits[shard.node])),
        silent={node.name: str(error) for node, error in silent.items()},
    )


def judge(shard: ShardUpkeep, freeze_max_age: int) -> list[Finding]:
    """Return what should be done about a shard."""
    found = []
    share = shard.dead_share or 0.0
    if share > MOST_DEAD and (shard.dead or 0) >= LEAST_DEAD_ROWS:
        found.append(
            _finding(
                shard,
                "dead-rows",
                f"{share:.0%} of its rows are dead",
                "Look for old transactions (shardctl activity); then VACUUM the table.",
            )
        )
    if shard.xid_age > freeze_max_age:
        found.append(
            _finding(
                shard,
                "xid-age",
                f"its oldest row is {shard.xid_age:,} transactions old"
                f" (autovacuum_freeze_max_age: {freeze_max_age:,})",
                "VACUUM (FREEZE) the table; look for old transactions and prepared ones.",
            )
        )
    if (shard.bloat or 0) > MOST_BLOAT and shard.index_bytes >= LEAST_INDEX_BYTES:
        found.append(
            _finding(
                shard,
                "index-bloat",
                f"its indexes are some {shard.bloat:.1f} times as large as their rows need",
                "REINDEX TABLE CONCURRENTLY on the coordinator, or move the shard: that builds"
                " them anew.",
            )
        )
    return found


def _reader(
    layout: Layout,
) -> Callable[[Session], tuple[list[ShardUpkeep], list[ShardStatement], int]]:
    tables = {placement.relation: placement.table for placement in layout.placements}
    by_node: dict[str, list[str]] = {}
    for placement in layout.placements:
        by_node.setdefault(placement.node, []).append(placement.relation)

    def read(session: Session) -> tuple[list[ShardUpkeep], list[ShardStatement], int]:
        rows = session.query(SHARDS, [by_node.get(session.name, [])])
        shards = [_shard(session.name, row, tables[row.name]) for row in rows]
        counted = session.query(STATEMENTS) if session.value(HAS_STATEMENTS) else []
        names = set(by_node.get(session.name, []))
        return shards, list(_statements(session.name, counted, names)), session.value(LIMIT)

    return read


def _shard(node: str, row: Row, table: str) -> ShardUpkeep:
    fields = row._asdict()
    expected = fields.pop("expected_index_bytes")
    # A page for its meta data, and one for its root, even of an empty index.
    bloat = row.index_bytes / expected if expected and expected > LEAST_INDEX_BYTES / 8 else None
    return ShardUpkeep(node=node, shard=fields.pop("name"), table=table, bloat=bloat, **fields)


def _statements(node: str, rows: list[Row], names: set[str]) -> list[ShardStatement]:
    found = []
    for row in rows:
        words = row.query.replace('"', " ").replace(".", " ").replace("(", " ").split()
        shard = next((word for word in words if word in names), None)
        if shard:
            found.append(
                ShardStatement(
                    node=node,
                    shard=shard,
                    text=row.query,
                    calls=row.calls,
                    seconds=row.seconds,
                    mean_ms=row.mean_ms,
                )
            )
    return found


def _finding(shard: ShardUpkeep, code: str, what: str, remedy: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.WARNING,
        message=f"{shard.shard} on {shard.node}: {what}.",
        remedy=remedy,
        node=shard.node,
    )
