"""What the nodes say of themselves at one moment, each asked at the same time as the others.

Invariant: no node makes the others wait. One that is down or hangs is left out after
`NODE_SECONDS`, with its reason, and what the coordinator knows of its shards is still told.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NamedTuple

from sharding.cluster import Cluster, Node
from sharding.connection import Session
from sharding.django.console.moves import Move, moves_of
from sharding.errors import QueryFailed, ShardingError
from sharding.inspection.estimates import ROWS
from sharding.shard_map import SHARDS, ShardMap, from_rows

NODE_SECONDS = 2.0
TOO_SLOW = "did not answer within"  # as `sharding.everywhere` says it
KEPT_SECONDS = 60.0
PROGRESS_TIMEOUT = timedelta(seconds=1)

# Shards are hidden from clients, and only the name of a shard's table says which one it is. A
# table's statistics count what was done to its shard on this node, whoever asked: the coordinator,
# another worker, or the application itself. Only a transaction can show hidden tables through a
# pooler as well.
SHOW_SHARDS = "SET LOCAL citus.override_table_visibility TO false"
RELATIONS = rf"""
SELECT substring(s.relname FROM '\d+$')::bigint AS shard, pg_total_relation_size(s.relid) AS size,
    {ROWS} AS rows, seq_scan + coalesce(idx_scan, 0) AS reads,
    n_tup_ins + n_tup_upd + n_tup_del AS writes
FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid WHERE s.relname ~ '_\d{{6,}}$'
"""  # noqa: S608
SERVER = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
    current_setting('max_connections')::int AS most_connections
"""
TENANTS = """
SELECT colocation_id, tenant_attribute, query_count_in_last_period, query_count_in_this_period,
    cpu_usage_in_last_period
FROM citus_stat_tenants_local(true)
"""
REFERENCES = """
SELECT shardid, logicalrelid::text FROM pg_dist_shard JOIN pg_dist_partition USING (logicalrelid)
WHERE partmethod = 'n'
"""
PROGRESS = "SELECT * FROM get_rebalance_progress()"


class Relation(NamedTuple):
    """One shard of one table on one node: bytes, rows, and what was done to it since it is there.

    Attributes:
        reads: scans, which is about the statements that read it.
        writes: rows written.
        rows: about how many there are; None when nobody knows.
    """

    size: int
    rows: int | None
    reads: int
    writes: int


class Tenant(NamedTuple):
    """A key whose queries a node counts, by Citus's periods of a minute."""

    colocation_id: int
    key: str
    last_minute: int
    this_minute: int
    cpu_seconds: float


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one node says."""

    relations: Mapping[int, Relation]
    tenants: tuple[Tenant, ...]
    connections: int
    most_connections: int
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The whole cluster at one moment.

    Attributes:
        at: seconds since 1970.
        readings: by the name of the node; a text says why there is none.
        references: the tables that every node has in full, by shard.
        slow: nodes that did not answer in time, and of when what is told of them is; None when
            nothing is.
    """

    at: float
    version: str
    database: str
    nodes: tuple[Node, ...]
    shards: ShardMap
    references: Mapping[int, str]
    readings: Mapping[str, Reading | str]
    moves: tuple[Move, ...]
    slow: Mapping[str, float | None] = field(default_factory=dict)

    def after(self, before: Sample | None) -> Sample:
        """Keep what a slow node said last, for a while: slow is not dead."""
        slow: dict[str, float | None] = {}
        readings = dict(self.readings)
        for name, said in self.readings.items():
            if not isinstance(said, str) or TOO_SLOW not in said:
                continue
            last = before.readings.get(name) if before else None
            since = (before.slow.get(name) or before.at) if before else 0.0
            slow[name] = None
            if isinstance(last, Reading) and self.at - since < KEPT_SECONDS:
                readings[name], slow[name] = last, since
        return replace(self, readings=readings, slow=slow)


def take(dsn: str) -> Sample:
    """Ask every node; ClusterNotAvailable when the coordinator does not answer, or has no Citus."""
    with Cluster.connect(dsn) as cluster:
        nodes = cluster.primaries()
        answers = cluster.on_each(nodes, read, seconds=NODE_SECONDS)
        return Sample(
            at=time.time(),
            version=cluster.citus_version,
            database=cluster.database,
            nodes=tuple(nodes),
            shards=from_rows(cluster.query(SHARDS)),
            references={row.shardid: row.logicalrelid for row in cluster.query(REFERENCES)},
            readings={
                node.name: str(answer) if isinstance(answer, ShardingError) else answer
                for node, answer in answers.items()
            },
            moves=_moves(cluster.coordinator),
        )


def read(session: Session) -> Reading:
    """Ask one node what it holds and what it is doing."""
    began = time.perf_counter()
    with session.transaction():
        session.execute(SHOW_SHARDS)
        relations = session.query(RELATIONS)
    server = session.row(SERVER)
    assert server is not None  # noqa: S101  (one row, whatever there is)
    return Reading(
        relations={r.shard: Relation(r.size, r.rows, r.reads, r.writes) for r in relations},
        tenants=_tenants(session),
        connections=server.connections,
        most_connections=server.most_connections,
        milliseconds=1000 * (time.perf_counter() - began),
    )


def _tenants(session: Session) -> tuple[Tenant, ...]:
    try:
        return tuple(Tenant(*row) for row in session.query(TENANTS))
    except QueryFailed:  # a role without pg_monitor: the rest can still be shown
        return ()


def _moves(coordinator: Session) -> tuple[Move, ...]:
    """Return what moves. Citus asks both nodes for sizes, and one of them may hang."""
    coordinator.limit(PROGRESS_TIMEOUT)
    try:
        return moves_of(coordinator.query(PROGRESS))
    except QueryFailed:
        return ()
