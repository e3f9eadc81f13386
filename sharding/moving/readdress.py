"""A node that is reached elsewhere: another port, new hardware, a standby that took its place.

Invariant: the server at the new address is the node itself or a copy of it, takes writes, holds
every table that the metadata place there, and no other server goes on as the same node.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Row
from sharding.errors import MoveFailed, NodeNotAvailable, QueryFailed
from sharding.inspection import placements
from sharding.inspection.findings import Finding, Severity

ABOUT = """
SELECT pg_is_in_recovery() AS is_standby, current_setting('data_directory') AS data,
       (SELECT groupid FROM pg_dist_local_group) AS node_group,
       (SELECT system_identifier FROM pg_control_system()) AS system,
       pg_postmaster_start_time() AS started_at
"""
MISSING = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL"
LINK = "SELECT citus_check_connection_to_node(%s, %s)"
# Whoever holds the locks that it needs is cancelled after so many milliseconds.
UPDATE = "SELECT citus_update_node(%s, %s, %s, true, %s)"
KNOWN_AS = "SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE nodeid = %s"
CLIENTS = """
SELECT count(*) FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
   AND application_name !~ '^(citus_|shardctl)'
"""
PATIENCE = timedelta(seconds=60)
PAUSE_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Readdressed:
    """What was done.

    Attributes:
        took: until every node knew the new address.
        clients: sessions of applications that are still at the old address.
    """

    node: str
    address: str
    took: timedelta
    clients: int


def inspect(cluster: Cluster, node: Node, address: Node) -> list[Finding]:
    """Return what speaks against reaching the node there."""
    try:
        with cluster.on(address) as session:
            there = session.row(ABOUT)
            wanted = [p.relation for p in _placements(cluster, node)]
            missing = [row.name for row in session.query(MISSING, [wanted])]
    except (NodeNotAvailable, QueryFailed) as error:
        return [_error("unreachable", str(error), "Start it, and let us in.")]
    return [
        *_same_node(node, address, there, _about(cluster, node)),
        *_complete(address, missing),
        *_reached(cluster, node, address),
    ]


def update(cluster: Cluster, node: Node, address: Node, *, cancel_after: timedelta) -> Readdressed:
    """Tell all nodes the new address, and wait until they know it.

    Args:
        cancel_after: who holds the locks on the node's shards for longer is cancelled.

    Raises:
        MoveFailed: a node that answers does not know the address within a minute.
    """
    began = time.monotonic()
    milliseconds = int(cancel_after / timedelta(milliseconds=1))
    cluster.execute(UPDATE, [node.id, address.host, address.port, milliseconds])
    _wait_until_known(cluster, node, address)
    return Readdressed(
        node=node.name,
        address=address.name,
        took=timedelta(seconds=time.monotonic() - began),
        clients=_clients(cluster, node),
    )


def wait_for_clients(
    cluster: Cluster, done: Readdressed, node: Node, *, most: float
) -> Readdressed:
    """Wait for at most so many seconds until no application is at the old address any more."""
    deadline = time.monotonic() + most
    while done.clients and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
        done = replace(done, clients=_clients(cluster, node))
    return done


def _same_node(node: Node, address: Node, there: Row, here: Row | None) -> Iterator[Finding]:
    if there.node_group != node.group:
        yield _error(
            "another-node",
            f"{address.name} is of node group {there.node_group}, {node.name} of {node.group}.",
            "Only the node itself or a copy of it can take its place; others join by add-node.",
        )
    if there.is_standby:
        yield _error("standby", f"{address.name} is a standby.", "Promote it first.")
    if here is None or here.is_standby:
        return
    if (here.started_at, here.data) != (there.started_at, there.data):
        yield _error(
            "two-primaries",
            f"{node.name} takes writes as well: what is written there would be lost.",
            "Stop it, or make it a standby of the new one, first.",
        )
    if here.system != there.system:
        yield _error(
            "no-copy",
            f"{address.name} is no physical copy of {node.name}: it was made by another initdb.",
            "Make it by pg_basebackup, or let it join by add-node and drain the old one.",
        )


def _complete(address: Node, missing: list[str]) -> Iterator[Finding]:
    if missing:
        yield _error(
            "shards-missing",
            f"{len(missing)} tables that the metadata place there are not on {address.name}:"
            f" {', '.join(missing[:3])}.",
            "It is an older copy. Let it catch up, or restore the node from a backup.",
        )


def _reached(cluster: Cluster, node: Node, address: Node) -> Iterator[Finding]:
    others = [other for other in cluster.primaries() if other.id != node.id]
    told, _ = split_answers(
        cluster.on_each(others, lambda session: session.value(LINK, [address.host, address.port]))
    )
    for other, works in told.items():
        if not works:
            yield _error(
                "not-reached",
                f"{other.name} does not reach {address.name}.",
                "Let it in: pg_hba.conf there, the password file here, the network between.",
            )


def _wait_until_known(cluster: Cluster, node: Node, address: Node) -> None:
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while True:
        told, _ = split_answers(
            cluster.on_each(cluster.primaries(), lambda session: session.value(KNOWN_AS, [node.id]))
        )
        behind = [other.name for other, name in told.items() if name != address.name]
        synced = all(n.metadata_synced for n in cluster.primaries() if n in told)
        if synced and not behind:
            return
        if time.monotonic() > deadline:
            raise MoveFailed(
                f"{', '.join(behind) or 'A node'} does not know the new address after"
                f" {PATIENCE.total_seconds():.0f} s. Citus goes on telling it; look again with"
                " `shardctl verify`."
            )
        time.sleep(PAUSE_SECONDS)


def _placements(cluster: Cluster, node: Node) -> list[placements.Placement]:
    layout = placements.read(cluster, sizes=False)
    return [placement for placement in layout.placements if placement.node == node.name]


def _about(cluster: Cluster, node: Node) -> Row | None:
    try:
        with cluster.on(node) as session:
            return session.row(ABOUT)
    except (NodeNotAvailable, QueryFailed):
        return None


def _clients(cluster: Cluster, node: Node) -> int:
    """Return how many sessions of applications are at an address; 0 when nobody answers there."""
    try:
        with cluster.on(node) as session:
            return int(session.value(CLIENTS))
    except (NodeNotAvailable, QueryFailed):
        return 0


def _error(code: str, message: str, remedy: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=message, remedy=remedy)
