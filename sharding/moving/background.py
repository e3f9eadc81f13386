"""Citus's own background jobs: what they did, when they try again, and how they are ended.

Citus ends a job by marking it and signalling its tasks. A task whose session is gone is never
marked (citus#7896, #7945), and the job then counts as running for ever: such jobs are closed here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sharding.cluster import Cluster
from sharding.connection import Row

PATIENCE = timedelta(seconds=20)
# background_jobs.c, CalculateBackoffDelay.
LAST_RETRY = 32
RETRIES = "Citus tries a failed task again after 5 s, after 20 s, and then 30 times every 60 s."

JOBS = """
SELECT job_id, state::text, job_type::text, description, started_at, finished_at
  FROM pg_dist_background_job ORDER BY job_id DESC LIMIT %s
"""
TASKS = """
SELECT task_id, status::text, pid, retry_count, not_before, message, command
  FROM pg_dist_background_task WHERE job_id = %s ORDER BY task_id
"""
RUNNING = """
SELECT job_id, description FROM pg_dist_background_job
 WHERE state IN ('scheduled', 'running', 'cancelling', 'failing') ORDER BY job_id
"""
CANCEL = "SELECT citus_job_cancel(%s)"
ALIVE = """
SELECT count(*) FROM pg_dist_background_task task JOIN pg_stat_activity USING (pid)
 WHERE task.job_id = %s AND task.status IN ('running', 'cancelling')
"""
CLOSE_TASKS = """
UPDATE pg_dist_background_task SET status = 'cancelled', pid = NULL
 WHERE job_id = %s AND status NOT IN ('done', 'error', 'unscheduled', 'cancelled')
"""
CLOSE_JOB = """
UPDATE pg_dist_background_job SET state = 'cancelled', finished_at = now()
 WHERE job_id = %s AND state NOT IN ('finished', 'cancelled', 'failed')
"""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One call of a job; `explanation` says what happens to it next."""

    id: int
    status: str
    command: str
    retries: int
    next_try: datetime | None
    message: str
    explanation: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """A background job with its tasks."""

    id: int
    state: str
    type: str
    description: str
    started_at: datetime | None
    finished_at: datetime | None
    tasks: tuple[Task, ...]


def jobs(cluster: Cluster, limit: int) -> list[Job]:
    """Return the newest jobs."""
    return [
        Job(
            id=row.job_id, state=row.state, type=row.job_type, description=row.description,
            started_at=row.started_at, finished_at=row.finished_at,
            tasks=tuple(_task(task) for task in cluster.query(TASKS, [row.job_id])),
        )
        for row in cluster.query(JOBS, [limit])
    ]  # fmt: skip


def running(cluster: Cluster) -> list[Row]:
    """Return id and description of the jobs that have not ended."""
    return cluster.query(RUNNING)


def end(cluster: Cluster, job: int, *, patience: timedelta = PATIENCE) -> bool:
    """Cancel a job and wait; return whether it had to be closed by hand because it hung."""
    cluster.execute(CANCEL, [job])
    deadline = time.monotonic() + patience.total_seconds()
    while time.monotonic() < deadline:
        if job not in [row.job_id for row in running(cluster)]:
            return False
        time.sleep(0.2)
    if cluster.value(ALIVE, [job]):
        return False
    with cluster.coordinator.transaction():
        cluster.execute(CLOSE_TASKS, [job])
        cluster.execute(CLOSE_JOB, [job])
    return True


def _task(row: Row) -> Task:
    return Task(
        id=row.task_id, status=row.status, command=row.command, retries=row.retry_count or 0,
        next_try=row.not_before, message=row.message or "", explanation=_explanation(row),
    )  # fmt: skip


def _explanation(row: Row) -> str:
    tries = row.retry_count or 0
    if row.status == "runnable" and tries:
        when = f" at {row.not_before:%H:%M:%S}" if row.not_before else ""
        return (
            f"failed {tries} times; Citus tries again{when}, {LAST_RETRY - tries + 1} times at"
            " most, 60 s apart from the third on"
        )
    if row.status == "unscheduled":
        return "left out, because a task before it failed"
    return ""
