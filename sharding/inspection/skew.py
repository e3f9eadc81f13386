"""How evenly bytes, rows and traffic are spread, and who makes the traffic.

Traffic per shard is what PostgreSQL counts for the shard's own table (pg_stat_user_tables), so it
needs no tracking of Citus's: rows read by scans, rows written. Counters begin with the shard's
life on its node; the difference of two samples is the traffic of now.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Row, Session
from sharding.errors import ShardingError
from sharding.inspection import estimates, placements
from sharding.inspection.placements import Layout, ShardGroup, imbalance

COUNTERS = f"""
SELECT name, {estimates.ROWS} AS rows,
       coalesce(s.seq_scan, 0) + coalesce(s.idx_scan, 0) AS scans,
       s.n_tup_ins + s.n_tup_upd + s.n_tup_del AS writes
  FROM unnest(%s::text[]) AS name JOIN pg_stat_user_tables s ON s.relid = to_regclass(name)
  JOIN pg_class c ON c.oid = s.relid
"""  # noqa: S608
TRACKING = "SELECT current_setting('citus.stat_tenants_track')"
TENANTS = """
SELECT colocation_id, tenant_attribute AS key,
       read_count_in_this_period + read_count_in_last_period AS reads,
       query_count_in_this_period + query_count_in_last_period AS queries,
       cpu_usage_in_this_period + cpu_usage_in_last_period AS cpu_seconds
  FROM citus_stat_tenants_local() WHERE tenant_attribute IS NOT NULL
"""
SWITCH_ON = (
    "ALTER SYSTEM SET citus.stat_tenants_track TO 'all'; SELECT pg_reload_conf(); on every node"
)


@dataclass(frozen=True, kw_only=True)
class Counters:
    """What one shard's table has counted; sums of these make a shard group's or a node's."""

    rows: int | None = 0
    scans: int = 0
    writes: int = 0

    def __add__(self, other: Counters) -> Counters:
        return Counters(
            rows=estimates.total([self.rows, other.rows]),
            scans=self.scans + other.scans,
            writes=self.writes + other.writes,
        )

    def since(self, before: Counters) -> Counters:
        """Return the traffic since an earlier sample; a shard that moved meanwhile begins at 0."""
        return Counters(
            rows=self.rows,
            scans=max(self.scans - before.scans, 0),
            writes=max(self.writes - before.writes, 0),
        )

    @property
    def traffic(self) -> int:
        """Scans and written rows together."""
        return self.scans + self.writes


