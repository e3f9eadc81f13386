"""The files that tell Prometheus, Alertmanager and the exporters of a stack what to do.

Invariant: a target is named (`instance`) as its program is in `make status`. A target of a database
or of its pooler also carries `node`, "host:port" as in pg_dist_node.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from db.cluster.roles import MONITOR
from db.local import monitoring_ports as ports
from db.local.account import Account
from db.local.environment import HOST
from db.local.layout import Layout
from db.local.secrets_file import Secrets, write_private
from db.local.settings import APP_SERVERS, Node, Settings
from monitoring import rendering

Targets = list[tuple[str, dict[str, str]]]


def write_all(settings: Settings, secrets: Secrets, layout: Layout, account: Account) -> None:
    """Write the configuration of all programs of the monitoring."""
    hurry = not settings.durable
    conf = layout.conf / "prometheus"
    alerting = layout.conf / "alertmanager"
    for directory in (conf / "rules", alerting):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
    every = "1s" if hurry else "5s"
    (conf / "prometheus.yml").write_text(rendering.prometheus_yml(every=every))
    rules = rendering.rules(
        hurry=hurry,
        runbooks=os.environ.get("RUNBOOKS_URL") or f"{settings.public_url}/status/runbooks",
        grafana=os.environ.get("GRAFANA_URL", ""),
        status_page=f"{settings.public_url}/status/",
    )
    for name, text in rules.items():
        (conf / "rules" / name).write_text(text)
    write_targets(settings, conf / "targets")
    smarthost = f"{HOST}:{settings.smtp_port}"
    text = rendering.alertmanager_yml(os.environ, smarthost=smarthost, hurry=hurry)
    (alerting / "alertmanager.yml").write_text(text)
    shutil.copytree(rendering.HERE / "alertmanager/templates", alerting / "templates")
    shutil.rmtree(conf / "runbooks", ignore_errors=True)
    shutil.copytree(layout.checkout / rendering.RUNBOOKS, conf / "runbooks")
    (conf / "postgres-queries.yml").write_text(rendering.postgres_queries(citus=settings.citus))
    password = layout.conf / "monitor.password"
    write_private(password, secrets.of(MONITOR))
    account.own(password, mode=0o600)
    # The servers' account reads them, whatever the umask of the person at the keyboard is.
    for path in [conf, *conf.rglob("*"), alerting, *alerting.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    for data in (layout.prometheus, layout.alertmanager):
        data.mkdir(exist_ok=True)
        account.own(data, mode=0o700)


def write_targets(settings: Settings, directory: Path) -> None:
    """Write a file of targets per job, each replaced as a whole: a running Prometheus watches."""
    directory.mkdir(exist_ok=True)
    for job, found in targets(settings).items():
        draft = directory / f"{job}.new"
        draft.write_text(rendering.targets(found))
        draft.chmod(0o644)
        draft.replace(directory / f"{job}.yml")


def targets(settings: Settings) -> dict[str, Targets]:
    """Return by job who is asked."""
    base = settings.metrics_port
    apps = {f"app{n}": settings.app_port + n - 1 for n in range(1, APP_SERVERS + 1)}
    workers = {name: base + offset for name, offset in ports.WORKERS.items()}
    return {
        "app": _named(apps),
        "celery": _named(workers),
        "cluster": _named({"exporter": base + ports.CLUSTER}),
        "haproxy": _named({"haproxy": settings.stats_port}),
        "redis": [
            (
                f"{HOST}:{base + ports.REDIS}",
                {
                    "instance": name,
                    "__metrics_path__": "/scrape",
                    "__param_target": f"redis://{HOST}:{port}",
                },
            )
            for name, port in (
                ("redis", settings.redis_port),
                ("redis-state", settings.state_redis_port),
            )
        ],
        "postgres": [
            (
                f"{HOST}:{base + ports.postgres(node)}",
                {"instance": f"postgres-{node.name}", "node": address_of(node)},
            )
            for node in settings.servers
        ],
        "pgbouncer": [
            (
                f"{HOST}:{base + ports.PGBOUNCER}",
                {
                    "instance": f"pgbouncer-{node.name}",
                    "node": address_of(node),
                    "__metrics_path__": f"/metrics/{node.name}",
                },
            )
            for node in settings.servers
        ],
        "prometheus": _named({"prometheus": settings.prometheus_port}),
        "alertmanager": _named({"alertmanager": settings.alertmanager_port}),
    }


def _named(found: dict[str, int]) -> Targets:
    return [(f"{HOST}:{port}", {"instance": name}) for name, port in found.items()]


def address_of(node: Node) -> str:
    """Return how a node is called in pg_dist_node, in metrics and by shardctl."""
    return f"{HOST}:{node.pg_port}"
