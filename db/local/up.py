"""`make up`: from nothing, or from whatever an earlier run left, to a healthy stack.

The order of the phases is the order of need: databases, roles, poolers, schema, app servers,
HAProxy. Each ends with probes that must be content before the next begins.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from db.local import (
    configuration,
    decisions,
    environment,
    monitoring_files,
    ports,
    postgres,
    processes,
    report,
    secrets_file,
    software,
)
from db.local import (
    layout as layouts,
)
from db.local import (
    settings as choices,
)
from db.local.errors import StackError
from db.local.phases import Progress, Stack, start
from db.local.settings import Node, Settings
from db.local.supervisor import Supervisor

# What to do with a shop that is empty.
NEXT = """\
Next: make smoke buys something. For /admin/ and a full shop:
    .venv/bin/python src/manage.py create_staff --username sam --email sam@example.com --role admin
    .venv/bin/python src/manage.py seed --products 2000 --users 500 --orders 5000
make status, make logs, make down and make clean do what they say."""
# The data was made before the extension was installed.
CITUS_IS_HERE = "Citus is installed here: `make clean` and `make up` make a cluster, of new data."


def up(
    environ: Mapping[str, str],
    *,
    stack: str,
    application: Mapping[str, str] | None = None,
    renew: bool = False,
) -> Stack:
    """Start a stack, or bring a running one up to date; return it healthy and migrated.

    Args:
        application: settings of the application that were chosen for this stack.
        renew: restart what runs our code even when nothing has changed (`make deploy-local`).
    """
    progress = Progress()
    layout = layouts.find(stack)
    before = choices.load(layout.settings)
    settings, bindir = decisions.decide(environ, stack=stack, before=before)
    supervisor = Supervisor(layout)
    running = supervisor.is_running()
    if renew and not running:
        raise StackError(f"Stack {stack} does not run: `make up` starts it.")
    if not running:
        ended = processes.end_left_behind(layout.base)
        if ended:
            progress.say(f"Ended {ended} processes that a killed supervisord had left behind")
    given_up = decisions.check_shrinking(before, settings, layout) if before else ()
    ports.check(settings, ours=decisions.our_ports(before, supervisor) if running else ())
    layout, account = layouts.prepare(stack)
    supervisor = Supervisor(layout)
    settings.save(layout.settings)
    secrets = secrets_file.load_or_make(layout.secrets)
    if chosen_secret := (application or {}).get("PAYMENT_WEBHOOK_SECRET"):
        # The sandbox signs with what the application believes.
        secrets = dataclasses.replace(secrets, payment_webhook_secret=chosen_secret)
    built = Stack(
        settings=settings,
        secrets=secrets,
        layout=layout,
        account=account,
        bindir=bindir,
        supervisor=supervisor,
    )
    say_kind(settings, citus_is_here=environ.get("CITUS") != "off" and software.has_citus())
    make_data(built, application or {}, progress)
    start(built, progress, running=running, renew=renew)
    for node in given_up:
        # The cluster has let go of it: nothing in there is anybody's any more, and a node that
        # joins later under this name must begin empty.
        shutil.rmtree(layout.node_data(node.name), ignore_errors=True)
    return built


def say_kind(settings: Settings, *, citus_is_here: bool = False) -> None:
    """Say in one line what is going to run.

    Args:
        citus_is_here: the extension is installed, whether this stack has it or not.
    """
    if settings.citus:
        spares = [f"127.0.0.1:{node.pg_port}" for node in settings.servers[len(settings.nodes) :]]
        print(
            f"Stack {settings.stack}: PostgreSQL {settings.pg_major} with Citus,"
            f" a coordinator and {settings.workers} worker{'s' if settings.workers > 1 else ''}"
            + (f"; to join with `shardctl add-node`: {', '.join(spares)}." if spares else "."),
            flush=True,
        )
    else:
        print(
            f"Stack {settings.stack}: without the Citus extension, one PostgreSQL"
            f" {settings.pg_major} holds everything; only sharding itself is missing."
            + (f" {CITUS_IS_HERE}" if citus_is_here else ""),
            flush=True,
        )


def make_data(stack: Stack, application: Mapping[str, str], progress: Progress) -> None:
    """Create the data directories that are missing and write all configuration."""

    def make(node: Node) -> bool:
        return postgres.initialise(
            node,
            stack.settings,
            stack.secrets,
            layout=stack.layout,
            account=stack.account,
            bindir=stack.bindir,
        )

    for node in stack.settings.servers:
        postgres.remove_stale_lock(stack.layout.node_data(node.name))
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        made = sum(pool.map(make, stack.settings.servers))
    if made:
        progress.say(f"Data directories made: {made}")
    configuration.write_all(stack.settings, stack.secrets, stack.layout, stack.account)
    for node in stack.settings.servers:
        configuration.write_node(node, stack.settings, stack.layout, stack.account, stack.bindir)
    if stack.settings.monitoring:
        monitoring_files.write_all(stack.settings, stack.secrets, stack.layout, stack.account)
    environment.write(stack.settings, stack.secrets, stack.layout, application)


def print_summary(stack: Stack) -> None:
    """Print the nodes and the addresses."""
    print()
    print(report.node_table(report.node_rows(stack.settings, stack.secrets)))
    print()
    print(report.urls(stack.settings), flush=True)
    if shutil.which("make") and stack.settings.stack == "local":
        print(f"\n{NEXT}")
