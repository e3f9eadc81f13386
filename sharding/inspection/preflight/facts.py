"""What preflight looks at, collected once and judged afterwards by `checks`.

So that every judgement is a function of facts alone: it can be tested and repeated without a
cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Session
from sharding.errors import QueryFailed
from sharding.inspection import activity, consistency, leftovers, nodes, placements
from sharding.inspection.activity import Job
from sharding.inspection.findings import Finding
from sharding.inspection.leftovers import Leftovers
from sharding.inspection.nodes import TOLERANT, Link, NodeFacts
from sharding.inspection.placements import Layout, ShardGroup

SETTINGS = """
SELECT name, CASE WHEN unit = 'MB' THEN setting::bigint * 1048576
                  WHEN unit = 'kB' THEN setting::bigint * 1024 END AS bytes, setting
  FROM pg_settings
 WHERE name IN ('wal_level', 'max_replication_slots', 'max_wal_senders', 'max_worker_processes',
       'max_logical_replication_workers', 'max_slot_wal_keep_size',
       'max_wal_size', 'wal_retrieve_retry_interval', 'output_plugin_libraries',
       'synchronous_commit',
       'citus.desired_percent_disk_available_after_move')
"""
# This session's own limit says nothing: what the server, the database or the role would give a
# new one is asked for. A statement timeout ends the moves of the background workers as well.
STATEMENT_TIMEOUT = """
SELECT greatest(
    (SELECT reset_val::bigint FROM pg_settings WHERE name = 'statement_timeout'), 0) AS milliseconds
"""
USED = """
SELECT (SELECT count(*) FROM pg_replication_slots) AS slots,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender') AS senders,
       (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type LIKE 'logical replication%worker') AS logical_workers,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type NOT IN
            ('client backend', 'autovacuum launcher', 'autovacuum worker', 'background writer',
             'checkpointer', 'walwriter', 'walsender', 'walreceiver', 'startup', 'archiver',
             'logger')) AS worker_processes,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser
"""
TRANSACTIONS = """
SELECT pid, usename AS role, application_name AS application, state,
       extract(epoch FROM clock_timestamp() - xact_start)::float AS seconds,
       backend_xid IS NOT NULL AS writes,
       left(regexp_replace(query, '\\s+', ' ', 'g'), 200) AS query
  FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND datname = current_database()
   AND xact_start < clock_timestamp() - make_interval(secs => %s)
   -- Sessions of other nodes end with the transaction that opened them, which is listed there.
   AND application_name NOT LIKE 'citus\\_internal gpid=%%'
   AND application_name NOT LIKE 'citus\\_run\\_command gpid=%%'
   -- A move of our own has a limit of its own.
   AND application_name NOT LIKE 'shardctl: %%'
 ORDER BY xact_start
"""
IDENTITIES = """
SELECT p.logicalrelid::text AS name, k.relreplident::text AS identity,
       k.relpersistence = 'u' AS is_unlogged,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.oid AND i.indisprimary) AS has_key
  FROM pg_dist_partition p JOIN pg_class k ON k.oid = p.logicalrelid
 WHERE p.partmethod = 'h' AND k.relkind <> 'f'
"""
REFERENCES = """
SELECT n.nodename || ':' || n.nodeport AS node, array_agg(p.logicalrelid::text ORDER BY 1) AS tables
  FROM pg_dist_partition p JOIN pg_dist_shard s USING (logicalrelid)
 CROSS JOIN pg_dist_node n
 WHERE p.repmodel = 't' AND n.noderole = 'primary' AND n.isactive
   AND NOT EXISTS (SELECT FROM pg_dist_placement x
                    WHERE x.shardid = s.shardid AND x.groupid = n.groupid)
 GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """A transaction that has been open for long.

    Attributes:
        writes: it has changed something; a move waits for it before the shard changes place.
    """

    node: str
    pid: int
    role: str | None
    application: str
    state: str | None
    age: timedelta
    writes: bool
    query: str


@dataclass(frozen=True, kw_only=True)
class TableIdentity:
    """How a table's rows are told apart by logical replication."""

    name: str
    identity: str  # pg_class.relreplident: d(efault), n(othing), f(ull), i(ndex)
    has_key: bool
    is_unlogged: bool


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """Settings and what is used of them, on one node."""

    settings: Mapping[str, str]
    bytes: Mapping[str, int]
    slots: int
    senders: int
    logical_workers: int
    worker_processes: int
    is_superuser: bool
    statement_timeout: timedelta

    def number(self, name: str) -> int:
        """Return a setting that is a whole number."""
        return int(self.settings.get(name, "0"))


