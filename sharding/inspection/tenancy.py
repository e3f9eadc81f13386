"""How keys were used over time, and what became of those that got a shard of their own.

Citus counts a key for the current period and the one before (citus_stat_tenants). `tenants
--record` writes the last whole period down; what is asked here are the sums.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sharding.cluster import Cluster
from sharding.connection import Row
from sharding.inspection.placements import Layout, ShardGroup

EXISTS = "SELECT to_regclass('shardctl.tenants') IS NOT NULL"
USE = """
SELECT colocation_id, key, sum(queries)::bigint AS queries, sum(cpu_seconds) AS cpu_seconds,
       count(DISTINCT recorded_at) AS periods, max(recorded_at) AS last_seen,
       sum(sum(cpu_seconds)) OVER (PARTITION BY colocation_id) AS of_group
  FROM shardctl.tenants WHERE recorded_at > now() - %s::interval
 GROUP BY colocation_id, key ORDER BY sum(cpu_seconds) DESC, sum(queries) DESC
"""
# A shard of one key is worth it while the key makes this share of its colocation group's work.
WORTH_ISOLATING = 0.05


@dataclass(frozen=True, kw_only=True)
class Use:
    """What a key made its nodes do.

    Attributes:
        periods: in how many recorded periods it was among the heaviest.
        share: of the recorded CPU seconds of its colocation group.
        shard: its shard group; None when the key cannot be hashed here.
    """

    key: str
    colocation_id: int
    queries: int
    cpu_seconds: float
    periods: int
    share: float
    shard: int | None
    node: str
    is_isolated: bool


@dataclass(frozen=True, kw_only=True)
class Isolated:
    """A shard group of a single hash, as `isolate` makes them.

    Attributes:
        key: the key that was recorded there; empty: none was.
        advice: what to do about it.
    """

    shard: int
    colocation_id: int
    node: str
    bytes: int | None
    key: str
    advice: str


@dataclass(frozen=True, kw_only=True)
class Tenancy:
    """The recorded keys, heaviest first, and the isolated shards."""

    since: timedelta
    recorded: bool
    keys: tuple[Use, ...]
    isolated: tuple[Isolated, ...]


def inspect(cluster: Cluster, layout: Layout, *, since: timedelta) -> Tenancy:
    """Return how keys were used since then."""
    recorded = bool(cluster.value(EXISTS))
    rows = cluster.query(USE, [since]) if recorded else []
    keys = [_use(row, layout) for row in rows]
    singles = [group for group in layout.shard_groups if group.lowest == group.highest]
    return Tenancy(
        since=since,
        recorded=recorded,
        keys=tuple(keys),
        isolated=tuple(_isolated(group, keys, recorded=recorded) for group in singles),
    )


def advice(use: Use | None, *, recorded: bool) -> str:
    """Say what to do about a shard of one key."""
    if not recorded:
        return "Nothing was recorded: `shardctl tenants --record`, once per period."
    if use is None or use.share < WORTH_ISOLATING:
        return (
            "It is not heavy any more. Citus cannot merge shards; alone it costs a table per table"
            " of its group. Move it to where there is room; a new cut (alter_distributed_table)"
            " takes it back in."
        )
    return "It is worth its own shard: keep it where there is room."


def _use(row: Row, layout: Layout) -> Use:
    home = layout.home_of(row.colocation_id, row.key)
    return Use(
        key=row.key,
        colocation_id=row.colocation_id,
        queries=row.queries,
        cpu_seconds=row.cpu_seconds,
        periods=row.periods,
        share=row.cpu_seconds / row.of_group if row.of_group else 0.0,
        shard=home.id if home else None,
        node=home.node if home else "",
        is_isolated=home is not None and home.lowest == home.highest,
    )


def _isolated(group: ShardGroup, keys: Iterable[Use], *, recorded: bool) -> Isolated:
    use = next((use for use in keys if use.shard == group.id), None)
    return Isolated(
        shard=group.id,
        colocation_id=group.colocation_id,
        node=group.node,
        bytes=group.bytes,
        key=use.key if use else "",
        advice=advice(use, recorded=recorded),
    )
