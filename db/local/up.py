"""`make up`: from nothing, or from whatever an earlier run left, to a healthy stack.

The order of the phases is the order of need: databases, roles, poolers, schema, app servers,
HAProxy. Each ends with probes that must be content before the next begins.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from db.local import (
    bootstrap,
    configuration,
    decisions,
    environment,
    health,
    ports,
    postgres,
    processes,
    programs,
    report,
    secrets_file,
)
from db.local import (
    layout as layouts,
)
from db.local import (
    settings as choices,
)
from db.local.account import Account
from db.local.errors import StackError, last_lines
from db.local.health import Probe
from db.local.layout import Layout
from db.local.secrets_file import Secrets
from db.local.settings import Node, Settings
from db.local.supervisor import Supervisor
from db.local.supervisor import configuration as supervisord_conf


class Progress:
    """Lines that say what was reached, and after how long."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """Print one line at once, also into a pipe."""
        print(f"[{time.monotonic() - self._started:5.1f} s] {text}", flush=True)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack whose configuration is decided."""

    settings: Settings
    secrets: Secrets
    layout: Layout
    account: Account
    bindir: Path
    supervisor: Supervisor


def up(environ: Mapping[str, str], *, stack: str) -> Stack:
    """Start a stack, or bring a running one up to date; return it healthy and migrated."""
    progress = Progress()
    layout = layouts.find(stack)
    before = choices.load(layout.settings)
    settings, bindir = decisions.decide(environ, stack=stack, before=before)
    supervisor = Supervisor(layout)
    running = supervisor.is_running()
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
    built = Stack(
        settings=settings,
        secrets=secrets,
        layout=layout,
        account=account,
        bindir=bindir,
        supervisor=supervisor,
    )
    say_kind(settings)
    make_data(built, progress)
    start(built, progress, running=running)
    for node in given_up:
        # The cluster has let go of it: nothing in there is anybody's any more, and a node that
        # joins later under this name must begin empty.
        shutil.rmtree(layout.node_data(node.name), ignore_errors=True)
    return built


def say_kind(settings: Settings) -> None:
    """Say in one line what is going to run."""
    if settings.citus:
        workers = len(settings.nodes) - 1
        print(
            f"Stack {settings.stack}: PostgreSQL {settings.pg_major} with Citus,"
            f" a coordinator and {workers} worker{'s' if workers > 1 else ''}.",
            flush=True,
        )
    else:
        print(
            f"Stack {settings.stack}: without the Citus extension, one PostgreSQL"
            f" {settings.pg_major} holds everything; only sharding itself is missing.",
            flush=True,
        )


def make_data(stack: Stack, progress: Progress) -> None:
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

    for node in stack.settings.nodes:
        postgres.remove_stale_lock(stack.layout.node_data(node.name))
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        made = sum(pool.map(make, stack.settings.nodes))
    if made:
        progress.say(f"Data directories made: {made}")
    configuration.write_all(stack.settings, stack.secrets, stack.layout, stack.account)
    for node in stack.settings.nodes:
        configuration.write_node(node, stack.settings, stack.layout, stack.account)
    environment.write(stack.settings, stack.secrets, stack.layout)


def start(stack: Stack, progress: Progress, *, running: bool) -> None:
    """Start the programs phase by phase."""
    settings, secrets = stack.settings, stack.secrets
    everything = programs.all_programs(settings, stack.layout, stack.bindir)
    conf = supervisord_conf(everything, stack.layout, stack.account)
    secrets_file.write_private(stack.layout.conf / "supervisord.conf", conf)
    if not running:
        stack.supervisor.start()
    added, changed, removed = stack.supervisor.reread()
    for name in removed:
        stack.supervisor.remove(name)

    def launch(probes: Sequence[Probe], what: str) -> None:
        for probe in probes:
            if probe.program in changed:
                stack.supervisor.remove(probe.program)
            if probe.program in added | changed:
                stack.supervisor.add(probe.program)
            stack.supervisor.start_program(probe.program)
        health.wait(probes, stack.supervisor, stack.layout)
        progress.say(what)

    nodes = settings.nodes
    launch(
        [*(health.postgres(node, secrets) for node in nodes), health.redis(settings)],
        f"PostgreSQL and Redis answer ({len(nodes)} + 1)",
    )
    bootstrap.run(settings, secrets)
    progress.say(
        "Database, roles and nodes are set up"
        if settings.citus
        else "Database and roles are set up"
    )
    launch(
        [health.pgbouncer(node, secrets) for node in nodes], "PgBouncer answers in front of each"
    )
    migrate(stack, progress)
    launch([health.mail_catcher(settings)], "The mail catcher takes mail")
    launch([health.gateway(settings)], "The payment gateway answers")
    # One after the other: while one restarts with new code the other serves.
    for probe in health.app_servers(settings):
        launch([probe], f"{probe.program} is ready")
    launch(
        [*health.workers(settings), health.beat(stack.layout)],
        "The workers take tasks, and beat starts them",
    )
    launch([health.haproxy(settings)], "HAProxy reaches the app servers")


def migrate(stack: Stack, progress: Progress) -> None:
    """Bring the schema up to date with manage.py."""
    log = stack.layout.log_of("migrate")
    with log.open("w") as output:
        done = subprocess.run(
            [sys.executable, "src/manage.py", "migrate", "--noinput"],
            cwd=stack.layout.checkout,
            env=clean_environment() | {"SHARDMART_ENV_FILE": str(stack.layout.env)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise StackError(
            f"The migrations failed; the log is {log}, which ends with:\n{last_lines(log, 15)}"
        )
    progress.say("The schema is up to date")


def clean_environment() -> dict[str, str]:
    """Return our environment without what would lead the application to another stack."""
    file_keys = {"SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "PUBLIC_URL", "REDIS_URL", "RUN_DIR"}
    file_keys |= {"BROKER_URL", "EMAIL_URL"}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in file_keys and not name.startswith("DATABASE_")
    }


def print_summary(stack: Stack) -> None:
    """Print the nodes and the addresses."""
    print()
    print(report.node_table(report.node_rows(stack.settings, stack.secrets)))
    print()
    print(report.urls(stack.settings), flush=True)
    if shutil.which("make") and stack.settings.stack == "local":
        print(
            "\nmake smoke buys something; make status, make logs, make down and make clean"
            " do what they say."
        )
