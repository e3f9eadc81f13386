"""What Citus leaves behind when a move, a split or a commit was cut off, and how to remove it.

Invariants:
- Nothing that an operation still uses is called a leftover. Citus holds an advisory lock of class
  10 on the id of each running operation, and the names of what it makes end with that id.
- No shard that any node's own metadata place where it lies is called one either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Row, Session
from sharding.inspection import placements
from sharding.inspection.placements import Layout

STALE = timedelta(minutes=1)
# pg_dist_cleanup.object_type and policy_type, as shard_cleaner.h numbers them.
OBJECT_TYPES = {
    1: "shard",
    2: "subscription",
    3: "slot",
    4: "publication",
    5: "role",
    6: "database",
}
DEFERRED = 2

RUNNING = """
SELECT DISTINCT objid::bigint AS id FROM pg_locks
 WHERE locktype = 'advisory' AND objsubid = 10
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
RECORDS = """
SELECT record_id, operation_id, object_type, object_name, node_group_id, policy_type
  FROM pg_dist_cleanup ORDER BY record_id
"""
# By the names that Citus gives them (multi_logical_replication.c, shard_split.c).
SLOTS = r"""
SELECT slot_name::text AS name, active,
       pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint AS held_bytes
  FROM pg_replication_slots
 WHERE slot_name ~ '^citus_shard_(move|split)_slot_' AND database = current_database()
"""
PUBLICATIONS = (
    r"SELECT pubname::text AS name FROM pg_publication"
    r" WHERE pubname ~ '^citus_shard_(move|split)_publication_'"
)
SUBSCRIPTIONS = r"""
SELECT subname::text AS name FROM pg_subscription
 WHERE subname ~ '^citus_shard_(move|split)_subscription_'
   AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
ROLES = (
    r"SELECT rolname::text AS name FROM pg_roles"
    r" WHERE rolname ~ '^citus_shard_(move|split)_subscription_role_'"
)
PREPARED = """
SELECT gid AS name, extract(epoch FROM now() - prepared)::float AS seconds,
       gid ~ '^citus_[0-9]+_' AS is_citus
  FROM pg_prepared_xacts WHERE database = current_database()
"""
INDEXES = """
SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS detail
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p
                    WHERE p.index_relid = i.indexrelid)
 ORDER BY 1
"""
# Tables that carry the name of a Citus table and a shard id that Citus has given out.
CANDIDATES = r"""
SELECT c.oid::regclass::text AS name, substring(c.relname FROM '_([0-9]+)$')::bigint AS shard_id,
       pg_total_relation_size(c.oid) AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relname ~ '_[0-9]{6,18}$'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND NOT EXISTS (SELECT FROM pg_dist_partition p WHERE p.logicalrelid = c.oid)
   AND regexp_replace(c.relname, '_[0-9]+$', '') IN (
       SELECT t.relname FROM pg_dist_partition p JOIN pg_class t ON t.oid = p.logicalrelid
        WHERE t.relnamespace = c.relnamespace)
