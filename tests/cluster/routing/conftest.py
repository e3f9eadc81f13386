"""Routing turned on, over connections that really commit; and poolers that can fail."""

import contextlib
import inspect
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

from db.local.account import service_account
from sharding import shard_map
from sharding.django import routing
from sharding.ids import new_id
from sharding.shard_map import Node, Shard
from tests.native import native

HOST = "127.0.0.1"
UserOn = Callable[[Node], UUID]


# What the tests of this directory write, children first. Quicker than to flush all tables.
WRITTEN = (
    "inventory_stockmovement",
    "inventory_stock",
    "catalog_product",
    "catalog_category",
    "carts_shoppingcart",
    "accounts_refreshtoken",
    "accounts_user",
    "accounts_identity",
    "accounts_mark",
)


@pytest.fixture(autouse=True)
def routed(
    monkeypatch: pytest.MonkeyPatch, transactional_db: None, settings: Any
) -> Iterator[None]:
    monkeypatch.setattr(TransactionTestCase, "_fixture_teardown", _remove_rows)
    # Django's test cases allow connections to aliases that they were told of beforehand; nobody
    # can be told of these.
    guarded = BaseDatabaseWrapper.ensure_connection
    real = inspect.getclosurevars(guarded).nonlocals["real_ensure_connection"]
    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", real)
    settings.SHARD_ROUTING = True
    routing.reset()
    yield
    routing.reset()


def _remove_rows(case: object) -> None:
    with connections["default"].cursor() as cursor:
        for table in WRITTEN:
            cursor.execute(f"DELETE FROM {table}")


def the_map() -> shard_map.ShardMap:
    """The map as it is now, not as the process has cached it."""
    with connections["default"].cursor() as cursor:
        return shard_map.load(cursor)


def shard_of(user_id: UUID) -> Shard:
    return the_map().find("accounts_user", user_id)


@pytest.fixture
def nodes() -> tuple[Node, ...]:
    """The workers that hold users."""
    found = the_map().nodes
    assert len(found) > 1
    return found


@pytest.fixture
def user_on() -> UserOn:
    """Make an id whose shard is on this node."""
    found = the_map()

    def make(node: Node) -> UUID:
        while True:
            user_id = new_id()
            if found.find("accounts_user", user_id).node.group_id == node.group_id:
                return user_id

    return make


@contextmanager
def statements() -> Iterator[list[tuple[str, str]]]:
    """Collect (alias, SQL) of all that this thread sends, over whichever connection."""
    sent: list[tuple[str, str]] = []

    def record(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append((context["connection"].alias, sql))
        return execute(sql, params, many, context)

    with watched(record):
        yield sent


@contextmanager
def watched(wrapper: Any) -> Iterator[None]:
    """Install an execute wrapper on this thread's connections, those to come included."""
    from django.db.backends.signals import connection_created

    def install(connection: Any, **_: Any) -> None:
        if wrapper not in connection.execute_wrappers:
            connection.execute_wrappers.append(wrapper)

    for connection in connections.all(initialized_only=True):
        install(connection)
    connection_created.connect(install)
    try:
        yield
    finally:
        connection_created.disconnect(install)
        for connection in connections.all(initialized_only=True):
            if wrapper in connection.execute_wrappers:
                connection.execute_wrappers.remove(wrapper)


class Door:
    """A TCP port that leads to a node as long as it is open, as a pooler would."""

    def __init__(self, node: Node) -> None:
        self.node = node
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        self._listener: socket.socket | None = None
        self._pairs: list[socket.socket] = []
        self._pumps: list[threading.Thread] = []

    def open(self) -> None:
        self._listener = socket.create_server((HOST, self.port))
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Refuse connections, and break those there are."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """Break the connections there are, and take new ones."""
        for end in self._pairs:
            with contextlib.suppress(OSError):  # it has ended already
                end.shutdown(socket.SHUT_RDWR)
        for pump in self._pumps:
            pump.join(5)
        for end in self._pairs:
            end.close()
        self._pairs.clear()
        self._pumps.clear()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection((self.node.host, self.node.port))
            self._pairs += [client, server]
            for one, other in ((client, server), (server, client)):
                pump = threading.Thread(target=_pump, args=(one, other), daemon=True)
                pump.start()
                self._pumps.append(pump)


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)


@pytest.fixture
@native("puts a port of this machine in a node's place")
def door(nodes: tuple[Node, ...], settings: Any) -> Iterator[Door]:
    """The first worker's pooler; the other workers' do not listen."""
    made = Door(nodes[0])
    settings.DATABASE_POOLER_PORT_OFFSET = made.port - nodes[0].port
    made.open()
    yield made
    made.close()


@pytest.fixture
@native("starts PgBouncer")
def pooler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], int]]:
    """Start a PgBouncer in front of a port; returns the port where it listens."""
    started: list[subprocess.Popen[bytes]] = []
    account = service_account(Path("/nonexistent"))
    role = connections["default"].settings_dict

    def start(server_port: int) -> int:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
        home = tmp_path_factory.mktemp("pooler")
        config = home / "pgbouncer.ini"
        config.write_text(
            f"[databases]\n* = host={HOST} port={server_port} user={role['USER']}"
            f" password='{role['PASSWORD']}'\n[pgbouncer]\n"
            f"listen_addr = {HOST}\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            "pool_mode = transaction\nserver_connect_timeout = 1\nserver_login_retry = 1\n"
            "query_wait_timeout = 2\n"
        )
        for path in (config, home, *home.parents[:2]):
            path.chmod(0o755)
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin") or "pgbouncer"
        uid = account.uid if account.is_other else None
        started.append(
            subprocess.Popen([program, "-q", config], user=uid, stderr=subprocess.DEVNULL)
        )
        _wait_for(port)
        return port

    yield start
    for process in started:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {port}")
