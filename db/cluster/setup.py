"""From empty PostgreSQL servers to a cluster with database, roles and privileges.

Every step may be repeated: it looks at what is there first.
"""

from __future__ import annotations

from collections.abc import Sequence

from db.cluster import roles
from db.cluster.roles import DATABASE, Passwords
from db.cluster.servers import Cursor, Server, connect, exists


def prepare(
    servers: Sequence[Server],
    members: int,
    passwords: Passwords,
    *,
    citus: bool,
) -> list[Server]:
    """Bring servers to the state that the shop needs.

    Args:
        servers: the coordinator first (or the only server), then the workers, then those that are
            to be prepared and not to join.
        members: how many of them, from the first on, belong to the cluster.

    Returns:
        The workers that joined a cluster that was there already; they have no shards yet.
    """
    joined: list[Server] = []
    for server in servers:
        create_database(server, passwords, citus=citus)
    with connect(servers[0], passwords) as coordinator:
        if citus:
            joined = register(coordinator, servers[:members])
        # Citus carries new roles to the other nodes, with the hash of the password.
        roles.create(coordinator, passwords)
    for server in servers:
        with connect(server, passwords) as cursor:
            if citus:
                # Each node is told by itself: what Citus would pass on depends on the kind of
                # statement, and a node added later must get the same.
                cursor.execute("SET citus.enable_ddl_propagation TO off")
            roles.create(cursor, passwords)
            roles.settle(cursor, citus=citus)
    return joined


def has_citus(server: Server, passwords: Passwords) -> bool:
    """Tell whether the shop's database is there, with the extension."""
    with connect(server, passwords, "postgres") as cursor:
        if not exists(cursor, "SELECT FROM pg_database WHERE datname = %s", DATABASE):
            return False
    with connect(server, passwords) as cursor:
        return exists(cursor, "SELECT FROM pg_extension WHERE extname = %s", "citus")


def create_database(server: Server, passwords: Passwords, *, citus: bool) -> None:
    """Create the shop's database on a server, with its extensions, when they are not there."""
    with connect(server, passwords, "postgres") as cursor:
        if not exists(cursor, "SELECT FROM pg_database WHERE datname = %s", DATABASE):
            cursor.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8'")
    with connect(server, passwords) as cursor:
        # CREATE EXTENSION IF NOT EXISTS alone would ask Citus to pass it on, again each time.
        for extension in (["citus"] if citus else []) + ["pg_stat_statements"]:
            if exists(cursor, "SELECT FROM pg_extension WHERE extname = %s", extension):
                continue
            if extension != "citus" and citus:
                cursor.execute("SET citus.enable_ddl_propagation TO off")
            cursor.execute(f"CREATE EXTENSION {extension}")


def register(coordinator: Cursor, members: Sequence[Server]) -> list[Server]:
    """Make pg_dist_node list these servers, the coordinator first, which holds no shards.

    Returns:
        The workers that are new to a cluster that had some before.
    """
    first, *workers = members
    known = registered(coordinator)
    if first not in known:
        coordinator.execute("SELECT citus_set_coordinator_host(%s, %s)", list(first))
    missing = [worker for worker in workers if worker not in known]
    for worker in missing:
        coordinator.execute("SELECT citus_add_node(%s, %s)", list(worker))
    if exists(
        coordinator, "SELECT FROM pg_dist_node WHERE groupid = 0 AND shouldhaveshards = %s", True
    ):
        coordinator.execute(
            "SELECT citus_set_node_property(%s, %s, 'shouldhaveshards', false)", list(first)
        )
    return missing if len(missing) < len(workers) else []


def registered(coordinator: Cursor) -> set[Server]:
    """Return the servers in pg_dist_node."""
    coordinator.execute("SELECT nodename, nodeport FROM pg_dist_node")
    return {Server(host, port) for host, port in coordinator.fetchall()}
