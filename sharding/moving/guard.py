"""Keeps a step from hanging for ever: what Citus itself neither prevents nor notices.

An apply worker that fails is started again and gets the same change again, without end. PostgreSQL
counts its failures; the reason is in the node's log alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta

from sharding.cluster import Cluster, Node
from sharding.connection import Session
from sharding.errors import NodeNotAvailable, QueryFailed
from sharding.moving.identity import Gate
from sharding.moving.proof import Proof
from sharding.moving.steps import Step

FAILURES = """
SELECT subname AS name, apply_error_count AS failures FROM pg_stat_subscription_stats
 WHERE subname LIKE 'citus\\_shard\\_%'
"""
# A deadlock or a lost connection heals at the second start, or the third.
TOO_MANY = 4
LOOK_SECONDS = 1.0
TIMEOUT = timedelta(seconds=3)


class Guard:
    """Beside one step, from before its call begins until that has ended."""

    def __init__(self, cluster: Cluster, step: Step, *, prove: bool) -> None:
        self._workers = ApplyWorkers(cluster, [step.source, step.target])
        self._gate = Gate(cluster, step.source) if step.keyless else None
        self._proof = Proof(cluster, step) if prove and step.kind == "move" else None

    def look(self, backend: int) -> str:
        """Do what is to be done now; return, as a clause, why the step cannot succeed."""
        for watcher in (self._gate, self._proof):
            if watcher:
                watcher.look(backend)
        return self._workers.failing()

    def prove(self) -> None:
        """Show that the move took every row along, if that was asked for; or NotProven."""
        if self._proof:
            self._proof.compare()

    def close(self) -> None:
        """Leave the servers."""
        for watcher in (self._workers, self._gate, self._proof):
            if watcher:
                watcher.close()


class ApplyWorkers:
    """The apply workers on some nodes; what has failed before does not count."""

    def __init__(self, cluster: Cluster, nodes: Iterable[Node]) -> None:
        self._sessions: list[Session] = []
        for node in dict.fromkeys(nodes):
            try:
                self._sessions.append(cluster.on(node, timeout=TIMEOUT))
            except NodeNotAvailable:
                continue  # the step will say so
        self._before = self._failures()
        self._looked = time.monotonic()

    def failing(self) -> str:
        """Return which of them fails again and again, as a clause; empty when none does."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return ""
        self._looked = time.monotonic()
        for (node, name), failures in self._failures().items():
            new = failures - self._before.get((node, name), 0)
            if new >= TOO_MANY:
                return f"its apply worker on {node} failed {new} times (that node's log says why)"
        return ""

    def close(self) -> None:
        """Close the sessions."""
        for session in self._sessions:
            session.close()

    def _failures(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for session in list(self._sessions):
            try:
                with session.muted():
                    rows = session.query(FAILURES)
            except (QueryFailed, NodeNotAvailable):
                session.close()
                self._sessions.remove(session)
                continue
            found.update({(session.name, row.name): int(row.failures) for row in rows})
        return found
