"""The database roles: who there is, what each may do, and how long it may take.

Invariant: all this is the same on every node, because each node answers clients by itself.
"""

from __future__ import annotations

from typing import Any, Protocol

Cursor = Any

DATABASE = "shardmart"
ADMIN = "postgres"
OWNER = "shardmart_owner"
APP = "shardmart_app"
MONITOR = "shardmart_monitor"  # reads statistics, and no row of the shop

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
# Whoever looks at the cluster must not weigh on it: the console, exporters, shardctl's figures.
MONITOR_SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "10s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "30s",
}


class Passwords(Protocol):
    """The password of each role."""

    def of(self, role: str) -> str:
        """Return the password of a role."""
        ...


def create(cursor: Cursor, passwords: Passwords) -> None:
    """Create the roles of owner, application and monitor where they are missing."""
    for role in (OWNER, APP, MONITOR):
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            cursor.execute(
                f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD %s",
                [passwords.of(role)],
            )


def settle(cursor: Cursor, *, citus: bool) -> None:
    """Give the roles what they may do on this node, and their limits."""
    _settle_privileges(cursor)
    for name, value in (APP_SETTINGS | (APP_CITUS_SETTINGS if citus else {})).items():
        cursor.execute(f"ALTER ROLE {APP} SET {name} TO %s", [value])
    # All statistics and settings, and no table: citus_stat_tenants needs exactly this.
    cursor.execute(f"GRANT pg_monitor TO {MONITOR}")
    cursor.execute(f"ALTER ROLE {MONITOR} CONNECTION LIMIT 30")
    for name, value in MONITOR_SETTINGS.items():
        cursor.execute(f"ALTER ROLE {MONITOR} SET {name} TO %s", [value])


def _settle_privileges(cursor: Cursor) -> None:
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
