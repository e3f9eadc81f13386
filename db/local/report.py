"""The tables that `make up` and `make status` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.local import bootstrap
from db.local.environment import HOST
from db.local.secrets_file import Secrets
from db.local.settings import Node, Settings
from db.local.supervisor import State

# Shards and bytes per node, reference tables' copies included. pg_dist_node has nodes without
# shards as well.
CLUSTER = """
SELECT n.nodeport, n.groupid = 0, n.isactive, count(s.shardid), coalesce(sum(s.shard_size), 0)
FROM pg_dist_node n
LEFT JOIN citus_shards s ON s.nodename = n.nodename AND s.nodeport = n.nodeport
GROUP BY n.nodeport, n.groupid, n.isactive
ORDER BY n.groupid
"""


@dataclass(frozen=True, kw_only=True)
class NodeRow:
    """A node as the operator sees it; `shards` is None without Citus."""

    node: Node
    role: str
    shards: int | None
    size: int


def node_rows(settings: Settings, secrets: Secrets) -> list[NodeRow]:
    """Ask the coordinator, or the only node, what there is."""
    with bootstrap.connect(settings.nodes[0], secrets) as cursor:
        if not settings.citus:
            cursor.execute("SELECT pg_database_size(current_database())")
            node = settings.nodes[0]
            return [NodeRow(node=node, role="only node", shards=None, size=cursor.fetchone()[0])]
        cursor.execute(CLUSTER)
        by_port = {node.pg_port: node for node in settings.servers}
        rows = [
            NodeRow(
                node=by_port.get(port) or _foreign(port),
                role=("coordinator" if is_coordinator else "worker")
                + ("" if active else " (inactive)"),
                shards=shards,
                size=int(size),
            )
            for port, is_coordinator, active, shards, size in cursor.fetchall()
        ]
    joined = {row.node.pg_port for row in rows}
    spares = [node for node in settings.servers if node.pg_port not in joined]
    return rows + [
        NodeRow(node=node, role="spare, not in the cluster", shards=None, size=0) for node in spares
    ]


def node_table(rows: Sequence[NodeRow]) -> str:
    """Return the table of nodes."""
    return table(
        ("NODE", "POSTGRESQL", "PGBOUNCER", "ROLE", "SHARDS", "BYTES"),
        [
            (
                row.node.name,
                f"{HOST}:{row.node.pg_port}",
                f"{HOST}:{row.node.pool_port}" if row.node.pool_port else "-",
                row.role,
                "-" if row.shards is None else str(row.shards),
                f"{row.size:,}",
            )
            for row in rows
        ],
    )


def process_table(states: Sequence[State], verdicts: Mapping[str, str]) -> str:
    """Return the table of processes.

    Args:
        verdicts: what each program's health probe says.
    """
    return table(
        ("PROCESS", "STATE", "HEALTH", "DETAIL"),
        [
            (state.name, state.state, verdicts.get(state.name, "-"), state.description)
            for state in states
        ],
    )


def urls(settings: Settings) -> str:
    """Return where to look with a browser."""
    front = settings.public_url
    return (
        f"Status    {front}/status/\n"
        f"API       {front}/api/docs/\n"
        f"Staff     {front}/admin/\n"
        f"Health    {front}/health/ready\n"
        f"HAProxy   http://{HOST}:{settings.stats_port}/\n"
        f"Mail      smtp://{HOST}:{settings.smtp_port}, kept, not delivered: make mail"
        + monitoring_urls(settings)
    )


def monitoring_urls(settings: Settings) -> str:
    """Return where the figures are, and which alerts there are; nothing without monitoring."""
    if not settings.monitoring:
        return ""
    return (
        f"\nFigures   http://{HOST}:{settings.prometheus_port}/ (Prometheus)"
        f"\nAlerts    http://{HOST}:{settings.alertmanager_port}/ (Alertmanager)"
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as columns of equal width, numbers to the right."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    numeric = [
        bool(rows)
        and all(
            row[column].replace(",", "").replace("-", "").isdigit() or row[column] == "-"
            for row in rows
        )
        for column in range(len(header))
    ]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def _foreign(port: int) -> Node:
    return Node(number=-1, name="(added by hand)", pg_port=port, pool_port=0)