@dataclass(frozen=True, kw_only=True)
class Load:
    """A shard group or a node with what it carries.

    Attributes:
        rows: by PostgreSQL's own estimate; None when nobody knows them.
        scans, writes: of the tables, in the window, or since the counters began.
    """

    name: str
    node: str
    colocation_id: int | None
    bytes: int | None
    rows: int | None
    scans: int
    writes: int


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A key with much traffic, by citus_stat_tenants, in this period and the last one.

    Attributes:
        shard: the smallest shard id of its shard group; None when the key cannot be hashed here.
    """

    key: str
    colocation_id: int
    shard: int | None
    node: str
    reads: int
    queries: int
    cpu_seconds: float


@dataclass(frozen=True, kw_only=True)
class Skew:
    """Loads per node and per shard group, and the heaviest keys.

    Attributes:
        seconds: the window that scans and writes were counted in; None: since they began.
        untracked: nodes on which citus.stat_tenants_track is off.
        uneven: by how much the most loaded node exceeds the mean, by measure (0.5: 50 % more), of
            the nodes that answer; None when a figure is not known.
    """

    seconds: float | None
    nodes: tuple[Load, ...]
    shard_groups: tuple[Load, ...]
    tenants: tuple[Tenant, ...]
    untracked: tuple[str, ...]
    uneven: Mapping[str, float | None]
    silent: Mapping[str, str] = field(default_factory=dict)


def inspect(
    cluster: Cluster, *, seconds: float | None = None, group: int | None = None, keys: int = 10
) -> Skew:
    """Return how loads are spread.

    Args:
        cluster: where.
        seconds: count traffic for so long; None: take what has been counted so far.
        group: only this colocation group.
        keys: how many of the heaviest keys.
    """
    layout = placements.read(cluster)
    before: dict[tuple[str, str], Counters] = {}
    if seconds is not None:
        before, _ = counters(cluster, layout)
        time.sleep(seconds)
    after, silent = counters(cluster, layout)
    moved = {key: now.since(before.get(key, Counters())) for key, now in after.items()}
    groups = [g for g in layout.shard_groups if group in {None, g.colocation_id}]
    of_groups = tuple(_load(g, moved) for g in groups)
    names = [
        n.name for n in layout.nodes if n.is_primary and (n.should_have_shards or _holds(n, groups))
    ]
    of_nodes = tuple(_sum(name, of_groups, layout) for name in names)
    answering = [load for load in of_nodes if load.node not in layout.silent]
    heaviest, untracked = tenants(cluster, layout, most=keys, group=group)
    return Skew(
        seconds=seconds,
        nodes=of_nodes,
        shard_groups=of_groups,
        tenants=tuple(heaviest),
        untracked=tuple(untracked),
        uneven={
            "bytes": _imbalance([load.bytes for load in answering]),
            "rows": _imbalance([load.rows for load in answering]),
            "traffic": _imbalance([load.scans + load.writes for load in answering]),
        },
        silent=dict(layout.silent) | {n.name: str(e) for n, e in silent.items()},
    )


def _imbalance(figures: list[int | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return imbalance(known) if len(known) == len(figures) else None


def counters(
    cluster: Cluster, layout: Layout
) -> tuple[dict[tuple[str, str], Counters], dict[Node, ShardingError]]:
    """Return the counters of every placement by (node, relation), and the nodes that are silent."""
    relations: dict[str, list[str]] = {}
    for placement in layout.placements:
        relations.setdefault(placement.node, []).append(placement.relation)

    def ask(session: Session) -> dict[str, Counters]:
        rows = session.query(COUNTERS, [relations.get(session.name, [])])
        return {r.name: Counters(rows=r.rows, scans=r.scans, writes=r.writes) for r in rows}

    told, silent = split_answers(cluster.on_each([n for n in layout.nodes if n.is_primary], ask))
    found = {(node.name, name): c for node, answer in told.items() for name, c in answer.items()}
    return found, silent


def traffic_of(group: ShardGroup, counted: Mapping[tuple[str, str], Counters]) -> Counters:
    """Return the counters of a shard group."""
    unknown = Counters(rows=None)
    parts = (counted.get((p.node, p.relation), unknown) for p in group.placements)
    return sum(parts, Counters())


def _load(group: ShardGroup, counted: Mapping[tuple[str, str], Counters]) -> Load:
    sums = traffic_of(group, counted)
    return Load(
        name=str(group.id),
        node=group.node,
        colocation_id=group.colocation_id,
        bytes=group.bytes,
        rows=sums.rows,
        scans=sums.scans,
        writes=sums.writes,
    )


def _holds(node: Node, groups: list[ShardGroup]) -> bool:
    return any(group.node == node.name for group in groups)


def _sum(name: str, loads: tuple[Load, ...], layout: Layout) -> Load:
    mine = [load for load in loads if load.node == name]
    return Load(
        name=name,
        node=name,
        colocation_id=None,
        bytes=None if name in layout.silent else sum(load.bytes or 0 for load in mine),
        rows=estimates.total([load.rows for load in mine]),
        scans=sum(load.scans for load in mine),
        writes=sum(load.writes for load in mine),
    )


def tenants(
    cluster: Cluster, layout: Layout, *, most: int | None = None, group: int | None = None
) -> tuple[list[Tenant], list[str]]:
    """Return the heaviest keys, and the names of nodes that do not count them.

    Each node counts what it executes; a key's figures are the sums over the nodes.

    Args:
        most: how many keys; None: all that Citus keeps.
        group: only those of this colocation group.
    """

    def ask(session: Session) -> tuple[str, list[Row]]:
        return session.value(TRACKING), session.query(TENANTS)

    told, _ = split_answers(cluster.on_each([n for n in layout.nodes if n.is_primary], ask))
    untracked = [node.name for node, (tracking, _) in told.items() if tracking != "all"]
    sums: dict[tuple[int, str], list[float]] = {}
    for _, rows in told.values():
        for row in rows:
            kept = sums.setdefault((row.colocation_id, row.key), [0, 0, 0])
            figures = [row.reads, row.queries, row.cpu_seconds]
            sums[row.colocation_id, row.key] = [a + b for a, b in zip(kept, figures, strict=True)]
    found = [
        _tenant(layout, colocation_id, key, figures)
        for (colocation_id, key), figures in sums.items()
        if group in {None, colocation_id}
    ]
    found.sort(key=lambda tenant: (-tenant.cpu_seconds, -tenant.queries))
    return found[:most], untracked


def _tenant(layout: Layout, colocation_id: int, key: str, figures: list[float]) -> Tenant:
    home = layout.home_of(colocation_id, key)
    reads, queries, cpu = figures
    return Tenant(
        key=key,
        colocation_id=colocation_id,
        shard=home.id if home else None,
        node=home.node if home else "",
        reads=int(reads),
        queries=int(queries),
        cpu_seconds=cpu,
    )
