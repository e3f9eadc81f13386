"""What Citus is doing: background jobs, and shards that are being moved or split right now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sharding.cluster import Cluster
from sharding.errors import QueryFailed

PATIENCE = timedelta(seconds=3)

JOBS = """
SELECT j.job_id AS id, j.state::text AS state, j.job_type::text AS type, j.description,
       j.started_at,
       count(t.*) AS tasks,
       count(t.*) FILTER (WHERE t.status = 'done') AS done,
       max(t.retry_count) AS retries,
       (array_agg(t.message ORDER BY t.task_id) FILTER (WHERE t.message <> ''))[1] AS message
  FROM pg_dist_background_job j LEFT JOIN pg_dist_background_task t USING (job_id)
 WHERE j.finished_at IS NULL AND j.state NOT IN ('finished', 'cancelled', 'failed')
 GROUP BY j.job_id ORDER BY j.job_id
"""
MOVES = """
SELECT table_name::text AS table, shardid AS shard_id, sourcename || ':' || sourceport AS source,
       targetname || ':' || targetport AS target, operation_type AS operation, status,
       source_shard_size AS source_bytes, target_shard_size AS target_bytes
  FROM get_rebalance_progress() ORDER BY progress DESC, shardid
"""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A background job of Citus that has not ended.

    Attributes:
        tasks, done: how many moves it consists of, and how many of them are made.
        retries: how often a task has failed so far and will be tried again.
        message: what the first task that complained has said.
    """

    id: int
    state: str
    type: str
    description: str
    started_at: datetime | None
    tasks: int
    done: int
    retries: int | None
    message: str | None


@dataclass(frozen=True, kw_only=True)
class Move:
    """A shard that is being moved, copied or split."""

    table: str
    shard_id: int
    source: str
    target: str
    operation: str
    status: str
    source_bytes: int | None
    target_bytes: int | None


def jobs(cluster: Cluster) -> list[Job]:
    """Return the jobs that are waiting or running."""
    return [Job(**row._asdict()) for row in cluster.query(JOBS)]


def moves(cluster: Cluster) -> list[Move]:
    """Return the shards that are under way; [] when a node that is down keeps Citus from telling.

    The coordinator asks the nodes for the sizes.
    """
    try:
        with cluster.coordinator.limited(PATIENCE):
            return [Move(**row._asdict()) for row in cluster.query(MOVES)]
    except QueryFailed:
        return []
