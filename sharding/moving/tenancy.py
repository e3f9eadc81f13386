"""Writing down what keys made their nodes do: a table beside the journal's."""

from __future__ import annotations

from datetime import timedelta

from sharding.cluster import Cluster, split_answers
from sharding.connection import Row, Session
from sharding.moving import journal
from sharding.moving.journal import Journal

TABLE = """
CREATE TABLE IF NOT EXISTS shardctl.tenants (
    recorded_at timestamptz NOT NULL DEFAULT now(),
    colocation_id integer NOT NULL,
    key text NOT NULL,
    queries bigint NOT NULL,
    cpu_seconds double precision NOT NULL
);
CREATE INDEX IF NOT EXISTS tenants_recorded_at ON shardctl.tenants USING brin (recorded_at);
GRANT SELECT ON shardctl.tenants TO pg_monitor;
"""
LAST_PERIOD = """
SELECT colocation_id, tenant_attribute AS key, query_count_in_last_period AS queries,
       cpu_usage_in_last_period AS cpu_seconds
  FROM citus_stat_tenants_local()
 WHERE tenant_attribute IS NOT NULL AND query_count_in_last_period > 0
"""
INSERT = """
INSERT INTO shardctl.tenants (colocation_id, key, queries, cpu_seconds)
SELECT * FROM unnest(%s::int[], %s::text[], %s::bigint[], %s::float8[])
"""
FORGET = "DELETE FROM shardctl.tenants WHERE recorded_at < now() - %s::interval"


def record(cluster: Cluster, *, keep: timedelta) -> int:
    """Write the last whole period of every node down; return how many keys it had.

    To be called once per `citus.stat_tenants_period`, e.g. by cron.

    Args:
        keep: older records are removed.

    Raises:
        JournalNotWritable: the role may not write the schema shardctl.
    """
    Journal(cluster.coordinator).prepare()
    told, _ = split_answers(cluster.on_each(cluster.primaries(), _ask))
    sums: dict[tuple[int, str], tuple[int, float]] = {}
    for rows in told.values():
        for row in rows:
            queries, seconds = sums.get((row.colocation_id, row.key), (0, 0.0))
            sums[row.colocation_id, row.key] = queries + row.queries, seconds + row.cpu_seconds
    session = cluster.coordinator
    with session.transaction():
        session.execute(journal.LOCAL)
        session.execute(TABLE)
        columns = [
            [group for group, _ in sums],
            [key for _, key in sums],
            [queries for queries, _ in sums.values()],
            [seconds for _, seconds in sums.values()],
        ]
        session.execute(INSERT, columns)
        session.execute(FORGET, [keep])
    return len(sums)


def _ask(session: Session) -> list[Row]:
    return session.query(LAST_PERIOD)
