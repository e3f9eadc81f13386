"""Are there connections for everybody? Servers, the limits of Citus, poolers, slots that keep WAL.

Every node that clients are connected to may call on every other one. So what a server needs is the
sum over all nodes of what each may open (citus.max_client_connections), and poolers must not let in
more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Row, Session, ask_pooler
from sharding.errors import NodeNotAvailable
from sharding.figures import bytes_, duration, percent
from sharding.inspection.findings import Finding, Severity

SERVER = """
SELECT current_setting('max_connections')::int AS most,
       current_setting('superuser_reserved_connections')::int AS reserved,
       current_setting('citus.max_client_connections')::int AS client_limit,
       current_setting('citus.max_shared_pool_size')::int AS pool_limit,
       count(*) FILTER (WHERE application_name LIKE 'citus_internal%') AS from_nodes,
       count(*) FILTER (WHERE application_name NOT LIKE 'citus_%') AS clients
  FROM pg_stat_activity WHERE backend_type = 'client backend'
"""
SLOTS = """
SELECT slot_name AS name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint AS bytes
  FROM pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL
"""
NEARLY_ALL = 0.8
LONG_WAIT_SECONDS = 1.0
MUCH_WAL = 2**30
RAISE = "Raise max_connections there, or lower citus.max_client_connections on the nodes."


@dataclass(frozen=True, kw_only=True)
class Pooler:
    """A PgBouncer in front of a node.

    Attributes:
        clients, waiting: connections of applications that have a server, and that wait for one.
        servers: its connections to the node, `room`: how many it may open for all pools.
        longest_wait: seconds that the first in the queue has waited.
    """

    address: str
    clients: int = 0
    waiting: int = 0
    servers: int = 0
    room: int = 0
    longest_wait: float = 0.0
    silence: str = ""


@dataclass(frozen=True, kw_only=True)
class Server:
    """The connections of a node.

    Attributes:
        most: max_connections without those reserved for superusers.
        needed: what all nodes may open here at the same time, by citus.max_client_connections;
            None when a node has no such limit.
        slots: idle replication slots with the bytes of WAL that they keep.
    """

    node: str
    most: int
    clients: int
    from_nodes: int
    client_limit: int
    pool_limit: int
    needed: int | None
    slots: Mapping[str, int]
    pooler: Pooler | None = None

    @property
    def used(self) -> int:
        """Connections that are open."""
        return self.clients + self.from_nodes


@dataclass(frozen=True, kw_only=True)
class Budget:
    """All nodes, and where connections do not suffice."""

    servers: tuple[Server, ...]
    findings: tuple[Finding, ...]
    silent: Mapping[str, str] = field(default_factory=dict)


def inspect(cluster: Cluster, *, pooler_offset: int | None = None) -> Budget:
    """Return the connections of all nodes.

    Args:
        cluster: where.
        pooler_offset: what the port of the PgBouncer beside a node is above the node's; None:
            there are none.
    """
    nodes = [node for node in cluster.primaries() if node.is_active]
    told, silent = split_answers(cluster.on_each(nodes, _ask))
    limits = [row.client_limit for row, _ in told.values()]
    needed = None if any(limit < 0 for limit in limits) else sum(limits)
    servers = [
        Server(
            node=node.name,
            most=row.most - row.reserved,
            clients=row.clients,
            from_nodes=row.from_nodes,
            client_limit=row.client_limit,
            pool_limit=row.pool_limit,
            needed=needed,
            slots=slots,
            pooler=_pooler(cluster, node, pooler_offset) if pooler_offset else None,
        )
        for node, (row, slots) in told.items()
    ]
    return Budget(
        servers=tuple(servers),
        findings=tuple(finding for server in servers for finding in judge(server)),
        silent={node.name: str(error) for node, error in silent.items()},
    )


def judge(server: Server) -> list[Finding]:
    """Return where the connections of a node do not suffice."""
    return [
        Finding(code=code, severity=Severity.WARNING, message=message, remedy=remedy,
                node=server.node)
        for code, message, remedy in [*_of_server(server), *_of_pooler(server)]
    ]  # fmt: skip


def _of_server(server: Server) -> Iterator[tuple[str, str, str]]:
    if server.used > NEARLY_ALL * server.most:
        share = percent(server.used / server.most)
        yield "connections-nearly-used-up", f"{server.node}: {share} of its connections.", RAISE
    if server.needed is not None and server.needed > server.most:
        yield (
            "connections-over-budget",
            f"{server.node} takes {server.most} connections; all nodes may want {server.needed}.",
            RAISE,
        )
    if 0 < server.pool_limit < server.client_limit:
        yield (
            "shared-pool-too-small",
            (
                f"{server.node}: citus.max_shared_pool_size is {server.pool_limit}, and"
                f" citus.max_client_connections {server.client_limit}."
            ),
            "Set the first to at least as many: clients would wait for each other's connections.",
        )
    for name, kept in server.slots.items():
        if kept > MUCH_WAL:
            yield (
                "idle-slot-keeps-wal",
                f"{server.node}: the slot {name}, which nobody reads, keeps {bytes_(kept)} of WAL.",
                f"SELECT pg_drop_replication_slot('{name}'); if its reader is gone for good.",
            )


def _of_pooler(server: Server) -> Iterator[tuple[str, str, str]]:
    pooler = server.pooler
    if pooler is None:
        return
    if pooler.silence:
        yield "pooler-silent", pooler.silence, "Start it, or let this role see its console."
        return
    if pooler.longest_wait > LONG_WAIT_SECONDS:
        yield (
            "pooler-queue",
            (
                f"{pooler.address}: {pooler.waiting} clients wait for a connection, the first for"
                f" {duration(pooler.longest_wait)}."
            ),
            "Look what holds the connections (shardctl activity); then raise default_pool_size.",
        )
    if 0 < server.client_limit < pooler.room:
        yield (
            "pooler-over-limit",
            (
                f"{pooler.address} may open {pooler.room} connections, and {server.node} lets"
                f" clients open {server.client_limit} (citus.max_client_connections)."
            ),
            "Lower default_pool_size and reserve_pool_size, or raise the limit.",
        )


def _ask(session: Session) -> tuple[Row, dict[str, int]]:
    row = session.row(SERVER)
    return row, {slot.name: slot.bytes for slot in session.query(SLOTS)}


def _pooler(cluster: Cluster, node: Node, offset: int) -> Pooler:
    beside = f"{node.host}:{node.port + offset}"
    dsn = cluster.dsn_at(node.host, node.port + offset)
    try:
        pools = ask_pooler(dsn, "SHOW POOLS", name=beside)
        databases = ask_pooler(dsn, "SHOW DATABASES", name=beside)
    except NodeNotAvailable as error:
        return Pooler(address=beside, silence=str(error))
    return read_pools(beside, pools, databases)


def read_pools(address: str, pools: Iterable[Row], databases: Iterable[Row]) -> Pooler:
    """Return the sums over the pools of a PgBouncer; its console is no database."""
    wanted = [pool for pool in pools if pool.database != "pgbouncer"]
    sizes = {
        database.name: database.pool_size + getattr(database, "reserve_pool", 0)
        for database in databases
    }
    return Pooler(
        address=address,
        clients=sum(pool.cl_active for pool in wanted),
        waiting=sum(pool.cl_waiting for pool in wanted),
        servers=sum(
            pool.sv_active + pool.sv_idle + pool.sv_used + pool.sv_tested + pool.sv_login
            for pool in wanted
        ),
        room=sum(sizes.get(pool.database, 0) for pool in wanted),
        longest_wait=max(
            (pool.maxwait + getattr(pool, "maxwait_us", 0) / 1e6 for pool in wanted), default=0.0
        ),
    )
