"""Whom Prometheus asks in the composed cluster, and which poolers the exporter of poolers knows.

Invariant: every node of pg_dist_node is a target, whether it runs or not: one that is gone without
having been removed is missed, and one that joined later is watched like the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from db.cluster.roles import DATABASE, MONITOR
from db.cluster.servers import Server
from monitoring import rendering

Targets = list[tuple[str, dict[str, str]]]

POOLER_PORT_OFFSET = 1000  # as DATABASE_POOLER_PORT_OFFSET in docker-compose.yml

# By job of prometheus.yml: services of docker-compose.yml, and where each shows its figures.
SERVICES = {
    "app": {"app1": 8000, "app2": 8000},
    "celery": {
        "tasks": 9401,
        "tasks-critical": 9401,
        "tasks-mail": 9401,
        "tasks-maintenance": 9401,
        "tasks-webhooks": 9401,
    },
    "cluster": {"exporter": 9400},
    "haproxy": {"haproxy": 8404},
    "prometheus": {"prometheus": 9090},
    "alertmanager": {"alertmanager": 9093},
}
REDIS_EXPORTER = "redis-exporter:9121"
REDIS = ("redis", "redis-state")
POSTGRES_EXPORTER = "postgres-exporter:9187"
PGBOUNCER_EXPORTER = "pgbouncer-exporter:9405"


def write(nodes: Iterable[Server], directory: Path) -> None:
    """Write prometheus/targets/ and `poolers` into a directory, where they differ from before.

    A file is replaced as a whole: Prometheus watches them, and reads one as soon as it is there.
    """
    ordered = sorted(nodes)
    files = {
        f"prometheus/targets/{job}.yml": rendering.targets(entries)
        for job, entries in targets(ordered).items()
    }
    files["poolers"] = "".join(f"{line}\n" for line in poolers(ordered))
    for name, text in files.items():
        path = directory / name
        if path.is_file() and path.read_text() == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.new")
        draft.write_text(text)
        draft.replace(path)


def targets(nodes: Iterable[Server]) -> dict[str, Targets]:
    """Return by job who is asked: the services there are, and each of these nodes."""
    nodes = list(nodes)
    named = {
        job: [(f"{name}:{port}", {"instance": name}) for name, port in services.items()]
        for job, services in SERVICES.items()
    }
    return {
        **named,
        "redis": [
            (
                REDIS_EXPORTER,
                {
                    "instance": name,
                    "__metrics_path__": "/scrape",
                    "__param_target": f"redis://{name}:6379",
                },
            )
            for name in REDIS
        ],
        "postgres": [
            (
                POSTGRES_EXPORTER,
                {
                    "instance": f"postgres-{node.host}",
                    "node": str(node),
                    "__metrics_path__": "/probe",
                    "__param_target": f"{node}/{DATABASE}",
                },
            )
            for node in nodes
        ],
        "pgbouncer": [
            (
                PGBOUNCER_EXPORTER,
                {
                    "instance": f"pgbouncer-{node.host}",
                    "node": str(node),
                    "__metrics_path__": f"/metrics/{node.host}",
                },
            )
            for node in nodes
        ],
    }


def poolers(nodes: Iterable[Server]) -> list[str]:
    """Return a line per pooler, as monitoring.pgbouncer_exporter reads them."""
    return [
        f"{node.host}=host={node.host} port={node.port + POOLER_PORT_OFFSET} user={MONITOR}"
        for node in nodes
    ]