"""
CLAIMS = "SELECT shardid, groupid FROM pg_dist_placement WHERE shardid = ANY(%s)"
SHARD_IDS = "SELECT last_value FROM pg_catalog.pg_dist_shardid_seq"
FIRST_SHARD_ID = 102008


class Kind(StrEnum):
    """What can be left behind."""

    RECORD = "cleanup-record"  # Citus knows that it has to remove something
    SHARD = "orphaned-shard"  # a shard's table where no placement is
    SLOT = "replication-slot"
    PUBLICATION = "publication"
    SUBSCRIPTION = "subscription"
    ROLE = "subscription-role"
    PREPARED = "prepared-transaction"
    INDEX = "invalid-index"


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """One thing that should not be there.

    Attributes:
        node: host:port; empty when the node is no longer in pg_dist_node.
        operation_id: the operation of Citus that made it; None when it cannot be told.
        is_recorded: pg_dist_cleanup lists it, so that Citus removes it by itself, in time.
        waits: it is the old placement of a move that went well, dropped within seconds.
        bytes: what it takes or keeps from being removed.
        shard_id: of an orphaned shard.
    """

    kind: Kind
    node: str
    name: str
    detail: str = ""
    operation_id: int | None = None
    is_recorded: bool = False
    waits: bool = False
    bytes: int | None = None
    record_id: int | None = None
    shard_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Leftovers:
    """What was found, which operations run, and which nodes could not be asked."""

    found: tuple[Leftover, ...]
    running: tuple[int, ...]
    silent: dict[str, str] = field(default_factory=dict)

    def of(self, *kinds: Kind) -> list[Leftover]:
        """Return those of some kinds."""
        return [leftover for leftover in self.found if leftover.kind in kinds]

    @property
    def stuck(self) -> list[Leftover]:
        """Those that will not be gone by themselves within seconds."""
        return [leftover for leftover in self.found if not leftover.waits]


@dataclass(frozen=True, kw_only=True)
class _OnNode:
    things: tuple[Leftover, ...]
    tables: tuple[tuple[str, int, int], ...]


def inspect(
    cluster: Cluster, *, layout: Layout | None = None, stale: timedelta | None = None
) -> Leftovers:
    """Return what was left behind on all nodes.

    Args:
        cluster: where.
        layout: the placements, when they are known already.
        stale: from which age on a prepared transaction is stray; None: `STALE`.
    """
    layout = layout or placements.read(cluster, sizes=False)
    running = {row.id for row in cluster.query(RUNNING)}
    records = cluster.query(RECORDS)
    recorded = {row.object_name for row in records}
    newest = int(cluster.value(SHARD_IDS))
    nodes = [node for node in cluster.nodes() if node.is_primary]
    told, silent = split_answers(cluster.on_each(nodes, lambda s: _on_node(s, stale or STALE)))
    names = {node.group: node.name for node in nodes}
    found = [_record(row, names) for row in records if row.operation_id not in running]
    for node, answer in told.items():
        things = [_known(thing, recorded) for thing in answer.things]
        found += [thing for thing in things if thing.operation_id not in running]
        if not running:
            found += _orphans(answer.tables, node, layout, recorded, newest)
    return Leftovers(
        found=tuple(_unclaimed(cluster, found, nodes)),
        running=tuple(sorted(running)),
        silent={node.name: str(error) for node, error in silent.items()},
    )


def running_operations(cluster: Cluster) -> list[int]:
    """Return the ids of the moves, splits and copies that run now."""
    return sorted(row.id for row in cluster.query(RUNNING))


def _on_node(session: Session, stale: timedelta) -> _OnNode:
    found: list[Leftover] = []

    def add(kind: Kind, name: str, **more: object) -> None:
        operation = _operation(name) if kind not in {Kind.PREPARED, Kind.INDEX} else None
        found.append(
            Leftover(kind=kind, node=session.name, name=name, operation_id=operation, **more)  # type: ignore[arg-type]
        )

    for row in session.query(SLOTS):
        detail = "active" if row.active else "inactive"
        add(Kind.SLOT, row.name, detail=detail, bytes=row.held_bytes)
    for kind, sql in (
        (Kind.PUBLICATION, PUBLICATIONS),
        (Kind.SUBSCRIPTION, SUBSCRIPTIONS),
        (Kind.ROLE, ROLES),
    ):
        for row in session.query(sql):
            add(kind, row.name)
    for row in session.query(PREPARED):
        if row.seconds >= stale.total_seconds():
            origin = "of Citus" if row.is_citus else "not of Citus"
            add(Kind.PREPARED, row.name, detail=f"{origin}, {row.seconds:.0f} s old")
    for row in session.query(INDEXES):
        add(Kind.INDEX, row.name, detail=row.detail)
    tables = tuple((row.name, row.shard_id, row.bytes) for row in session.query(CANDIDATES))
    return _OnNode(things=tuple(found), tables=tables)


def _operation(name: str) -> int | None:
    """The names of what a move or split makes end with the id of the operation."""
    last = name.rpartition("_")[2]
    return int(last) if last.isdigit() else None


def _known(thing: Leftover, recorded: set[str]) -> Leftover:
    return replace(thing, is_recorded=thing.name in recorded)


def _record(row: Row, names: dict[int, str]) -> Leftover:
    kind = OBJECT_TYPES.get(row.object_type, f"object of type {row.object_type}")
    gone = row.node_group_id not in names
    return Leftover(
        kind=Kind.RECORD,
        node=names.get(row.node_group_id, ""),
        name=row.object_name,
        detail=f"{kind} on node group {row.node_group_id}, which is gone" if gone else kind,
        operation_id=row.operation_id,
        is_recorded=True,
        waits=row.policy_type == DEFERRED and not gone,
        record_id=row.record_id,
    )


def _orphans(
    tables: Iterable[tuple[str, int, int]],
    node: Node,
    layout: Layout,
    recorded: set[str],
    newest: int,
) -> list[Leftover]:
    here = {p.shard_id for p in layout.placements if p.node_group == node.group}
    known = {p.shard_id for p in layout.placements}
    found = []
    for name, shard_id, size in tables:
        if shard_id in here or not FIRST_SHARD_ID <= shard_id <= newest:
            continue
        listed = name in recorded or f"public.{name}" in recorded
        found.append(
            Leftover(
                kind=Kind.SHARD,
                node=node.name,
                name=name,
                detail="placed elsewhere" if shard_id in known else "unknown to Citus",
                is_recorded=listed,
                waits=listed,
                bytes=size,
                shard_id=shard_id,
            )
        )
    return found


def _unclaimed(cluster: Cluster, found: list[Leftover], nodes: list[Node]) -> list[Leftover]:
    """Leave out the shards that lie where some node's metadata place them (see `agreement`)."""
    ids = [left.shard_id for left in found if left.shard_id is not None]
    if not ids:
        return found
    told, _ = split_answers(cluster.on_each(nodes, lambda s: s.query(CLAIMS, [ids])))
    names = {node.group: node.name for node in nodes}
    claimed = {(r.shardid, names.get(r.groupid)) for rows in told.values() for r in rows}
    return [left for left in found if (left.shard_id, left.node) not in claimed]
