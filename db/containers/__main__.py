"""`python -m db.containers`: the jobs that make containers of PostgreSQL one cluster.

    settings  refuses an .env that names what docker-compose.yml does not read
    prepare   database, roles and membership of all nodes that run; once, and safe to repeat
    watch     the same for each worker that appears, and Prometheus's targets, until it is ended

A cluster that has tables grows by `shardctl add-node` alone, which is what `watch` calls: a new
node has the reference tables before it may hold shards, and nobody's writes wait for that.

A worker that goes away is not removed: it may come back, and it holds shards. `shardctl drain` and
`shardctl remove-node` let go of one.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psycopg2

from db.cluster import setup
from db.cluster.roles import ADMIN, DATABASE
from db.cluster.servers import Server, connect
from db.containers import discovery
from db.containers.passwords import FromEnvironment
from db.containers.watching import NotYet, Watch
from db.remote.host import env_file

PAUSE = 2.0  # seconds between two looks
PATIENCE = 120.0  # seconds that the nodes may take to start
COMPOSE_FILE = Path(__file__).resolve().parents[2] / "docker-compose.yml"
# What a container has in its environment before .env.
CONTAINERS_OWN = re.compile(
    r"PATH|HOME|HOSTNAME|PWD|OLDPWD|SHLVL|_|TERM|LANG|LC_\w+|GPG_KEY|PYTHON\w*|container"
    r"|(https?|ftp|all|no)_proxy",
    re.IGNORECASE,
)
# `prepare` and `watch` may meet, when a stack is started again and scaled at once.
LOCK = "SELECT pg_advisory_lock(hashtext('db.containers'))"


def main() -> int:
    """Run one of the jobs; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m db.containers", description=__doc__)
    parser.add_argument("job", choices=("settings", "prepare", "watch"))
    job = parser.parse_args().job
    if job == "settings":
        return settings()
    passwords = FromEnvironment()
    return prepare(passwords, _wanted()) if job == "prepare" else watch(passwords)


def settings() -> int:
    """Look at the names of .env, which compose puts into this process's environment."""
    names = [name for name in os.environ if not CONTAINERS_OWN.fullmatch(name)]
    complaint = env_file.check_names(names, env_file.known(COMPOSE_FILE.read_text()))
    if complaint:
        print(f".env: {complaint}", file=sys.stderr)
    return 2 if complaint else 0


def prepare(passwords: FromEnvironment, wanted: int) -> int:
    """Wait for the coordinator and the workers that were asked for, and set them up."""
    deadline = time.monotonic() + PATIENCE
    while True:
        workers = discovery.workers(_worker_service())
        try:
            if len(workers) < wanted:
                raise psycopg2.OperationalError(f"{len(workers)} of {wanted} workers run")
            settle(list(workers), passwords)
        except psycopg2.OperationalError as error:
            if time.monotonic() > deadline:
                print(f"The cluster could not be set up: {error}", file=sys.stderr)
                return 1
            time.sleep(PAUSE)
        else:
            return 0


def watch(passwords: FromEnvironment) -> int:
    """Look after the workers until told to end."""
    looking = Watch(
        directory=Path(os.environ.get("STATE", "/state")),
        running=lambda: discovery.workers(_worker_service()),
        members=lambda: members(passwords),
        settle=lambda workers: settle(workers, passwords),
        add=lambda worker: add(worker, passwords),
    )
    while True:
        looking.look()
        time.sleep(PAUSE)


def settle(workers: list[Server], passwords: FromEnvironment) -> None:
    """Set up the coordinator and these workers: the first of all are members from then on."""
    coordinator = _coordinator()
    with connect(coordinator, passwords, "postgres", name="db.containers") as cursor:
        cursor.execute(LOCK)
        known = members(passwords) if setup.has_citus(coordinator, passwords) else set()
        first = not known - {coordinator}
        joining = [worker for worker in workers if first or worker in known]
        others = [worker for worker in workers if worker not in joining]
        servers = [coordinator, *joining, *others]
        setup.prepare(servers, 1 + len(joining), passwords, citus=True)
    print(f"The cluster: {', '.join(map(str, (coordinator, *joining)))}", flush=True)


def add(worker: Server, passwords: FromEnvironment) -> None:
    """Let a worker join that is set up, with a copy of every reference table.

    Raises:
        NotYet: shardctl says why; nothing was changed.
    """
    dsn = f"postgresql://{ADMIN}:{passwords.of(ADMIN)}@{_coordinator()}/{DATABASE}"
    done = subprocess.run(
        [sys.executable, "-m", "sharding", "--yes", "add-node", str(worker)],
        env={**os.environ, "SHARDCTL_DSN": dsn},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotYet(done.stderr.strip() or done.stdout.strip())
    print(f"{worker} has joined, without shards; `shardctl rebalance` moves some", flush=True)


def members(passwords: FromEnvironment) -> set[Server]:
    """Return the nodes of pg_dist_node."""
    with connect(_coordinator(), passwords, name="db.containers") as cursor:
        return setup.registered(cursor)


def _coordinator() -> Server:
    return discovery.coordinator(os.environ.get("COORDINATOR", "coordinator"))


def _worker_service() -> str:
    return os.environ.get("WORKER_SERVICE", "worker")


def _wanted() -> int:
    given = os.environ.get("WORKERS", "2")
    if not given.isdigit() or int(given) < 1:
        raise SystemExit(f"WORKERS is {given!r}; it must be a number from 1 on.")
    return int(given)


if __name__ == "__main__":
    sys.exit(main())
