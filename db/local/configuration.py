"""The configuration files of the servers, filled in from the templates in db/ and haproxy/."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from string import Template

from db.cluster.roles import ADMIN, APP, MONITOR, OWNER
from db.local import software
from db.local.account import Account
from db.local.layout import Layout
from db.local.secrets_file import Secrets, write_private
from db.local.settings import APP_SERVERS, Node, Settings

DB = Path(__file__).resolve().parents[1]
HAPROXY = DB.parent / "haproxy"
GATEWAY_BEHAVIOUR = {
    "GATEWAY_LATENCY_MS",
    "GATEWAY_HANG_SECONDS",
    "GATEWAY_WEBHOOK_SPREAD_MS",
    "GATEWAY_DUPLICATES",
    "GATEWAY_LOSSES",
}


def postgresql_conf(node: Node, settings: Settings, *, names_plugins: bool = False) -> str:
    """Return postgresql.conf of a node.

    Args:
        names_plugins: this minor version decodes only with the plugins that it is told of.
    """
    libraries = ["citus"] if settings.citus else []
    preload = ",".join([*libraries, "pg_stat_statements"])
    parts = [_read("postgresql/postgresql.conf", port=node.pg_port, preload=preload)]
    if settings.citus:
        parts.append(_read("postgresql/citus.conf", shards=settings.shards))
        if names_plugins:
            parts.append(_read("postgresql/plugins.conf"))
    if not settings.durable:
        parts.append(_read("postgresql/throwaway.conf"))
    return "\n".join(parts)


def pg_hba_conf() -> str:
    """Return pg_hba.conf, the same on every node."""
    return _read("postgresql/pg_hba.conf")


def pgbouncer_ini(node: Node, auth_file: Path) -> str:
    """Return pgbouncer.ini for the pooler in front of a node."""
    return _read(
        "pgbouncer/pgbouncer.ini",
        pg_port=node.pg_port,
        pool_port=node.pool_port,
        auth_file=auth_file,
    )


def userlist(secrets: Secrets) -> str:
    """Return PgBouncer's users. Clear text, because PgBouncer logs in to PostgreSQL with them."""
    return "".join(f'"{role}" "{secrets.of(role)}"\n' for role in (APP, ADMIN, MONITOR))


def pgpass(secrets: Secrets) -> str:
    """Return the password file with which the nodes log in to each other."""
    roles = (ADMIN, OWNER, APP, MONITOR)
    return "".join(f"127.0.0.1:*:*:{role}:{secrets.of(role)}\n" for role in roles)


def redis_conf(settings: Settings, layout: Layout) -> str:
    """Return redis.conf: the cache and the queues of one machine."""
    # Only keys with a time to live, the cache's, may go when memory is short.
    return _redis_conf(settings, settings.redis_port, layout.redis, "256mb", "volatile-lru")


def redis_state_conf(settings: Settings, layout: Layout) -> str:
    """Return redis.conf of the counters and sessions: nothing goes to make room for others."""
    return _redis_conf(
        settings, settings.state_redis_port, layout.redis_state, "64mb", "noeviction"
    )


def _redis_conf(
    settings: Settings, port: int, directory: Path, memory: str, when_it_is_short: str
) -> str:
    return "\n".join(
        [
            "bind 127.0.0.1",
            f"port {port}",
            f'dir "{directory}"',
            "daemonize no",
            # What is kept survives a restart; at worst one second of it is lost.
            f"appendonly {'yes' if settings.durable else 'no'}",
            "appendfsync everysec",
            'save ""',
            f"maxmemory {memory}",
            f"maxmemory-policy {when_it_is_short}",
            # Rewriting the title would wipe the mark by which `make down` finds its processes.
            "set-proc-title no",
            "",
        ]
    )


def gateway_env(settings: Settings, secrets: Secrets, layout: Layout) -> str:
    """Return what the sandbox of a payment gateway has to know; see `sandbox_gateway.settings`.

    How it behaves can be chosen: `make up GATEWAY_LATENCY_MS=500-2000`.
    """
    behaviour = {name: value for name, value in os.environ.items() if name in GATEWAY_BEHAVIOUR}
    known = {
        "GATEWAY_STATE": str(layout.gateway / "state.sqlite"),
        "GATEWAY_KEY": secrets.gateway_key,
        "GATEWAY_WEBHOOK_URL": webhook_address(settings),
        "GATEWAY_WEBHOOK_SECRET": secrets.payment_webhook_secret,
    }
    return "".join(f"{name}={value}\n" for name, value in {**behaviour, **known}.items())


