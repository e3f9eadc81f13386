"""From empty PostgreSQL nodes to a cluster with database, roles and privileges.

Every step may be repeated: it looks at what is there first. Invariant: what a role may do and
its settings are the same on every node, because each node answers clients by itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg2

from db.local.environment import HOST
from db.local.secrets_file import ADMIN, APP, DATABASE, OWNER, Secrets
from db.local.settings import Node, Settings

# The API promises an answer within HAProxy's 30 s: a statement gives up long before.
APP_SETTINGS = {
    "statement_timeout": "15s",
    # SET LOCAL does not travel to the other nodes, so this is the role's, on every node.
    "lock_timeout": "8s",
    "idle_in_transaction_session_timeout": "30s",
}
# A query over all shards of a node opens up to this many connections to it (default 16); with
# 25 pooled connections per node more would exhaust citus.max_shared_pool_size.
APP_CITUS_SETTINGS = {"citus.max_adaptive_executor_pool_size": "4"}

Cursor = Any


@contextlib.contextmanager
def connect(node: Node, secrets: Secrets, database: str = DATABASE) -> Iterator[Cursor]:
    """Yield a cursor of the superuser on a node, each statement its own transaction."""
    connection = psycopg2.connect(
        host=HOST,
        port=node.pg_port,
        user=ADMIN,
        password=secrets.of(ADMIN),
        dbname=database,
        connect_timeout=5,
        application_name="make up",
    )
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def run(settings: Settings, secrets: Secrets) -> None:
    """Bring the nodes to the state that `settings` ask for."""
    first = settings.nodes[0]
    for node in settings.nodes:
        create_database(node, secrets, citus=settings.citus)
    with connect(first, secrets) as coordinator:
        if settings.citus:
            register(coordinator, settings.nodes)
        # Citus carries new roles to the other nodes, with the hash of the password.
        create_roles(coordinator, secrets)
    for node in settings.nodes:
        with connect(node, secrets) as cursor:
            if settings.citus:
                # Each node is told by itself: what Citus would pass on depends on the kind of
                # statement, and a node added later must get the same.
                cursor.execute("SET citus.enable_ddl_propagation TO off")
            create_roles(cursor, secrets)
            settle_privileges(cursor)
            settle_role_settings(cursor, citus=settings.citus)


def create_database(node: Node, secrets: Secrets, *, citus: bool) -> None:
    """Create the shop's database on a node, with its extensions, when they are not there."""
    with connect(node, secrets, "postgres") as cursor:
        if not _exists(cursor, "SELECT FROM pg_database WHERE datname = %s", DATABASE):
            cursor.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8'")
    with connect(node, secrets) as cursor:
        # CREATE EXTENSION IF NOT EXISTS alone would ask Citus to pass it on, again each time.
        for extension in (["citus"] if citus else []) + ["pg_stat_statements"]:
            if _exists(cursor, "SELECT FROM pg_extension WHERE extname = %s", extension):
                continue
            if extension != "citus" and citus:
                cursor.execute("SET citus.enable_ddl_propagation TO off")
            cursor.execute(f"CREATE EXTENSION {extension}")


def register(coordinator: Cursor, nodes: tuple[Node, ...]) -> None:
    """Make pg_dist_node list these nodes at these ports; the coordinator holds no shards."""
    first, *workers = nodes
    _follow_changed_ports(coordinator, first)
    known = registered_ports(coordinator)
    if first.pg_port not in known:
        coordinator.execute("SELECT citus_set_coordinator_host(%s, %s)", [HOST, first.pg_port])
    for worker in workers:
        if worker.pg_port not in known:
            coordinator.execute("SELECT citus_add_node(%s, %s)", [HOST, worker.pg_port])
    if _exists(
        coordinator, "SELECT FROM pg_dist_node WHERE groupid = 0 AND shouldhaveshards = %s", True
    ):
        coordinator.execute(
            "SELECT citus_set_node_property(%s, %s, 'shouldhaveshards', false)",
            [HOST, first.pg_port],
        )


def registered_ports(coordinator: Cursor) -> set[int]:
    """Return the ports of the nodes in pg_dist_node."""
    coordinator.execute("SELECT nodeport FROM pg_dist_node")
    return {port for (port,) in coordinator.fetchall()}


def _follow_changed_ports(coordinator: Cursor, first: Node) -> None:
    """After PG_PORT was changed, tell Citus; the coordinator last, whose row holds the old port."""
    coordinator.execute(
        "SELECT nodeid, nodeport, groupid = 0 FROM pg_dist_node ORDER BY groupid = 0, groupid"
    )
    rows = coordinator.fetchall()
    old = next((port for _, port, is_coordinator in rows if is_coordinator), first.pg_port)
    if old == first.pg_port:
        return
    for nodeid, port, _ in rows:
        coordinator.execute(
            "SELECT citus_update_node(%s, %s, %s)", [nodeid, HOST, first.pg_port + port - old]
        )
    # Otherwise the workers hear of it within a minute, from a background process.
    coordinator.execute("SELECT start_metadata_sync_to_all_nodes()")


def create_roles(cursor: Cursor, secrets: Secrets) -> None:
    """Create the owner of the schema and the application's role where they are missing."""
    for role in (OWNER, APP):
        if not _exists(cursor, "SELECT FROM pg_roles WHERE rolname = %s", role):
            cursor.execute(
                f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD %s",
                [secrets.of(role)],
            )


def settle_privileges(cursor: Cursor) -> None:
    """Let the owner own the schema, and the application read and write what the owner creates."""
    cursor.execute(f"ALTER SCHEMA public OWNER TO {OWNER}")
    # Trusted extensions (pg_trgm) are then a matter of a migration.
    cursor.execute(f"GRANT CREATE ON DATABASE {DATABASE} TO {OWNER}")
    cursor.execute(f"GRANT USAGE ON SCHEMA public TO {APP}")
    for privileges in (
        "SELECT, INSERT, UPDATE, DELETE ON TABLES",
        "USAGE, SELECT ON SEQUENCES",
    ):
        cursor.execute(
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public"
            f" GRANT {privileges} TO {APP}"
        )


def settle_role_settings(cursor: Cursor, *, citus: bool) -> None:
    """Give the application's role its time limits on this node."""
    for name, value in (APP_SETTINGS | (APP_CITUS_SETTINGS if citus else {})).items():
        cursor.execute(f"ALTER ROLE {APP} SET {name} TO %s", [value])


def _exists(cursor: Cursor, query: str, value: object) -> bool:
    cursor.execute(query, [value])
    return cursor.fetchone() is not None
