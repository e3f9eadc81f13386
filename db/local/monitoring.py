"""The programs of the monitoring: Prometheus, Alertmanager, and an exporter for each server.

The test stack knows them but does not start them: the tests that need them do, and the others run
as fast as without. There Prometheus asks every second, and a minute of the rules lasts a second
(monitoring.rendering).
"""

from __future__ import annotations

from collections.abc import Iterator

from db.cluster.roles import DATABASE, MONITOR
from db.local import health, software
from db.local import monitoring_ports as ports
from db.local.environment import HOST
from db.local.health import Probe
from db.local.layout import Layout
from db.local.monitoring_files import address_of
from db.local.programs import Program, application_environment, code_digest, digest_of
from db.local.settings import Node, Settings


def all_programs(settings: Settings, layout: Layout) -> list[Program]:
    """Return the programs of the monitoring, in the order in which they start; none without it."""
    if not settings.monitoring:
        return []
    return [
        cluster_exporter(settings, layout),
        *(postgres_exporter(node, settings, layout) for node in settings.servers),
        pgbouncer_exporter(settings, layout),
        redis_exporter(settings),
        alertmanager(settings, layout),
        prometheus(settings, layout),
    ]


def cluster_exporter(settings: Settings, layout: Layout) -> Program:
    """The application's own exporter: nodes, queues, outbox, the books."""
    return Program(
        name="exporter",
        command=(
            str(layout.checkout / ".venv/bin/python"),
            "src/manage.py",
            "export_metrics",
        ),
        priority=45,
        environment={
            **application_environment(layout),
            "METRICS_BIND": f"{HOST}:{settings.metrics_port + ports.CLUSTER}",
            "BEAT_SCHEDULE_FILE": str(layout.beat_schedule),
            **({} if settings.durable else {"METRICS_REFRESH_SECONDS": "1"}),
        },
        as_service_account=False,
        directory=str(layout.checkout),
        digest=code_digest(layout),
    )


def postgres_exporter(node: Node, settings: Settings, layout: Layout) -> Program:
    """The exporter of one node: a slow or dead one hides no other."""
    queries = layout.conf / "prometheus/postgres-queries.yml"
    password = layout.conf / "monitor.password"
    return Program(
        name=f"postgres-exporter-{node.name}",
        command=(
            software.find("prometheus-postgres-exporter"),
            f"--web.listen-address={HOST}:{settings.metrics_port + ports.postgres(node)}",
            # 300 settings that do not change; the one that is needed comes by a query of ours.
            "--disable-settings-metrics",
            f"--extend.query-path={queries}",
            "--log.level=warn",
        ),
        priority=45,
        environment={
            "DATA_SOURCE_URI": f"{address_of(node)}/{DATABASE}?sslmode=disable&connect_timeout=2",
            "DATA_SOURCE_USER": MONITOR,
            "DATA_SOURCE_PASS_FILE": str(password),
        },
        digest=digest_of([queries, password]),
    )


def pgbouncer_exporter(settings: Settings, layout: Layout) -> Program:
    """The exporter of all poolers (monitoring/pgbouncer_exporter.py)."""
    root = layout.checkout
    return Program(
        name="pgbouncer-exporter",
        command=(str(root / ".venv/bin/python"), "-m", "monitoring.pgbouncer_exporter"),
        priority=45,
        environment={
            "PYTHONPATH": str(root),
            "PYTHONUNBUFFERED": "1",
            "PGPASSFILE": str(layout.pgpass),
            "METRICS_BIND": f"{HOST}:{settings.metrics_port + ports.PGBOUNCER}",
            "POOLERS": ";".join(
                f"{node.name}=host={HOST} port={node.pool_port} user={MONITOR}"
                for node in settings.servers
            ),
        },
        as_service_account=False,
        directory=str(root),
        digest=digest_of([root / "monitoring/pgbouncer_exporter.py", layout.pgpass]),
    )


def redis_exporter(settings: Settings) -> Program:
    """The exporter of both; Prometheus says which it wants (`monitoring_files.targets`)."""
    return Program(
        name="redis-exporter",
        command=(
            software.find("prometheus-redis-exporter"),
            "-redis.addr=",
            f"-web.listen-address={HOST}:{settings.metrics_port + ports.REDIS}",
            "-connection-timeout=2s",
        ),
        priority=45,
    )


def alertmanager(settings: Settings, layout: Layout) -> Program:
    """Alertmanager, alone: an empty cluster address means that it looks for no others."""
    conf = layout.conf / "alertmanager"
    return Program(
        name="alertmanager",
        command=(
            software.find("prometheus-alertmanager"),
            f"--config.file={conf / 'alertmanager.yml'}",
            f"--storage.path={layout.alertmanager}",
            f"--web.listen-address={HOST}:{settings.alertmanager_port}",
            f"--web.external-url=http://{HOST}:{settings.alertmanager_port}/",
            "--cluster.listen-address=",
            "--log.level=warn",
        ),
        priority=46,
        digest=digest_of(sorted(path for path in conf.rglob("*") if path.is_file())),
    )


def prometheus(settings: Settings, layout: Layout) -> Program:
    """Prometheus. It reads new targets by itself: they are no part of the digest."""
    conf = layout.conf / "prometheus"
    return Program(
        name="prometheus",
        command=(
            software.find("prometheus"),
            f"--config.file={conf / 'prometheus.yml'}",
            # Its pages of text are the runbooks, so that an alert links to what can be read.
            f"--web.console.templates={conf / 'runbooks'}",
            f"--web.console.libraries={conf / 'runbooks'}",
            f"--storage.tsdb.path={layout.prometheus}",
            "--storage.tsdb.retention.time=15d",
            "--storage.tsdb.retention.size=1GB",
            f"--web.listen-address={HOST}:{settings.prometheus_port}",
            # Its links in mails; the machine's name may lead elsewhere.
            f"--web.external-url=http://{HOST}:{settings.prometheus_port}/",
            "--log.level=warn",
        ),
        priority=47,
        digest=digest_of([conf / "prometheus.yml", *sorted((conf / "rules").glob("*.yml"))]),
    )


def probes(settings: Settings) -> list[Probe]:
    """Return the probes of the monitoring's programs."""
    return list(_probes(settings)) if settings.monitoring else []


def _probes(settings: Settings) -> Iterator[Probe]:
    # The exporters' first pages: what they say of their servers is Prometheus's business.
    yield health.http_ok("exporter", settings.metrics_port, "/metrics")
    for node in settings.servers:
        yield health.http_ok(
            f"postgres-exporter-{node.name}", settings.metrics_port + ports.postgres(node), "/"
        )
    yield health.http_ok("pgbouncer-exporter", settings.metrics_port + ports.PGBOUNCER, "/")
    yield health.http_ok("redis-exporter", settings.metrics_port + ports.REDIS, "/health")
    yield health.http_ok("alertmanager", settings.alertmanager_port, "/-/ready")
    yield health.http_ok("prometheus", settings.prometheus_port, "/-/ready")
