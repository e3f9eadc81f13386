"""Is a shard's table superfluous? Only if it is shown to be, by more than one witness."""

from __future__ import annotations

from datetime import timedelta

from sharding.cluster import Cluster
from sharding.errors import NodeNotAvailable, QueryFailed
from sharding.inspection import consistency, placements
from sharding.inspection.leftovers import Leftover

COUNTING = timedelta(minutes=30)
COUNT = "SELECT count(*) FROM {relation}"


def objection(cluster: Cluster, left: Leftover) -> str:
    """Return why the table of an orphaned shard must stay, as a clause; empty when it may go.

    It may go when all nodes answer and agree that it is placed elsewhere, and the table is there
    with at least as many rows. Both are counted, which reads them once.
    """
    if doubts := consistency.doubts(cluster):
        return f"because not all nodes agree: {doubts[0].message.rstrip('.')}"
    layout = placements.read(cluster, sizes=False)
    recorded = [p for p in layout.placements if p.shard_id == left.shard_id]
    if not recorded:
        return "because no node knows its shard: there is nothing to compare it with"
    try:
        mine = _rows(cluster, left.node, left.name)
        for placement in recorded:
            theirs = _rows(cluster, placement.node, placement.relation)
            if theirs < mine:
                return f"because it has {mine:,} rows, and {placement.node} only {theirs:,} of them"
    except (QueryFailed, NodeNotAvailable) as error:
        return f"because its rows cannot be counted: {str(error).rstrip('.')}"
    return ""


def _rows(cluster: Cluster, node: str, relation: str) -> int:
    where = next(n for n in cluster.primaries() if n.name == node)
    with cluster.on(where, timeout=COUNTING) as session:
        return int(session.value(COUNT.format(relation=relation)))
