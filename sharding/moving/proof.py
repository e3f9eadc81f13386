"""Shows that a move under traffic took every row along: both sides are compared at the switch.

When a move has caught up and writes to its shards wait, it writes pg_dist_placement. We hold that
table on the coordinator, so the move waits for us at this very moment: source and target hold the
same rows or never will. One snapshot is taken of each, which takes milliseconds, and the move goes
on. Both are summed up afterwards, while writes go on; the lock on the old tables keeps Citus from
dropping them meanwhile.

Whoever creates a distributed table meanwhile waits too, as for the move itself.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

from sharding import quarantine, repair
from sharding.cluster import Cluster, Node
from sharding.connection import Session
from sharding.errors import Blocked, NotProven, QueryFailed
from sharding.inspection import checksums, placements
from sharding.inspection.checksums import ShardSum
from sharding.moving.steps import Step

HOLD = "LOCK TABLE pg_dist_placement IN SHARE MODE"
LOCK_TIMEOUT = "5s"
# The move is about to say where its shards are.
WAITS = """
SELECT 1 FROM pg_locks
 WHERE pid = %s AND relation = 'pg_dist_placement'::regclass AND NOT granted LIMIT 1
"""
SNAPSHOT = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Proof:
    """Beside one move, from before its call begins until its rows are compared."""

    def __init__(self, cluster: Cluster, step: Step) -> None:
        self._cluster = cluster
        self._step = step
        layout = placements.read(cluster, sizes=False)
        self._shards = layout.shard_group_of(step.shard).placements
        coordinator = next(node for node in cluster.primaries() if node.is_coordinator)
        with contextlib.ExitStack() as stack:
            self._gate = stack.enter_context(cluster.on(coordinator))
            self._sides = [stack.enter_context(_reader(cluster, n)) for n in _sides(step)]
            self._hold()
            self._stack = stack.pop_all()
        self._taken = False

    def look(self, backend: int) -> None:
        """Take the snapshots as soon as the move waits for it, and let it go on."""
        if self._taken:
            return
        with self._cluster.coordinator.muted():
            if not self._cluster.value(WAITS, [backend]):
                return
        self._taken = True
        with _together() as pool:
            list(pool.map(self._snapshot, self._sides))
        self._gate.execute("ROLLBACK")

    def compare(self) -> None:
        """Sum up both sides.

        Raises:
            NotProven: the switch came too soon to be seen, or the sides differ.
        """
        if not self._taken:
            raise NotProven(f"{self._step.summary}: done, but its switch was not seen.")
        with _together() as pool:
            source, target = pool.map(self._sums, self._sides)
        for before, after in zip(source, target, strict=True):
            if (before.rows, before.checksum) != (after.rows, after.checksum):
                self._keep_the_old()
                raise NotProven(
                    f"{self._step.summary}: {before.table} (shard {before.shard_id}) had"
                    f" {before.rows:,} rows on {before.node} at the switch, and {after.rows:,} on"
                    f" {after.node}{'' if before.rows != after.rows else ', but not the same'}. The"
                    " old tables are in quarantine there (`shardctl quarantine`)."
                )

    def close(self) -> None:
        """Let everything go on."""
        self._stack.close()

    def _keep_the_old(self) -> None:
        """Put the old tables aside before Citus drops them: they may hold the missing rows."""
        self._sides[0].execute("ROLLBACK")
        with self._cluster.on(self._step.source) as session:
            for shard in self._shards:
                for sql in (*repair.ALONE, *quarantine.put(shard.relation)):
                    session.execute(sql)

    def _hold(self) -> None:
        self._gate.set("lock_timeout", LOCK_TIMEOUT)
        self._gate.set("idle_in_transaction_session_timeout", "0")
        self._gate.execute("BEGIN")
        try:
            self._gate.execute(HOLD)
        except QueryFailed as error:
            raise Blocked(
                "Somebody changes placements just now, so that a move cannot be watched. Nothing"
                " was changed; try again."
            ) from error

    def _snapshot(self, session: Session) -> None:
        session.execute(SNAPSHOT)
        names = ", ".join(shard.relation for shard in self._shards)
        session.execute(f"LOCK TABLE {names} IN ACCESS SHARE MODE")
        session.execute("SELECT 1")

    def _sums(self, session: Session) -> list[ShardSum]:
        return [checksums.of_shard(session, shard) for shard in self._shards]


def _sides(step: Step) -> tuple[Node, Node]:
    return step.source, step.target


def _reader(cluster: Cluster, node: Node) -> Session:
    session = cluster.on(node)
    session.set("idle_in_transaction_session_timeout", "0")
    session.set("citus.enable_manual_changes_to_shards", "on")  # to lock them
    session.limit(None)
    for name, value in checksums.SETTINGS.items():
        session.set(name, value)
    return session


def _together() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2)
