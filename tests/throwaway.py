"""A Citus cluster for one test or benchmark, from nothing to nothing in seconds.

    with throwaway.cluster(workers=2, spare=1) as made:
        made.dsn                       # the coordinator, as superuser
        made.sql("SELECT 1")
        made.worker(1).kill()          # kill -9; .stop() .start() .freeze() .thaw()
        made.add(made.spare(1))        # citus_add_node

Data lies in a temporary directory, nothing is flushed to disk, and the servers end with the
process that started them, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from db.local import software
from db.local.account import service_account
from tests.throwaway_server import DATABASE, HOST, USER, Server

__all__ = ["DATABASE", "HOST", "USER", "Server", "Throwaway", "cluster"]

NO_CITUS = "Citus is not installed: NOTHING ABOUT SHARDING HAS BEEN SHOWN"
SETTINGS = {
    "listen_addresses": f"'{HOST}'",
    "unix_socket_directories": "''",
    "shared_preload_libraries": "'citus'",
    "wal_level": "logical",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "'16MB'",
    "max_connections": "80",
    "max_prepared_transactions": "80",
    "max_wal_size": "'256MB'",
    "max_wal_senders": "12",
    "max_replication_slots": "12",
    "max_logical_replication_workers": "10",
    "max_sync_workers_per_subscription": "2",
    "max_worker_processes": "24",
    # Otherwise each move waits up to five seconds for the launch of its apply worker.
    "wal_retrieve_retry_interval": "'200ms'",
    "citus.shard_count": "8",
    # Otherwise CREATE EXTENSION makes a certificate, and each connection a handshake.
    "citus.node_conninfo": "'sslmode=disable'",
    "citus.node_connection_timeout": "'3s'",
    "citus.max_background_task_executors_per_node": "1",
    "citus.background_task_queue_interval": "'1s'",
}

# Like the shop's: users and what is theirs, products and what is theirs, names, a catalog.
SCHEMA = """
SET citus.multi_shard_modify_mode TO 'sequential';
CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL);
SELECT create_reference_table('products');
CREATE TABLE users (id uuid PRIMARY KEY, name text NOT NULL);
SELECT create_distributed_table('users', 'id', colocate_with => 'none');
CREATE TABLE orders (
    user_id uuid NOT NULL REFERENCES users (id), id bigint NOT NULL, total numeric(10, 2) NOT NULL,
    note text NOT NULL, PRIMARY KEY (user_id, id));
SELECT create_distributed_table('orders', 'user_id', colocate_with => 'users');
CREATE TABLE stock (product_id bigint PRIMARY KEY, available integer NOT NULL);
SELECT create_distributed_table('stock', 'product_id', colocate_with => 'none');
CREATE TABLE identities (value text PRIMARY KEY, user_id uuid NOT NULL);
SELECT create_distributed_table('identities', 'value', colocate_with => 'none');
"""
ROWS = """
INSERT INTO products SELECT n, 'Product ' || n FROM generate_series(1, 50) n;
INSERT INTO users SELECT md5('user ' || n)::uuid, 'User ' || n FROM generate_series(1, {users}) n;
INSERT INTO orders
SELECT md5('user ' || n)::uuid, o, n + o / 100.0, repeat('x', {note})
  FROM generate_series(1, {users}) n, generate_series(1, {orders}) o;
INSERT INTO stock SELECT n, 100 FROM generate_series(1, 50) n;
INSERT INTO identities
SELECT 'email:user' || n || '@example.com', md5('user ' || n)::uuid
  FROM generate_series(1, {users}) n;