def webhook_address(settings: Settings) -> str:
    """Return where the gateway reports payments; it does not know a certificate made at home."""
    port = settings.app_port if settings.edge.tls_certificate else settings.http_port
    return f"http://127.0.0.1:{port}/api/payments/webhook/"


def write_all(settings: Settings, secrets: Secrets, layout: Layout, account: Account) -> None:
    """Write every configuration file of a stack, except those inside PostgreSQL's data."""
    for path, text in {
        layout.pgpass: pgpass(secrets),
        layout.conf / "userlist.txt": userlist(secrets),
        layout.conf / "redis.conf": redis_conf(settings, layout),
        layout.conf / "redis-state.conf": redis_state_conf(settings, layout),
        **{
            pgbouncer_path(node, layout): pgbouncer_ini(node, layout.conf / "userlist.txt")
            for node in settings.servers
        },
    }.items():
        write_private(path, text)
        account.own(path, mode=0o600)
    write_private(layout.conf / "gateway.env", gateway_env(settings, secrets, layout))
    _write_haproxy(settings, layout, account)


def haproxy_variables(settings: Settings, layout: Layout) -> str:
    """Return what haproxy.cfg is told: in a file, because a reload keeps the old environment."""
    edge = settings.edge
    values = {
        "HTTP_BIND": f"127.0.0.1:{settings.http_port}",
        "HTTPS_BIND": f"127.0.0.1:{settings.https_port}",
        "HTTPS_SUFFIX": f":{settings.https_port}",
        "STATS_BIND": f"127.0.0.1:{settings.stats_port}",
        **{f"APP{n + 1}": f"127.0.0.1:{settings.app_port + n}" for n in range(APP_SERVERS)},
        "BALANCE": edge.balance,
        "SERVER_MAXCONN": settings.server_maxconn,
        "QUEUE_LIMIT": edge.queue_limit,
        "RATE_LIMIT": edge.rate_limit,
        "CONNECTION_LIMIT": edge.connection_limit,
        "LOG_REQUESTS": edge.log_requests,
        "RUNTIME_SOCKET": layout.haproxy_socket,
    }
    if edge.tls_certificate:
        values["TLS_CERTIFICATE"] = haproxy_certificate_path(layout)
    lines = [f"    setenv {name} '{value}'" for name, value in values.items()]
    return "\n".join(["global", "    unsetenv TLS_CERTIFICATE", *lines, ""])


def _write_haproxy(settings: Settings, layout: Layout, account: Account) -> None:
    # A copy, because HAProxy may run as a user who cannot enter the checkout.
    copied = haproxy_path(layout).parent
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(HAPROXY, copied)
    haproxy_variables_path(layout).write_text(haproxy_variables(settings, layout))
    for path in [copied, *copied.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    if settings.edge.tls_certificate:
        certificate = haproxy_certificate_path(layout)
        write_private(certificate, Path(settings.edge.tls_certificate).read_text())
        account.own(certificate, mode=0o600)


def write_node(
    node: Node, settings: Settings, layout: Layout, account: Account, bindir: Path
) -> None:
    """Write the configuration inside the data directory of a node."""
    data = layout.node_data(node.name)
    names_plugins = software.knows_setting(bindir, "output_plugin_libraries")
    for name, text in {
        "postgresql.conf": postgresql_conf(node, settings, names_plugins=names_plugins),
        "pg_hba.conf": pg_hba_conf(),
    }.items():
        write_private(data / name, text)
        account.own(data / name, mode=0o600)


def pgbouncer_path(node: Node, layout: Layout) -> Path:
    """Return where the pooler's configuration lies."""
    return layout.conf / f"pgbouncer-{node.name}.ini"


def haproxy_path(layout: Layout) -> Path:
    """Return where the copy of haproxy.cfg lies."""
    return layout.conf / "haproxy" / "haproxy.cfg"


def haproxy_variables_path(layout: Layout) -> Path:
    """Return where the values lie that were chosen for haproxy.cfg."""
    return haproxy_path(layout).with_name("variables.cfg")


def haproxy_certificate_path(layout: Layout) -> Path:
    """Return where the copy of the certificate lies that HAProxy may read."""
    return haproxy_path(layout).with_name("tls.pem")


def haproxy_options(layout: Layout) -> tuple[str, ...]:
    """Return how HAProxy is told what to read: what was chosen, then what to do with it."""
    return ("-f", str(haproxy_variables_path(layout)), "-f", str(haproxy_path(layout)))


def _read(name: str, **values: object) -> str:
    return Template((DB / name).read_text()).substitute({k: str(v) for k, v in values.items()})
