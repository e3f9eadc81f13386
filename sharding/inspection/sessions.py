"""Sessions over all nodes: what runs, who waits for whom, and how to end it.

Citus gives each session of a client a global id (gpid), and the sessions that it opens on other
nodes carry the same one. So a transaction is one `Session` here, however many nodes it works on.

Every node is asked by itself and at the same time: one that is down never hides the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sharding import connection
from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Row

# Without a distributed transaction a session has no gpid yet: it is what Citus would calculate.
PIDS_PER_NODE = 10_000_000_000
SESSIONS = """
SELECT a.pid, coalesce(nullif(t.global_pid, 0), %(first)s + a.pid) AS gpid,
       coalesce(t.worker_query, false) AS is_internal, coalesce(a.usename, '') AS role,
       a.application_name AS application, a.state, a.query,
       coalesce(host(a.client_addr) || ':' || a.client_port, 'local') AS client,
       CASE WHEN a.wait_event_type IS NULL OR a.wait_event_type = 'Client' THEN ''
            ELSE a.wait_event_type || ': ' || a.wait_event END AS waits_for,
       clock_timestamp() - coalesce(a.xact_start, a.query_start, a.backend_start) AS age,
       clock_timestamp() - a.state_change AS unchanged
  FROM pg_stat_activity a LEFT JOIN get_all_active_transactions() t ON t.process_id = a.pid
 WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
   AND a.datname = current_database() AND a.state IS NOT NULL AND a.state <> 'idle'
"""
# A prepared transaction holds locks without a session: pg_blocking_pids() calls it 0.
WAITS = """
SELECT a.pid AS waiting, b.pid AS blocking, w.mode,
       coalesce(c.relname, w.locktype) AS lock_on,
       clock_timestamp() - coalesce(w.waitstart, a.query_start) AS waited
  FROM pg_stat_activity a
  JOIN pg_locks w ON w.pid = a.pid AND NOT w.granted
 CROSS JOIN unnest(pg_blocking_pids(a.pid)) AS b(pid)
  LEFT JOIN pg_class c ON c.oid = w.relation
 WHERE a.datname = current_database()
