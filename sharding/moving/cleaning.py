"""Leaving nothing behind: what Citus keeps after a move, good or bad, is removed before we go.

After a good move the old placement is still there; Citus drops it once no query reads it. After
a cancelled one there are half-filled tables, slots, publications and subscriptions. Citus notes
all of them in pg_dist_cleanup before it makes them, and removes them when asked.

Invariant: no table is removed that Citus has not noted down, and none at all while a node disagrees
or is silent.
"""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta

from sharding import repair
from sharding.cluster import Cluster
from sharding.connection import Session
from sharding.errors import NodeNotAvailable, QueryFailed
from sharding.inspection import consistency, leftovers
from sharding.inspection.leftovers import Kind, Leftover
from sharding.moving import identity

PATIENCE = timedelta(seconds=20)
CALL_LIMIT = timedelta(minutes=2)
CLEAN_UP = "CALL citus_cleanup_orphaned_resources()"
# Rows about a node group that is gone are never worked on by Citus.
LEFT = """
SELECT count(*) FROM pg_dist_cleanup
 WHERE node_group_id IN (SELECT groupid FROM pg_dist_node)
"""
# The sessions in which moves run; see `runner`.
OURS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'shardctl: %'"
ROUNDS = 50
# Of these, people decide: `shardctl verify --fix`, REINDEX.
ASKED_FOR = {Kind.INDEX, Kind.SHARD}
# A session that still creates a slot for an operation that has ended: nobody will read it.
STALE_WALSENDERS = """
SELECT slot.active_pid AS pid FROM pg_replication_slots slot
 WHERE slot.slot_name ~ '^citus_shard_(move|split)_slot_' AND slot.active
   AND slot.database = current_database()
"""
RUNNING = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 10
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def remains(cluster: Cluster) -> int:
    """Return how many things Citus has still to remove."""
    return int(cluster.value(LEFT) or 0)


def clean_up(cluster: Cluster, *, patience: timedelta = PATIENCE) -> int:
    """Let Citus remove what is left, repeatedly, then undo what Citus knows nothing of.

    A shard that a query still reads is not dropped: Citus gives up after a second, and does so
    again every 15 s by itself. Returns how much could not be removed: all of it, while the nodes
    do not agree where the shards are.
    """
    doubts = consistency.doubts(cluster)
    if any(doubt.code in consistency.FORBIDS for doubt in doubts):
        return remains(cluster) + len(untracked(cluster))
    left = remains(cluster) if doubts else _let_citus(cluster, patience)
    stray = untracked(cluster)
    if stray:
        _end_stale_walsenders(cluster)
        found = leftovers.inspect(cluster)
        repair.run(cluster, repair.steps(found, cluster.primaries()))
        stray = untracked(cluster)
    identity.restore(cluster, cluster.primaries())
    return max(left, len(stray))


def _let_citus(cluster: Cluster, patience: timedelta) -> int:
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        # Of a node that is down, the rows stay.
        with contextlib.suppress(QueryFailed), cluster.coordinator.limited(CALL_LIMIT):
            cluster.execute(CLEAN_UP)
        left = remains(cluster)
        if not left or time.monotonic() >= deadline:
            return left
        _end_stale_walsenders(cluster)
        time.sleep(0.5)


def untracked(cluster: Cluster) -> list[Leftover]:
    """Return what is left of moves and splits and can be removed without asking anybody."""
    found = leftovers.inspect(cluster)
    return [left for left in found.found if left.kind not in ASKED_FOR and not left.waits]


def wait_for_lost_moves(cluster: Cluster, *, end: bool) -> bool:
    """Wait until the moves of a shardctl that is gone have ended; return whether they have.

    The server ends them by itself within a second or two. With `end`, which only the holder of
    the lock may ask for, they are ended when that takes longer.
    """
    for attempt in range(ROUNDS):
        lost = [row.pid for row in cluster.query(OURS)]
        if not lost:
            return True
        if end and attempt == ROUNDS // 2:
            for pid in lost:
                cluster.execute("SELECT pg_terminate_backend(%s)", [pid])
        time.sleep(0.2)
    return False


def wait_for_operations(cluster: Cluster, *, patience: timedelta = PATIENCE) -> bool:
    """Wait until no move or split runs, e.g. one that is being undone; return whether that is."""
    deadline = time.monotonic() + patience.total_seconds()
    while cluster.value(RUNNING):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.2)
    return True


def _end_stale_walsenders(cluster: Cluster) -> None:
    """End senders that keep the slots of ended operations in use, so that these can be dropped."""
    if cluster.value(RUNNING):
        return

    def end(session: Session) -> None:
        for row in session.query(STALE_WALSENDERS):
            session.execute("SELECT pg_terminate_backend(%s)", [row.pid])

    try:
        cluster.on_each(cluster.primaries(), end)
    except (QueryFailed, NodeNotAvailable):
        return
