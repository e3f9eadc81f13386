"""Figures of the cluster for Prometheus: read by one process, now and then, not at every scrape.

Invariant: what cannot be read has no figure. An old one is never shown as if it were of now; a
node that does not answer has `sharding_node_up` 0 and none of the others.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from sharding.cluster import Cluster, Node, address, split_answers
from sharding.connection import Session, connect
from sharding.errors import CitusMissing, ClusterNotAvailable, NodeNotAvailable

SECONDS = 3.0  # that a node has to answer
HEAVY = 0.05  # of all queries of the period


class Figure(NamedTuple):
    """A gauge: its name, what it says, and its labels."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


class Reading(NamedTuple):
    """What a gauge showed for these label values."""

    figure: Figure
    value: float
    labels: tuple[str, ...] = ()


NODE = ("node",)
NODE_UP = Figure("sharding_node_up", "1 if the node answers, else 0.", NODE)
NODE_INFO = Figure(
    "sharding_node_info", "Always 1: what a node is and by which alias.", ("node", "alias", "role")
)
NODE_BYTES = Figure("sharding_node_bytes", "Bytes of the shards on a node, indexes too.", NODE)
NODE_SHARDS = Figure("sharding_node_shards", "Shards on a node, reference tables too.", NODE)
NODE_CONNECTIONS = Figure(
    "sharding_node_connections", "Client connections to a node, other nodes' too.", NODE
)
NODE_MAX_CONNECTIONS = Figure(
    "sharding_node_max_connections", "Connections that a node allows.", NODE
)
PREPARED = Figure(
    "sharding_prepared_transactions", "Transactions prepared and not yet ended (2PC).", NODE
)
OLDEST_PREPARED = Figure(
    "sharding_oldest_prepared_transaction_seconds", "Age of the oldest of them, 0 if none.", NODE
)
LONGEST_TRANSACTION = Figure(
    "sharding_longest_transaction_seconds", "Age of the oldest open client transaction.", NODE
)
REPLICATION_LAG = Figure(
    "sharding_replication_lag_bytes", "Most WAL that a replication slot is behind.", NODE
)
REBALANCE_RUNNING = Figure(
    "sharding_rebalance_running", "1 while a background job of the cluster runs, else 0."
)
HEAVIEST_SHARE = Figure(
    "sharding_heaviest_tenant_share",
    "Share of the queries of a period that the busiest user or product has; of those Citus tracks.",
)
HEAVY_TENANTS = Figure(
    "sharding_heavy_tenants", f"Users and products with more than {HEAVY:.0%} of the queries."
)

# With the role of the monitoring; sessions in the middle of nothing are no open transactions.
OF_A_NODE = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS clients,
    current_setting('max_connections')::int AS most,
    (SELECT count(*) FROM pg_prepared_xacts) AS prepared,
    (SELECT coalesce(extract(epoch FROM max(clock_timestamp() - prepared)), 0)
       FROM pg_prepared_xacts) AS oldest_prepared,
    (SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)
       FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS longest,
    (SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(),
        coalesce(confirmed_flush_lsn, restart_lsn))), 0) FROM pg_replication_slots) AS lag
"""
# Sizes as the node's own file system has them; Citus's shard_name() says what a shard is called.
SHARDS_OF_A_NODE = """
SELECT count(*) AS shards,
    coalesce(sum(pg_total_relation_size(to_regclass(shard_name(s.logicalrelid, s.shardid)))), 0)
        AS bytes
FROM pg_dist_shard s
JOIN pg_dist_placement p USING (shardid)
WHERE p.groupid = (SELECT groupid FROM pg_dist_local_group)
"""
JOBS = """
SELECT count(*) FROM pg_dist_background_job
WHERE state IN ('scheduled', 'running', 'failing', 'cancelling')
"""
TRACKED = "SELECT current_setting('citus.stat_tenants_track', true)"
TENANTS = """
SELECT colocation_id, tenant_attribute,
    query_count_in_this_period + query_count_in_last_period AS queries