"""
PREPARED = (
    "SELECT gid, clock_timestamp() - prepared AS age FROM pg_prepared_xacts"
    " WHERE database = current_database()"
)


@dataclass(frozen=True, kw_only=True)
class Session:
    """A client's session with what it does, on all nodes.

    Attributes:
        gpid: Citus's global id, by which any node cancels or ends it.
        node: where the client is connected; empty when that node does not answer.
        elsewhere: nodes on which it works as well.
        age: since its transaction began.
        unchanged: for how long it has been in its state.
        waits_for: what PostgreSQL says it waits for, on any node; empty: it works.
    """

    gpid: int
    node: str
    pid: int
    role: str
    application: str
    client: str
    state: str
    query: str
    waits_for: str
    age: timedelta
    unchanged: timedelta
    elsewhere: tuple[str, ...] = ()

    @property
    def is_idle(self) -> bool:
        """Whether it holds a transaction open and does nothing."""
        return self.state.startswith("idle in transaction")


@dataclass(frozen=True, kw_only=True)
class Wait:
    """A session that waits for a lock that another holds.

    Attributes:
        waiting, blocking: gpids; `blocking` is None for a prepared transaction.
        node: where the lock is.
        lock_on: the table (a shard's own name), or the kind of what is locked.
    """

    waiting: int
    blocking: int | None
    node: str
    lock_on: str
    mode: str
    waited: timedelta


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A transaction that was prepared and is neither committed nor rolled back."""

    node: str
    gid: str
    age: timedelta


@dataclass(frozen=True, kw_only=True)
class Activity:
    """The sessions that do something, the oldest transaction first.

    Attributes:
        silent: why nodes did not answer, by name.
    """

    sessions: tuple[Session, ...]
    silent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Locks:
    """Who waits for whom, the longest wait first.

    Attributes:
        sessions: those that wait or block, by gpid.
        roots: gpids of those that block others and wait for nobody.
        prepared: transactions that hold locks without a session.
    """

    waits: tuple[Wait, ...]
    sessions: Mapping[int, Session]
    roots: tuple[int, ...]
    prepared: tuple[Prepared, ...]
    silent: Mapping[str, str] = field(default_factory=dict)


def activity(
    cluster: Cluster, *, longer_than: timedelta = timedelta(0), node: str = ""
) -> Activity:
    """Return what clients' sessions do, on whatever nodes.

    Args:
        cluster: where.
        longer_than: leave out younger transactions.
        node: only sessions that work on this node.
    """
    told, silent = _ask(cluster, SESSIONS)
    found = [
        session
        for session in _sessions(told).values()
        if session.age >= longer_than and node in {"", session.node, *session.elsewhere}
    ]
    found.sort(key=lambda session: session.age, reverse=True)
    return Activity(sessions=tuple(found), silent=silent)


def locks(cluster: Cluster) -> Locks:
    """Return who waits for whom."""
    told, silent = _ask(cluster, SESSIONS, WAITS, PREPARED)
    sessions = _sessions({node: answers[:1] for node, answers in told.items()})
    waits = {_wait(node, row, rows[0]) for node, rows in told.items() for row in rows[1]}
    listed = sorted(waits, key=lambda wait: wait.waited, reverse=True)
    waiting = {wait.waiting for wait in listed}
    blocking = {wait.blocking for wait in listed if wait.blocking is not None}
    return Locks(
        waits=tuple(listed),
        sessions={gpid: sessions[gpid] for gpid in waiting | blocking if gpid in sessions},
        roots=tuple(sorted(blocking - waiting)),
        prepared=tuple(
            Prepared(node=node.name, gid=row.gid, age=row.age)
            for node, rows in told.items()
            for row in rows[2]
        )
        if any(wait.blocking is None for wait in listed)
        else (),
        silent=silent,
    )


def _ask(
    cluster: Cluster, *statements: str
) -> tuple[dict[Node, tuple[list[Row], ...]], dict[str, str]]:
    nodes = cluster.nodes()
    ids = {node.name: node.id for node in nodes}

    def ask(session: connection.Session) -> tuple[list[Row], ...]:
        values = {"first": ids[session.name] * PIDS_PER_NODE}
        return tuple(session.query(statement, values) for statement in statements)

    told, silent = split_answers(cluster.on_each(nodes, ask))
    return told, {node.name: str(error) for node, error in silent.items()}


def _sessions(told: Mapping[Node, tuple[list[Row], ...]]) -> dict[int, Session]:
    """Join what all nodes say of one gpid: the client's own session names it."""
    found: dict[int, Session] = {}
    rows = [(node, row) for node, (listed, *_) in told.items() for row in listed]
    for node, row in sorted(rows, key=lambda each: each[1].is_internal):
        known = found.get(row.gpid)
        found[row.gpid] = _joined(known, node, row) if known else _session(node, row)
    return found


def _session(node: Node, row: Row) -> Session:
    fields = {name: value for name, value in row._asdict().items() if name != "is_internal"}
    elsewhere = (node.name,) if row.is_internal else ()
    return Session(node="" if row.is_internal else node.name, elsewhere=elsewhere, **fields)


def _joined(known: Session, node: Node, row: Row) -> Session:
    return replace(
        known,
        elsewhere=tuple(sorted({*known.elsewhere, node.name} - {known.node})),
        waits_for=_remote_wait(row) or known.waits_for,
        age=max(known.age, row.age),
    )


def _remote_wait(row: Row) -> str:
    """Return a lock that its work elsewhere waits for, rather than that it waits for its work."""
    waits_for: str = row.waits_for
    return waits_for if waits_for.startswith("Lock") else ""


def _wait(node: Node, row: Row, sessions: Iterable[Row]) -> Wait:
    gpids = {session.pid: session.gpid for session in sessions}
    own = node.id * PIDS_PER_NODE
    return Wait(
        waiting=gpids.get(row.waiting, own + row.waiting),
        blocking=gpids.get(row.blocking, own + row.blocking) if row.blocking else None,
        node=node.name,
        lock_on=row.lock_on,
        mode=row.mode,
        waited=row.waited,
    )
