"""How far a move is, how fast it goes and when the run will be done.

A move costs a fixed time (setting up, catching up, switching over: with PostgreSQL's default
settings some 6 s) and a time per byte. Both are measured in the run itself and kept apart:
an estimate by bytes alone would be wrong for the many small groups of a real cluster.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sharding.cluster import Cluster, Node
from sharding.connection import Session
from sharding.errors import NodeNotAvailable, QueryFailed

# Until the run has measured its own. wal_retrieve_retry_interval alone is 5 s by default.
OVERHEAD_SECONDS = 6.0
SAMPLE_TIMEOUT = timedelta(seconds=3)

MOVE = """
SELECT min(status) AS status, sum(source_shard_size)::bigint AS total,
       sum(least(target_shard_size, source_shard_size))::bigint AS copied,
       max(pg_wal_lsn_diff(source_lsn, target_lsn))::bigint AS lag
  FROM get_rebalance_progress() WHERE sessionid = %s
"""
# What holds up the creation of a replication slot: transactions that were open before it.
BLOCKERS = """
SELECT blocker.pid, blocker.usename, blocker.application_name AS application,
       now() - blocker.xact_start AS open_for
  FROM pg_stat_activity walsender,
       unnest(pg_blocking_pids(walsender.pid)) AS blocking
  JOIN pg_stat_activity blocker ON blocker.pid = blocking
 WHERE walsender.backend_type = 'walsender' AND walsender.query LIKE '%citus_shard_%' LIMIT 1
"""
# Splits are in no progress view; what they have noted to clean up tells how far they are.
SPLIT = """
SELECT array_agg(object_name) FILTER (WHERE object_type = 1 AND policy_type = 1) AS shards,
       bool_or(object_type = 2) AS subscribed
  FROM pg_dist_cleanup
 WHERE operation_id IN (SELECT objid::bigint FROM pg_locks
                         WHERE pid = %s AND locktype = 'advisory' AND objsubid = 10)
"""
SIZES = "SELECT sum(pg_total_relation_size(to_regclass(n)))::bigint FROM unnest(%s::text[]) n"
PHASES = {
    "Setting Up": "setting up",
    "Copying Data": "copying",
    "Catching Up": "catching up",
    "Creating Constraints": "building indexes",
    "Final Catchup": "final catch-up",
    "Creating Foreign Keys": "foreign keys",
    "Completing": "switching over",
    "Completed": "switching over",
}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the servers say of a move at one moment.

    Attributes:
        copied: bytes on the target.
        lag: bytes of WAL that the target has still to apply; None before it follows.
        waits_for: a sentence about what holds it up; empty when nothing does.
    """

    phase: str
    copied: int
    total: int
    lag: int | None = None
    waits_for: str = ""


class Observer:
    """Asks the servers how a move goes, on a session of its own; silent when they do not say."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        coordinator = next(node for node in cluster.nodes() if node.is_coordinator)
        self._session: Session = cluster.on(coordinator, timeout=SAMPLE_TIMEOUT)

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    def sample(self, backend: int, source: Node) -> Sample | None:
        """Return how the move of a session goes; None when that is not known now."""
        try:
            with self._session.muted():
                row = self._session.row(MOVE, [backend])
                if row is None or row.status is None:
                    return self._split(backend, source)
                waits = self._blocker(source) if row.status == "Setting Up" else ""
        except (QueryFailed, NodeNotAvailable):
            return None
        return Sample(
            phase=PHASES.get(row.status, row.status.lower()),
            copied=row.copied or 0,
            total=row.total or 0,
            lag=row.lag,
            waits_for=waits,
        )

    def _split(self, backend: int, source: Node) -> Sample | None:
        row = self._session.row(SPLIT, [backend])
        if row is None or not row.shards:
            return None
        with self._cluster.on(source, timeout=SAMPLE_TIMEOUT) as session, session.muted():
            copied = int(session.value(SIZES, [row.shards]) or 0)
        phase = "catching up" if row.subscribed else "copying"
        return Sample(phase=phase, copied=copied, total=0, waits_for=self._blocker(source))

    def _blocker(self, source: Node) -> str:
        with self._cluster.on(source, timeout=SAMPLE_TIMEOUT) as session, session.muted():
            row = session.row(BLOCKERS)
        if row is None:
            return ""
        return (
            f"waits for a transaction open since {row.open_for.total_seconds():.0f} s"
            f" (session {row.pid} of {source.name}, {row.usename}, {row.application or 'unnamed'})"
        )


class Meter:
    """Measures a run: bytes, rate and the time it will still take."""

    def __init__(
        self, sizes: Iterable[int], *, overhead: float = OVERHEAD_SECONDS, rate: float | None = None
    ) -> None:
        """Begin with what earlier runs have taught (seconds, bytes per second), if they have."""
        self._left = list(sizes)
        self._expected_overhead, self._expected_rate = overhead, rate
        self.total = sum(self._left)
        self.done = 0
        self._copied = 0
        self._copy_seconds = 0.0
        self._overheads: list[float] = []

    @property
    def rate(self) -> float | None:
        """Bytes per second while copying; None before anything was copied."""
        return self._copied / self._copy_seconds if self._copy_seconds > 0 else None

    @property
    def overhead(self) -> float:
        """Seconds that a move takes beside the copying."""
        if not self._overheads:
            return self._expected_overhead
        return sum(self._overheads) / len(self._overheads)

    def finish(self, size: int, *, took: float, copying: float) -> None:
        """Count a move that is done."""
        self.done += size
        if self._left:
            self._left.pop(0)
        self._copied += size
        self._copy_seconds += copying
        self._overheads.append(max(took - copying, 0.0))

    def skip(self) -> None:
        """Leave out a move that was not needed."""
        if self._left:
            self.total -= self._left.pop(0)

    def left(
        self, *, copied: int = 0, running: float = 0.0, elapsed: float = 0.0
    ) -> timedelta | None:
        """Return the time that the moves left will take; None while no rate is known.

        Args:
            copied: bytes that the running move has copied.
            running: seconds for which it has copied.
            elapsed: seconds for which it has run, so that the rest shrinks within a move too.
        """
        rate = self.rate or (copied / running if copied and running else self._expected_rate)
        if rate is None:
            return None
        size = max(sum(self._left) - copied, 0)
        overhead = self.overhead * len(self._left)
        spent = min(max(elapsed - running, 0.0), self.overhead)
        return timedelta(seconds=max(size / rate + overhead - spent, 0.0))
