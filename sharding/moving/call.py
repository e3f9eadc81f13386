"""One long statement on a session of its own: watched from outside, and cancelled safely.

Invariant: the statement never outlives us. The server looks every second whether its client is
still there (`client_connection_check_interval`), so that even a killed shardctl ends its move,
which Citus then undoes.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

from sharding.cluster import Cluster
from sharding.connection import Session
from sharding.errors import NodeNotAvailable, QueryFailed, ShardingError

CLIENT_CHECK = "1s"
CANCEL_SECONDS = 10.0
# A move holds this lock from the moment at which writes to its shards have to wait.
WRITE_BLOCK = """
SELECT 1 FROM pg_locks
 WHERE pid = %s AND locktype = 'advisory' AND objsubid = 8 AND mode = 'ExclusiveLock' LIMIT 1
"""


class Call:
    """A statement that runs in a thread; `start`, then `wait` or `cancel`, then read `error`."""

    def __init__(self, cluster: Cluster, sql: str, parameters: list[object], *, name: str) -> None:
        self.error: ShardingError | None = None
        self.result: Any = None
        self._cluster = cluster
        self._sql = sql
        self._parameters = parameters
        self._session = _session(cluster, name)
        self.backend = int(self._session.value("SELECT pg_backend_pid()"))
        self._done = threading.Event()
        self._began = 0.0
        self._ended = 0.0
        self._blocked_since: float | None = None
        self._looked = self._looked_before = 0.0

    def start(self) -> None:
        """Send the statement."""
        self._began = self._looked = self._looked_before = time.monotonic()
        threading.Thread(target=self._run, daemon=True, name=f"call-{self.backend}").start()

    def wait(self, seconds: float) -> bool:
        """Return whether it has ended, after waiting at most so long."""
        return self._done.wait(seconds)

    @property
    def took(self) -> timedelta:
        """For how long it has run."""
        end = self._ended or time.monotonic()
        return timedelta(seconds=end - self._began)

    @property
    def blocked(self) -> timedelta:
        """For how long writes have had to wait for it, at most (measured from the look before)."""
        since = self._blocked_since
        if since is None and self._done.is_set() and self.error is None:
            # It has blocked them, so briefly that no look fell into it.
            since = self._looked if self._looked < self._ended else self._looked_before
        if since is None:
            return timedelta(0)
        return timedelta(seconds=(self._ended or time.monotonic()) - since)

    def look(self) -> None:
        """Notice the moment at which it begins to block writes; call it often."""
        if self._blocked_since is not None:
            return
        self._looked_before, self._looked = self._looked, time.monotonic()
        with self._cluster.coordinator.muted():
            if self._cluster.value(WRITE_BLOCK, [self.backend]):
                self._blocked_since = self._looked_before

    def cancel(self) -> None:
        """End it on the server and wait until Citus has undone it.

        Raises:
            NodeNotAvailable: it could not be ended; the server ends it when our session is gone.
        """
        for function in ("pg_cancel_backend", "pg_terminate_backend"):
            if self._done.is_set():
                break
            self._cluster.execute(f"SELECT {function}(%s)", [self.backend])
            self._done.wait(CANCEL_SECONDS)
        self.close()
        if not self._done.is_set():
            raise NodeNotAvailable(
                f"Session {self.backend} of the coordinator does not end; see pg_stat_activity."
            )

    def close(self) -> None:
        """Close the session; the server then ends whatever it still does for us."""
        if self._done.is_set():
            self._session.close()

    def _run(self) -> None:
        try:
            self.result = self._session.value(self._sql, self._parameters)
        except (QueryFailed, NodeNotAvailable) as error:
            self.error = error
        finally:
            self._ended = time.monotonic()
            self._done.set()


def _session(cluster: Cluster, name: str) -> Session:
    coordinator = next(node for node in cluster.nodes() if node.is_coordinator)
    session = cluster.on(coordinator)
    session.set("application_name", name)
    session.set("client_connection_check_interval", CLIENT_CHECK)
    # Seconds of waiting for a lock or for a copy say nothing here; `max_block` bounds what hurts.
    session.set("lock_timeout", "0")
    session.set("idle_in_transaction_session_timeout", "0")
    session.limit(None)
    return session