"""


@dataclass(kw_only=True)
class Throwaway:
    """The cluster: coordinator, workers that are in it, spare nodes that are not yet."""

    coordinator: Server
    workers: list[Server]
    spares: list[Server] = field(default_factory=list)

    @property
    def dsn(self) -> str:
        """The coordinator, as superuser."""
        return self.coordinator.dsn

    @property
    def servers(self) -> list[Server]:
        return [self.coordinator, *self.workers, *self.spares]

    def worker(self, number: int) -> Server:
        """Worker 1, 2 …"""
        return self.workers[number - 1]

    def spare(self, number: int = 1) -> Server:
        """Spare node 1, 2 …, which Citus does not know yet."""
        return self.spares[number - 1]

    def sql(self, statement: str, parameters: list[object] | None = None) -> list[Any]:
        """Run SQL on the coordinator and return the rows."""
        return self.coordinator.sql(statement, parameters)

    def value(self, statement: str, parameters: list[object] | None = None) -> Any:
        """Return the first column of the first row."""
        return self.coordinator.value(statement, parameters)

    def add(self, server: Server) -> None:
        """Make a node part of the cluster."""
        self.sql("SELECT citus_add_node(%s, %s)", [HOST, server.port])

    def fill(self, *, users: int = 200, orders: int = 5, note: int = 50) -> None:
        """Put rows into the tables of `SCHEMA`; `note` is the width of an order in bytes."""
        self.sql(ROWS.format(users=users, orders=orders, note=note))


@contextlib.contextmanager
def cluster(
    *,
    workers: int = 2,
    spare: int = 0,
    schema: bool = True,
    rows: bool = True,
    settings: dict[str, str] | None = None,
) -> Iterator[Throwaway]:
    """Make a cluster and remove it afterwards; skips the test where Citus is not installed.

    Args:
        workers: nodes that hold shards; the coordinator holds none.
        spare: further nodes that run, but are not in the cluster.
        schema: create the tables of `SCHEMA`.
        rows: put some rows into them.
        settings: postgresql.conf of every node, beside or instead of `SETTINGS`.
    """
    bindir = with_citus().bindir
    account = service_account(Path("/nonexistent"))
    base = Path(tempfile.mkdtemp(prefix="throwaway-"))
    account.own(base, mode=0o755)
    names = ["coordinator", *(f"worker{n}" for n in range(1, workers + 1))]
    names += [f"spare{n}" for n in range(1, spare + 1)]
    servers = [
        Server(
            name=name,
            data=base / name,
            port=port,
            bindir=bindir,
            account=account,
            settings=SETTINGS | _plugins(bindir) | (settings or {}),
        )
        for name, port in zip(names, _free_ports(len(names)), strict=True)
    ]
    made = Throwaway(
        coordinator=servers[0], workers=servers[1 : workers + 1], spares=servers[workers + 1 :]
    )
    try:
        _initialise(servers)
        _join(made)
        if schema:
            made.sql(SCHEMA)
            if rows:
                made.fill()
        yield made
    finally:
        for server in made.servers:
            server.kill()
        shutil.rmtree(base, ignore_errors=True)


def with_citus() -> software.PostgreSQL:
    """Return the newest PostgreSQL that has Citus; skips the test where there is none."""
    installed = [version for version in software.installed() if version.has_citus]
    if not installed:
        pytest.skip(NO_CITUS)
    return installed[-1]


def _plugins(bindir: Path) -> dict[str, str]:
    """A split decodes with Citus's plugin; newer minor versions want to be told so."""
    name = "output_plugin_libraries"
    return {name: "'pgoutput, citus'"} if software.knows_setting(bindir, name) else {}


def _initialise(servers: list[Server]) -> None:
    """Run initdb once, copy it for the other nodes, start them all."""
    first = servers[0]
    answer = first.account.run(
        first.bindir / "initdb", "-D", first.data, "-U", USER, "-A", "trust",
        "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8",
    )  # fmt: skip
    if answer.returncode:
        raise RuntimeError(answer.stderr)
    with (first.data / "postgresql.conf").open("a") as conf:
        conf.write("include 'throwaway.conf'\n")
    for other in servers[1:]:
        first.account.run("cp", "-a", first.data, other.data)
    # One after another, in this thread: the servers die with the thread that started them.
    for server in servers:
        server.launch()
    _at_once(servers, _prepare)


def _prepare(server: Server) -> None:
    server.wait()
    server.sql("CREATE EXTENSION citus")


def _join(made: Throwaway) -> None:
    made.sql("SELECT citus_set_coordinator_host(%s, %s)", [HOST, made.coordinator.port])
    for worker in made.workers:
        made.add(worker)
    made.sql(
        "SELECT citus_set_node_property(%s, %s, 'shouldhaveshards', false)",
        [HOST, made.coordinator.port],
    )


def _at_once(servers: list[Server], work: Callable[[Server], None]) -> None:
    with ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(work, servers))


def _free_ports(count: int) -> list[int]:
    """Below 32768, where no outgoing connection of this machine takes them meanwhile."""
    start = 14100 + os.getpid() % 400 * 8
    found: list[int] = []
    for port in (*range(start, 30000), *range(14100, start)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((HOST, port))
                found.append(port)
        if len(found) == count:
            break
    return found