@dataclass(frozen=True, kw_only=True)
class NodeState:
    """A node with all that is judged; None where it did not answer."""

    node: Node
    facts: NodeFacts | None
    capacity: Capacity | None
    transactions: tuple[Transaction, ...]
    silence: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that preflight judges.

    Attributes:
        groups: the colocation groups that are to be moved.
        missing_references: reference tables that a node has not, by node.
        wal_headroom: bytes that must stay free beside a moved shard group, None for the default.
        long: from which age on a transaction is long.
        disagreements: what nodes do not say alike, and placements that have no table.
    """

    nodes: tuple[NodeState, ...]
    links: tuple[Link, ...]
    layout: Layout
    groups: tuple[int, ...]
    identities: tuple[TableIdentity, ...]
    missing_references: Mapping[str, tuple[str, ...]]
    leftovers: Leftovers
    jobs: tuple[Job, ...]
    wal_headroom: int | None
    long: timedelta
    disagreements: tuple[Finding, ...] = ()

    @property
    def workers(self) -> list[NodeState]:
        """The nodes beside the coordinator."""
        return [state for state in self.nodes if not state.node.is_coordinator]

    @property
    def movers(self) -> list[NodeState]:
        """The nodes that shards can move between."""
        held = {group.node for group in self.layout.shard_groups}
        return [s for s in self.nodes if s.node.should_have_shards or s.node.name in held]

    @property
    def biggest(self) -> ShardGroup | None:
        """The largest shard group that is to be moved."""
        groups = [g for g in self.layout.shard_groups if g.colocation_id in self.groups]
        return max(groups, key=lambda group: group.bytes or 0, default=None)

    @property
    def owners(self) -> int:
        """How many owners the tables of one group have at most: each needs a slot of its own."""
        counts = [
            len({table.owner for table in self.layout.tables_of(number)}) for number in self.groups
        ]
        return max(counts, default=1)


@dataclass(frozen=True, kw_only=True)
class _Told:
    facts: NodeFacts
    capacity: Capacity
    transactions: tuple[Transaction, ...]


def collect(
    cluster: Cluster, *, groups: list[int] | None, wal_headroom: int | None, long: timedelta
) -> Facts:
    """Ask every node."""
    listed = cluster.primaries()
    told, silent = split_answers(cluster.on_each(listed, lambda s: _ask(s, long)))
    layout = placements.read(cluster)
    wanted = layout.distributed() if groups is None else groups
    return Facts(
        nodes=tuple(
            NodeState(
                node=node,
                facts=told[node].facts if node in told else None,
                capacity=told[node].capacity if node in told else None,
                transactions=told[node].transactions if node in told else (),
                silence=str(silent.get(node, "")),
            )
            for node in listed
        ),
        links=tuple(nodes.links(cluster, silent=[node.name for node in silent])),
        layout=layout,
        groups=tuple(wanted),
        identities=identities(cluster, layout, tuple(wanted)),
        missing_references={row.node: tuple(row.tables) for row in cluster.query(REFERENCES)},
        leftovers=leftovers.inspect(cluster, layout=layout),
        jobs=tuple(activity.jobs(cluster)),
        wal_headroom=wal_headroom,
        long=long,
        disagreements=tuple(
            f for f in consistency.inspect(cluster, layout) if f.code != "node-unreachable"
        ),
    )


def state(cluster: Cluster, node: Node) -> NodeState:
    """Return what one node says, whether Citus knows it or not; NodeNotAvailable if nothing."""
    with cluster.on(node) as session:
        told = _ask(session, timedelta(0))
    return NodeState(node=node, facts=told.facts, capacity=told.capacity, transactions=())


def _ask(session: Session, long: timedelta) -> _Told:
    session.set(*TOLERANT)
    return _Told(
        facts=nodes.facts(session),
        capacity=_capacity(session),
        transactions=tuple(long_transactions(session, long)),
    )


def long_transactions(session: Session, age: timedelta) -> list[Transaction]:
    """Return the transactions of a node that are older than `age`, oldest first."""
    return [
        Transaction(
            node=session.name,
            pid=row.pid,
            role=row.role,
            application=row.application,
            state=row.state,
            age=timedelta(seconds=row.seconds),
            writes=row.writes,
            query=row.query,
        )
        for row in session.query(TRANSACTIONS, [age.total_seconds()])
    ]


def _capacity(session: Session) -> Capacity:
    rows = session.query(SETTINGS)
    used = session.row(USED)
    timeout = session.value(STATEMENT_TIMEOUT)
    if used is None:
        raise QueryFailed(f"{session.name} does not tell its settings.")
    return Capacity(
        settings={row.name: row.setting for row in rows},
        bytes={row.name: int(row.bytes) for row in rows if row.bytes is not None},
        statement_timeout=timedelta(milliseconds=timeout),
        **used._asdict(),
    )


def identities(
    cluster: Cluster, layout: Layout, groups: tuple[int, ...]
) -> tuple[TableIdentity, ...]:
    """Return how rows are told apart in every table of some colocation groups."""
    names = {table.name for number in groups for table in layout.tables_of(number)}
    return tuple(
        TableIdentity(**row._asdict()) for row in cluster.query(IDENTITIES) if row.name in names
    )
