"""Which port of the row that begins at METRICS_PORT belongs to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from db.local.settings import Node, Settings

CLUSTER = 0
# The programs of db.local.programs.
WORKERS = {
    "worker-critical": 1,
    "worker": 2,
    "worker-mail": 3,
    "worker-webhooks": 6,
    "worker-maintenance": 7,
}
REDIS = 4
PGBOUNCER = 5
FIRST_POSTGRES = 10


class Used(NamedTuple):
    """A port of the monitoring, as `Settings.ports` lists it."""

    number: int
    variable: str
    purpose: str
    program: str


def postgres(node: Node) -> int:
    """Return the place in the row of a node's exporter."""
    return FIRST_POSTGRES + node.number


def used(settings: Settings) -> Iterator[Used]:
    """Yield the ports; without monitoring only those on which the workers tell their figures."""
    base = settings.metrics_port
    for name, offset in WORKERS.items():
        yield Used(base + offset, "METRICS_PORT", f"figures of {name}", name)
    if not settings.monitoring:
        return
    yield Used(base + CLUSTER, "METRICS_PORT", "figures of the cluster", "exporter")
    yield Used(base + REDIS, "METRICS_PORT", "figures of Redis", "redis-exporter")
    yield Used(base + PGBOUNCER, "METRICS_PORT", "figures of PgBouncer", "pgbouncer-exporter")
    for node in settings.servers:
        yield Used(
            base + postgres(node),
            "METRICS_PORT",
            f"figures of PostgreSQL {node.name}",
            f"postgres-exporter-{node.name}",
        )
    yield Used(settings.prometheus_port, "PROMETHEUS_PORT", "Prometheus", "prometheus")
    yield Used(settings.alertmanager_port, "ALERTMANAGER_PORT", "Alertmanager", "alertmanager")
