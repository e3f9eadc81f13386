"""The `env` file of a stack: what the application needs to know to talk to it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from db.cluster.roles import ADMIN, APP, DATABASE, MONITOR, OWNER
from db.local.layout import Layout
from db.local.secrets_file import Secrets, write_private
from db.local.settings import Settings

HOST = "127.0.0.1"


def variables(settings: Settings, secrets: Secrets, layout: Layout) -> dict[str, str]:
    """Return the environment of the application, in the order in which it is written."""

    def url(role: str, port: int, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{secrets.of(role)}@{HOST}:{port}/{database}"

    first, *_ = settings.nodes
    prometheus = f"http://{HOST}:{settings.prometheus_port}"
    alertmanager = f"http://{HOST}:{settings.alertmanager_port}"
    # The tests kill workers and broker: what was lost with them shall be found within seconds.
    impatient = {} if settings.durable else {"OUTBOX_REDELIVER_SECONDS": "10"}
    return {
        **impatient,
        "SECRET_KEY": secrets.secret_key,
        "PAYMENT_WEBHOOK_SECRET": secrets.payment_webhook_secret,
        "SANDBOX_GATEWAY_URL": f"http://{HOST}:{settings.gateway_port}",
        "SANDBOX_GATEWAY_KEY": secrets.gateway_key,
        "DEBUG": "false",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "PUBLIC_URL": settings.public_url,
        "TLS_IN_FRONT": "true" if settings.edge.tls_certificate else "false",
        "STATS_URL": f"http://{HOST}:{settings.stats_port}",
        "REDIS_URL": f"redis://{HOST}:{settings.redis_port}/0",
        "STATE_REDIS_URL": f"redis://{HOST}:{settings.state_redis_port}/0",
        "BROKER_URL": settings.broker,
        "EMAIL_URL": f"smtp://{HOST}:{settings.smtp_port}",
        "DATABASE_URL": url(APP, first.pool_port),
        "DATABASE_POOLER_PORT_OFFSET": str(first.pool_port - first.pg_port),
        "DATABASE_DIRECT_URL": url(OWNER, first.pg_port),
        "DATABASE_ADMIN_URL": url(ADMIN, first.pg_port, "postgres"),
        "DATABASE_MONITOR_URL": url(MONITOR, first.pg_port),
        "PROMETHEUS_URL": prometheus if settings.monitoring else "",
        "ALERTMANAGER_URL": alertmanager if settings.monitoring else "",
        "SHARDCTL_DSN": url(ADMIN, first.pg_port),
        "SHARDCTL_TEXT_PREFIXES": "email:,username:",
        "RUN_DIR": str(layout.link),
    }


def write(
    settings: Settings, secrets: Secrets, layout: Layout, application: Mapping[str, str]
) -> str:
    """Write the env file and return its text.

    Args:
        application: what was chosen; it wins over what the stack has for the same.
    """
    values = {**variables(settings, secrets, layout), **application}
    lines = [f"{key}={_quoted(value)}" for key, value in values.items()]
    text = "\n".join(lines) + "\n"
    write_private(layout.env, text)
    _give_to_sudo_user(layout)
    return text


def _quoted(value: str) -> str:
    """Return a value as python-dotenv reads it back: as it is, unless it has signs of its own."""
    if not re.search(r"[\s#'\"\\$]", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _give_to_sudo_user(layout: Layout) -> None:
    """After `sudo make up`, manage.py works for the person who typed it as well."""
    uid, gid = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    if os.geteuid() == 0 and uid and gid:
        os.chown(layout.env, int(uid), int(gid))
