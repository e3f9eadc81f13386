"""`python -m db.containers`: the jobs that make containers of PostgreSQL one cluster.

    prepare   database, roles and membership of all nodes that run; once, and safe to repeat
    watch     the same for each worker that appears, for as long as it runs

A worker that goes away is not removed: it may come back, and it holds shards. `shardctl drain` and
`shardctl remove-node` let go of one.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import psycopg2

from db.cluster import setup
from db.cluster.servers import Server, connect
from db.containers import discovery
from db.containers.passwords import FromEnvironment

PAUSE = 2.0  # seconds between two looks
PATIENCE = 120.0  # seconds that the nodes may take to start
# Its age shows the health check that the watch is alive.
HEARTBEAT = Path("/tmp/watch")  # noqa: S108 - the container's own


def main() -> int:
    """Run one of the jobs; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m db.containers", description=__doc__)
    parser.add_argument("job", choices=("prepare", "watch"))
    job = parser.parse_args().job
    passwords = FromEnvironment()
    return prepare(passwords) if job == "prepare" else watch(passwords)


def prepare(passwords: FromEnvironment) -> int:
    """Wait for the coordinator and the workers that were asked for, and set them up."""
    wanted = int(os.environ.get("WORKERS", "2"))
    deadline = time.monotonic() + PATIENCE
    while True:
        workers = discovery.workers(_worker_service())
        try:
            if len(workers) < wanted:
                raise psycopg2.OperationalError(f"{len(workers)} of {wanted} workers run")
            settle(workers, passwords)
        except psycopg2.OperationalError as error:
            if time.monotonic() > deadline:
                print(f"The cluster could not be set up: {error}", file=sys.stderr)
                return 1
            time.sleep(PAUSE)
        else:
            return 0


def watch(passwords: FromEnvironment) -> int:
    """Let each worker join that appears; end when told to."""
    known: set[Server] = set()
    while True:
        found = discovery.workers(_worker_service())
        if set(found) - known:
            try:
                settle(found, passwords)
                known = set(found)
            except psycopg2.Error as error:  # not ready yet, or gone again: the next look tells
                print(f"not yet: {str(error).strip()}", flush=True)
        HEARTBEAT.touch()
        time.sleep(PAUSE)


def settle(workers: list[Server], passwords: FromEnvironment) -> None:
    """Set up the coordinator and these workers; say who joined."""
    servers = [discovery.coordinator(os.environ.get("COORDINATOR", "coordinator")), *workers]
    with connect(servers[0], passwords, "postgres", name="db.containers"):
        pass
    joined = setup.prepare(servers, len(servers), passwords, citus=True)
    print(f"The cluster: {', '.join(map(str, servers))}", flush=True)
    for server in joined:
        print(f"{server} has joined, without shards; `shardctl rebalance` moves some", flush=True)


def _worker_service() -> str:
    return os.environ.get("WORKER_SERVICE", "worker")


if __name__ == "__main__":
    sys.exit(main())
