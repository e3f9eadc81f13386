"""The phases in which a stack starts, or is brought up to date: in the order of need.

Databases, roles, poolers, schema, app servers, workers, HAProxy, and who watches them. Each ends
with probes that must be content before the next begins.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from db.local import (
    bootstrap,
    haproxy,
    health,
    monitoring,
    programs,
    rolling,
    secrets_file,
)
from db.local.account import Account
from db.local.errors import StackError, last_lines
from db.local.health import Probe
from db.local.layout import Layout
from db.local.programs import Program
from db.local.secrets_file import Secrets
from db.local.settings import Settings
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


class Launcher:
    """Starts programs, those whose configuration changed anew, and waits until they are well."""

    def __init__(self, stack: Stack, everything: Sequence[Program], *, running: bool) -> None:
        """Tell supervisord what there is; what is no more is stopped."""
        self._stack = stack
        conf = supervisord_conf(everything, stack.layout, stack.account)
        secrets_file.write_private(stack.layout.conf / "supervisord.conf", conf)
        if not running:
            stack.supervisor.start()
        added, self.changed, removed = stack.supervisor.reread()
        self._new = added | self.changed
        for name in removed:
            stack.supervisor.remove(name)
        states = stack.supervisor.states()
        self.running = {name for name, state in states.items() if state.state == "RUNNING"}

    def know(self, program: str) -> None:
        """Make supervisord know a program as it is configured now."""
        if program in self.changed:
            self._stack.supervisor.remove(program)
        if program in self._new:
            self._stack.supervisor.add(program)

    def launch(self, probes: Sequence[Probe]) -> None:
        """Start the programs of the probes, and wait until these are content."""
        for probe in probes:
            self.know(probe.program)
            self._stack.supervisor.start_program(probe.program)
        health.wait(probes, self._stack.supervisor, self._stack.layout)


def start(stack: Stack, progress: Progress, *, running: bool, renew: bool = False) -> None:
    """Start the programs phase by phase; `renew` restarts what runs our code in any case."""
    settings, secrets = stack.settings, stack.secrets
    watchers = monitoring.all_programs(settings, stack.layout)
    everything = [*programs.all_programs(settings, stack.layout, stack.bindir), *watchers]
    launcher = Launcher(stack, everything, running=running)
    if renew:
        rolling.refuse_interruption(launcher.changed)

    def launch(probes: Sequence[Probe], what: str) -> None:
        launcher.launch(probes)
        progress.say(what)

    nodes = settings.servers
    launch(
        [*(health.postgres(node, secrets) for node in nodes), *health.redis(settings)],
        f"PostgreSQL and Redis answer ({len(nodes)} + 1)",
    )
    _set_up_nodes(stack, progress)
    launch(
        [health.pgbouncer(node, secrets) for node in nodes], "PgBouncer answers in front of each"
    )
    migrate(stack, progress)
    launch([health.mail_catcher(settings)], "The mail catcher takes mail")
    launch([health.gateway(settings)], "The payment gateway answers")
    _serve(stack, launcher, progress, renew=renew)
    if settings.durable:
        launch(monitoring.probes(settings), _watched_by(watchers, settings))
    else:
        # The tests that need them start them.
        for program in watchers:
            launcher.know(program.name)


def _serve(stack: Stack, launcher: Launcher, progress: Progress, *, renew: bool) -> None:
    """Start what answers and works; what runs with old code is restarted in turn."""
    apps = health.app_servers(stack.settings)
    workers = [*health.workers(stack.settings), health.beat(stack.layout)]
    names = {probe.program for probe in (*apps, *workers)}
    stale = launcher.running & (names if renew else launcher.changed)
    round_ = rolling.Rolling(
        supervisor=stack.supervisor, layout=stack.layout, know=launcher.know, say=progress.say
    )
    for probe in apps:
        if probe.program not in stale:
            launcher.launch([probe])
            progress.say(f"{probe.program} is ready")
    round_.app_servers([probe for probe in apps if probe.program in stale])
    round_.workers([probe for probe in workers if probe.program in stale])
    launcher.launch([probe for probe in workers if probe.program not in stale])
    progress.say("The workers take tasks, and beat starts them")
    _start_haproxy(stack, launcher, progress)


def _start_haproxy(stack: Stack, launcher: Launcher, progress: Progress) -> None:
    known = "haproxy" in launcher.running and "haproxy" not in launcher.changed
    if known and haproxy.answers(stack.layout) and haproxy.is_outdated(stack.layout):
        haproxy.reload(stack.layout, stack.supervisor.states()["haproxy"].pid)
        progress.say("HAProxy has its new configuration, and no connection was closed for it")
    launcher.launch([health.haproxy(stack.settings)])
    haproxy.note_loaded(stack.layout)
    progress.say("HAProxy reaches the app servers")


def _watched_by(watchers: Sequence[Program], settings: Settings) -> str:
    if watchers:
        return f"Prometheus watches, with {len(watchers) - 1} programs that tell it"
    return (
        "Nothing watches: the Debian packages of the monitoring are not installed"
        if settings.monitoring_wish == "auto"
        else "Nothing watches: MONITORING=off"
    )


def _set_up_nodes(stack: Stack, progress: Progress) -> None:
    joined = bootstrap.run(stack.settings, stack.secrets)
    progress.say(
        "Database, roles and nodes are set up"
        if stack.settings.citus
        else "Database and roles are set up"
    )
    if joined:
        names = ", ".join(node.name for node in joined)
        progress.say(f"New, and still without shards: {names}. `shardctl rebalance` moves some")


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
    file_keys |= {"BROKER_URL", "EMAIL_URL", "TLS_IN_FRONT"}
    file_keys |= {"PROMETHEUS_URL", "ALERTMANAGER_URL"}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in file_keys and not name.startswith("DATABASE_")
    }
