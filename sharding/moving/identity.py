"""Gives the new shards of a split a replica identity before the old ones are decoded.

Citus 13 makes the primary keys of the new shards only after the replication slot. Its decoder
describes a change of the old shard as one of the new shard, as that was when the change was
written. So an UPDATE or DELETE between slot and key is sent without key columns; applying it
fails, whatever is tried later (`publisher did not send replica identity column`), and the split
hangs. New shards on other nodes are not affected: their stand-ins here get their keys first.

The remedy stops no writer. A slot begins only when the transactions before it are over: we hold
one open, which locks nothing, until the split waits for it. By then the new shards are there, and
with REPLICA IDENTITY FULL every column counts as key. Afterwards that is taken back, since it
writes whole rows to the log.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from sharding.cluster import Cluster, Node
from sharding.connection import Session
from sharding.errors import QueryFailed

OPERATION = """
SELECT objid::bigint FROM pg_locks WHERE pid = %s AND locktype = 'advisory' AND objsubid = 10
"""
WAITS_FOR_US = """
SELECT 1 FROM pg_stat_activity
 WHERE backend_type = 'walsender' AND datname = current_database()
   AND query LIKE 'CREATE_REPLICATION_SLOT%%' AND query ~ %s
"""
SLOT = r"\mcitus_shard_split_slot_\d+_\d+_{operation}\M"
# What an operation removes if it fails: type 1 is a shard, policy 1 is failure.
NEW_SHARDS = """
SELECT object_name FROM pg_dist_cleanup
 WHERE operation_id = %s AND node_group_id = %s AND object_type = 1 AND policy_type = 1
"""
WITHOUT_KEY = """
SELECT oid::regclass::text AS name FROM pg_class
 WHERE oid IN (SELECT to_regclass(n) FROM unnest(%s::text[]) n) AND relreplident = 'd'
   AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary)
"""
# Shards that differ from their table, for which the primary key is enough.
FULL = """
SELECT shard.oid::regclass::text AS name
  FROM pg_class shard
  JOIN pg_dist_shard s ON s.shardid::text = substring(shard.relname FROM '_([0-9]+)$')
  JOIN pg_class whole ON whole.oid = s.logicalrelid AND whole.relnamespace = shard.relnamespace
 WHERE shard.relkind = 'r' AND shard.relreplident = 'f' AND whole.relreplident = 'd'
"""
# Making empty tables takes no longer; without us, a split succeeds where nobody updates.
OPEN_SECONDS = 120.0
PATIENCE_SECONDS = 5.0
PAUSE_SECONDS = 0.2
# Queries of the shard queue behind the ALTER that waits; they shall not notice.
LOCK_TIMEOUT = "100ms"


class Gate:
    """A transaction that the split's slot has to wait for; nothing else does."""

    def __init__(self, cluster: Cluster, source: Node) -> None:
        self._cluster = cluster
        self._source = source
        self._session = cluster.on(source)
        self._session.set("idle_in_transaction_session_timeout", "0")
        self._session.execute("BEGIN")
        self._session.execute("SELECT pg_current_xact_id()")
        self._open = True
        self._began = time.monotonic()

    def look(self, backend: int) -> None:
        """Give the new shards their identity as soon as the slot waits, and let it go on.

        Raises:
            QueryFailed: the server refuses that.
        """
        if not self._open:
            return
        if time.monotonic() - self._began > OPEN_SECONDS:
            self._session.execute("COMMIT")
            self._open = False
            return
        with self._cluster.coordinator.muted(), self._session.muted():
            operation = self._cluster.value(OPERATION, [backend])
            if not self._is_awaited(operation):
                return
            rows = self._cluster.query(NEW_SHARDS, [operation, self._source.group])
        self._identify([row.object_name for row in rows])
        self._open = False

    def close(self) -> None:
        """Let everything go on."""
        self._session.close()

    def _is_awaited(self, operation: int | None) -> bool:
        if operation is None:
            return False
        # A transaction sees the activity of the moment at which it first asked.
        self._session.execute("SELECT pg_stat_clear_snapshot()")
        return bool(self._session.value(WAITS_FOR_US, [SLOT.format(operation=operation)]))

    def _identify(self, shards: list[str]) -> None:
        for row in self._session.query(WITHOUT_KEY, [shards]):
            self._session.execute(f"ALTER TABLE {row.name} REPLICA IDENTITY FULL")
        self._session.execute("COMMIT")


def restore(cluster: Cluster, nodes: Iterable[Node]) -> None:
    """Let the shards that splits have made be identified by their keys, like their tables.

    Where a long query reads a shard, or a node is down, the next run does it: until then it works
    as well, with a longer log.
    """
    cluster.on_each(nodes, _restore, seconds=2 * PATIENCE_SECONDS)


def _restore(session: Session) -> None:
    names = [row.name for row in session.query(FULL)]
    if not names:
        return
    session.set("citus.enable_manual_changes_to_shards", "on")
    session.set("lock_timeout", LOCK_TIMEOUT)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while names := [name for name in names if not _use_key(session, name)]:
        if time.monotonic() >= deadline:
            break
        time.sleep(PAUSE_SECONDS)


def _use_key(session: Session, name: str) -> bool:
    try:
        session.execute(f"ALTER TABLE {name} REPLICA IDENTITY DEFAULT")
    except QueryFailed:
        return False
    return True
