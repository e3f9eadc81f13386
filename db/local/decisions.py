"""What `make up` decides before it touches anything; a refusal here leaves everything as it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psycopg2

from db.local import bootstrap, secrets_file, software
from db.local import settings as choices
from db.local.errors import StackError
from db.local.layout import Layout
from db.local.settings import Node, Settings
from db.local.supervisor import Supervisor


def decide(
    environ: Mapping[str, str], *, stack: str, before: Settings | None
) -> tuple[Settings, Path]:
    """Return the settings to use and where PostgreSQL's programs are."""
    wish = environ.get("CITUS") or "auto"
    if before and wish == "auto":
        wish = "on" if before.citus else "off"
    version, citus = software.choose(
        software.installed(), citus=wish, data_major=before.pg_major if before else None
    )
    if before and citus != before.citus:
        made, now = ("with", "without") if before.citus else ("without", "with")
        raise StackError(
            f"The data of stack {stack} was made {made} Citus and cannot be used {now} it:"
            " `make clean` removes it, then start anew."
        )
    chosen = choices.choose(
        environ,
        stack=stack,
        citus=citus,
        pg_major=version.major,
        before=before,
        monitoring=software.has_monitoring(choices.monitoring_wish(environ, before)),
    )
    return chosen, version.bindir


def check_shrinking(before: Settings, settings: Settings, layout: Layout) -> tuple[Node, ...]:
    """Return the nodes to give up; StackError unless the cluster has let go of each of them.

    A node may hold the only copy of some shards: stopping it would lose them.
    """
    gone = before.servers[len(settings.servers) :]
    if not gone:
        return ()
    names = ", ".join(node.name for node in gone)
    wish = f"WORKERS={settings.workers} SPARES={settings.spares}"
    refusal = f"{wish} would stop {names} and lose the shards there:"
    try:
        secrets = secrets_file.load_or_make(layout.secrets)
        with bootstrap.connect(before.nodes[0], secrets) as coordinator:
            registered = bootstrap.registered_ports(coordinator)
    except psycopg2.OperationalError:
        raise StackError(
            f"{refusal} `make up WORKERS={before.workers} SPARES={before.spares}` first,"
            " then drain and remove them."
        ) from None
    if any(node.pg_port in registered for node in gone):
        raise StackError(
            f"{refusal} drain and remove those nodes first (shardctl drain, shardctl remove-node)."
        )
    return gone


def our_ports(before: Settings | None, supervisor: Supervisor) -> set[int]:
    """Return the ports on which programs of the running stack listen."""
    states = supervisor.states()
    alive = {
        name for name, state in states.items() if state.state in {"STARTING", "RUNNING", "STOPPING"}
    }
    return {port.number for port in before.ports() if port.program in alive} if before else set()