FROM citus_stat_tenants_local(true)
"""


def nodes(dsn: str) -> Iterator[Reading]:
    """Yield what each node says of itself; without Citus of the only one.

    Without the coordinator nobody knows the others: only that it does not answer is told.

    Args:
        dsn: the coordinator's, as a role that may read statistics (pg_monitor).
    """
    try:
        with Cluster.connect(dsn, timeout=timedelta(seconds=SECONDS)) as cluster:
            yield from _of_each(cluster)
            yield Reading(REBALANCE_RUNNING, float(bool(cluster.value(JOBS))))
    except CitusMissing:
        name = address(dsn)
        with connect(dsn, name=name, read_only=True, timeout=timedelta(seconds=SECONDS)) as session:
            yield Reading(NODE_INFO, 1, (name, "default", "single"))
            yield from _of_one(name, session.row(OF_A_NODE))
    except ClusterNotAvailable:
        yield Reading(NODE_UP, 0, (address(dsn),))


def shards(dsn: str) -> Iterator[Reading]:
    """Yield how many shards and bytes each node holds; nothing without Citus.

    Raises:
        ShardingError: the coordinator does not answer.
    """
    for node, row in _answers(dsn, lambda session: session.row(SHARDS_OF_A_NODE)):
        yield Reading(NODE_SHARDS, row.shards, (node.name,))
        yield Reading(NODE_BYTES, float(row.bytes), (node.name,))


def tenants(dsn: str) -> Iterator[Reading]:
    """Yield how unequal users and products are, without naming any; nothing if nobody tracks it.

    Raises:
        ShardingError: the coordinator does not answer.
    """
    found = _answers(dsn, _tenants)
    if not found:
        return
    queries: dict[tuple[int, str], int] = {}
    for _, rows in found:
        for row in rows:
            key = (row.colocation_id, row.tenant_attribute)
            queries[key] = queries.get(key, 0) + row.queries
    total = sum(queries.values())
    shares = [count / total for count in queries.values()] if total else []
    yield Reading(HEAVIEST_SHARE, max(shares, default=0.0))
    yield Reading(HEAVY_TENANTS, len([share for share in shares if share > HEAVY]))


def _of_each(cluster: Cluster) -> Iterator[Reading]:
    primaries = cluster.primaries()
    for node in primaries:
        role = "coordinator" if node.is_coordinator else "worker"
        alias = "default" if node.is_coordinator else f"node_{node.group}"
        yield Reading(NODE_INFO, 1, (node.name, alias, role))
    answers = cluster.on_each(primaries, lambda session: session.row(OF_A_NODE), seconds=SECONDS)
    for node, row in split_answers(answers)[0].items():
        yield from _of_one(node.name, row)
    for node in split_answers(answers)[1]:
        yield Reading(NODE_UP, 0, (node.name,))


def _of_one(name: str, row: Any) -> Iterator[Reading]:
    values = {
        NODE_UP: 1,
        NODE_CONNECTIONS: row.clients,
        NODE_MAX_CONNECTIONS: row.most,
        PREPARED: row.prepared,
        OLDEST_PREPARED: row.oldest_prepared,
        LONGEST_TRANSACTION: row.longest,
        REPLICATION_LAG: row.lag,
    }
    for figure, value in values.items():
        yield Reading(figure, float(value), (name,))


def _answers(dsn: str, work: Any) -> list[tuple[Node, Any]]:
    """Return what each node answers that does; nothing without Citus."""
    try:
        with Cluster.connect(dsn, timeout=timedelta(seconds=SECONDS)) as cluster:
            answers = cluster.on_each(cluster.primaries(), work, seconds=SECONDS)
    except CitusMissing:
        return []
    good, bad = split_answers(answers)
    for error in bad.values():
        if not isinstance(error, NodeNotAvailable):
            raise error  # a query that is wrong, not a node that is gone
    return [(node, answer) for node, answer in good.items() if answer is not None]


def _tenants(session: Session) -> Any:
    tracked = session.value(TRACKED)
    return session.query(TENANTS) if tracked not in {None, "none"} else None
