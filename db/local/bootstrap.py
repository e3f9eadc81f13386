"""The local nodes become one cluster: `db.cluster` for servers that may change their ports."""

from __future__ import annotations

from contextlib import AbstractContextManager

from db.cluster import servers, setup
from db.cluster.roles import DATABASE
from db.cluster.servers import Cursor, Server
from db.local.environment import HOST
from db.local.secrets_file import Secrets
from db.local.settings import Node, Settings


def connect(
    node: Node, secrets: Secrets, database: str = DATABASE
) -> AbstractContextManager[Cursor]:
    """Return a cursor of the superuser on a node, each statement its own transaction."""
    return servers.connect(_server(node), secrets, database)


def run(settings: Settings, secrets: Secrets) -> list[Node]:
    """Bring the nodes to the state that `settings` ask for.

    Returns:
        The workers that joined a cluster that was there already; they have no shards yet.
    """
    nodes = {_server(node): node for node in settings.servers}
    if settings.citus:
        _follow_changed_ports(settings.nodes[0], secrets)
    joined = setup.prepare(list(nodes), len(settings.nodes), secrets, citus=settings.citus)
    return [nodes[server] for server in joined]


def registered_ports(coordinator: Cursor) -> set[int]:
    """Return the ports of the nodes in pg_dist_node."""
    return {server.port for server in setup.registered(coordinator)}


def _server(node: Node) -> Server:
    return Server(HOST, node.pg_port)


def _follow_changed_ports(first: Node, secrets: Secrets) -> None:
    """After PG_PORT was changed, tell Citus; the coordinator last, whose row holds the old port."""
    if not setup.has_citus(_server(first), secrets):
        return
    with connect(first, secrets) as coordinator:
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
