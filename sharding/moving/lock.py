"""One acting shardctl at a time.

An advisory lock on the coordinator, held by the session that journals: it ends with the session,
so that a killed shardctl never locks out the next one.
"""

from __future__ import annotations

from sharding.connection import Row, Session
from sharding.errors import Busy

# "SHARDCTL" in ASCII. Citus's own advisory locks are of another class and cannot collide.
KEY = 0x5348_4152_4443_544C

HOLDER = """
SELECT activity.pid, activity.usename, activity.client_addr::text AS address,
       activity.application_name AS application, activity.backend_start AS since
  FROM pg_locks held JOIN pg_stat_activity activity USING (pid)
 WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
   AND held.classid::bigint = %s AND held.objid::bigint = %s
   AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
REBALANCES = """
SELECT job_id, state::text, description FROM pg_dist_background_job
 WHERE state IN ('scheduled', 'running', 'cancelling', 'failing') ORDER BY job_id
"""


def acquire(session: Session) -> None:
    """Take the lock for as long as the session lives.

    Raises:
        Busy: another shardctl acts, or Citus rebalances by itself.
    """
    if not session.value("SELECT pg_try_advisory_lock(%s)", [KEY]):
        raise Busy(_who(holder(session)))
    job = session.row(REBALANCES)
    if job:
        session.value("SELECT pg_advisory_unlock(%s)", [KEY])
        raise Busy(
            f"Citus itself is at work: background job {job.job_id} ({job.description}) is"
            f" {job.state}. Wait for it, or end it with `shardctl stop`."
        )


def require_free(session: Session) -> None:
    """Refuse early, before anything is previewed.

    Raises:
        Busy: another shardctl acts.
    """
    row = holder(session)
    if row is not None:
        raise Busy(_who(row))


def release(session: Session) -> None:
    """Give the lock back."""
    session.value("SELECT pg_advisory_unlock(%s)", [KEY])


def holder(session: Session) -> Row | None:
    """Return the session that holds the lock; None when nobody does."""
    return session.row(HOLDER, [KEY >> 32, KEY & 0xFFFF_FFFF])


def _who(row: Row | None) -> str:
    if row is None:
        return "Another shardctl was acting just now; try again."
    where = row.address or "the same machine"
    return (
        f"Another shardctl is acting: {row.application}, as {row.usename} from {where} since"
        f" {row.since:%H:%M:%S} (session {row.pid} of the coordinator)."
        f" `shardctl jobs` shows it, `shardctl stop` ends it. {how_to_end(row)}"
    )


def how_to_end(row: Row) -> str:
    """Say what is left to do about a holder that does not react."""
    return f"If no shardctl is behind it: SELECT pg_terminate_backend({row.pid});"
