"""How long a move takes: a fixed time, whatever its size, and a time per byte.

Both are learnt from the journal, by a straight line through the latest moves, and kept apart: by
bytes alone the many small groups of a real cluster would be reckoned far too short. What passes
between two moves of a run, mostly cleaning up, belongs to the fixed time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sharding.cluster import Cluster
from sharding.connection import Row
from sharding.inspection import journaled

LAUNCH = "SELECT setting::int FROM pg_settings WHERE name = 'wal_retrieve_retry_interval'"
JOURNAL = """
SELECT count(*) AS moves, avg(seconds) AS seconds, avg(bytes)::float AS bytes,
       regr_slope(seconds, bytes) AS per_byte, regr_intercept(seconds, bytes) AS fixed,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY write_block_seconds) AS blocked
  FROM (SELECT * FROM shardctl.moves
         WHERE outcome = 'done' AND kind = 'move' AND seconds > 0
         ORDER BY started_at DESC LIMIT 50) AS recent
"""
# Half of the runs are quicker between their moves, which leaves out those that waited for a p99.
BETWEEN = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY pause) FROM (
    SELECT greatest(extract(epoch FROM max(r.ended_at) - min(m.started_at)) - sum(m.seconds), 0)
           / count(*) AS pause
      FROM shardctl.runs r JOIN shardctl.moves m ON m.run = r.id
     WHERE r.outcome = 'done' AND m.outcome = 'done' AND m.kind = 'move'
     GROUP BY r.id ORDER BY r.id DESC LIMIT 10) AS runs
"""
# Stated where nothing has been measured on this cluster yet.
DEFAULT_THROUGHPUT = 20 * 2**20
SETUP = timedelta(seconds=1)
CATCH_UP = timedelta(milliseconds=200)
ENOUGH = 3


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast moves are, and who says so: journal, given, or default.

    Attributes:
        bytes_per_second: while a shard group is copied.
        setup_seconds: per move, whatever its size: slots, and the launch of the apply worker.
        blocked_seconds: for how long writes to the group wait, without other transactions.
        missed: why earlier moves are not reckoned with, when they cannot be read.
    """

    source: str
    bytes_per_second: float
    setup_seconds: float
    blocked_seconds: float
    missed: str = ""

    def seconds(self, size: int) -> float:
        """Return what the move of so many bytes takes."""
        return self.setup_seconds + size / self.bytes_per_second


def measure(cluster: Cluster, throughput: float | None = None) -> Speed:
    """Return how fast moves were on this cluster, by the journal of shardctl; else the default."""
    readable = journaled.is_readable(cluster.coordinator)
    journal = cluster.row(JOURNAL) if readable else None
    blocked = journal.blocked if journal and journal.blocked is not None else None
    if throughput is None and journal and journal.moves:
        source = "journal"
        setup, rate = _learnt(journal)
        setup += float(cluster.value(BETWEEN) or 0)
    else:
        source = "default" if throughput is None else "given"
        launch = timedelta(milliseconds=cluster.value(LAUNCH))
        rate, setup = throughput or float(DEFAULT_THROUGHPUT), (SETUP + launch).total_seconds()
    return Speed(
        source=source,
        bytes_per_second=rate,
        setup_seconds=setup,
        blocked_seconds=CATCH_UP.total_seconds() if blocked is None else float(blocked),
        missed=journaled.missed(cluster.coordinator),
    )


def _learnt(journal: Row) -> tuple[float, float]:
    """Return fixed seconds and bytes per second; moves of one size cannot tell them apart."""
    if journal.moves >= ENOUGH and (journal.per_byte or 0) > 0 and (journal.fixed or 0) >= 0:
        return float(journal.fixed), 1 / float(journal.per_byte)
    rate = float(DEFAULT_THROUGHPUT)
    fixed = float(journal.seconds) - journal.bytes / rate
    if fixed >= 0:
        return fixed, rate
    return 0.0, journal.bytes / float(journal.seconds)
