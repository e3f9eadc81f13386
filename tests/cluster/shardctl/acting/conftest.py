"""Tools of the tests of acting commands: moves that can be held, writers, and what clean means."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import pty
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg2
import pytest

from sharding.cluster import Cluster
from sharding.inspection import checksums, consistency, leftovers, placements
from tests import throwaway
from tests.throwaway import Server, Throwaway

# Few shards: each move takes a second at least.
# And nothing asynchronous: a move loses commits that are not written yet (docs/sharding.md).
FEW = {
    "citus.shard_count": "4",
    "wal_receiver_status_interval": "'1s'",
    "synchronous_commit": "on",
}
YES = ("--yes", "--force")
IDS = itertools.count(10_000)
UNDER_WAY = "SELECT count(*) FROM get_rebalance_progress()"
INSERT = "INSERT INTO orders (user_id, id, total, note) VALUES (md5('user 1')::uuid, %s, 1, 'held')"


@contextlib.contextmanager
def quick_cluster(**options: Any) -> Iterator[Throwaway]:
    """A throwaway cluster of few shards."""
    with throwaway.cluster(settings=FEW, **options) as made:
        yield made


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until a condition holds; fail when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def wait_for_a_move(made: Throwaway) -> None:
    """Wait until a move is under way."""
    wait_until(lambda: made.value(UNDER_WAY))


@dataclass
class Running:
    """A shardctl in a process of its own."""

    process: subprocess.Popen[str]

    def end(self, seconds: float = 40) -> tuple[int, str]:
        """Wait for its end; return exit code and what it said."""
        out, err = self.process.communicate(timeout=seconds)
        return self.process.returncode, out + err


def start(made: Throwaway, *arguments: str) -> Running:
    """Start shardctl."""
    process = subprocess.Popen(
        _command(made, arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
    )
    return Running(process)


def start_in_terminal(made: Throwaway, *arguments: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start shardctl in a terminal; closing the second value takes the terminal away."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        _command(made, arguments),
        stdin=its,
        stdout=its,
        stderr=its,
        env=_environment() | {"TERM": "xterm"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    os.close(its)
    return process, ours


def _command(made: Throwaway, arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "sharding", *arguments, "--dsn", made.dsn]


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("SHARDCTL")}


@contextlib.contextmanager
def held_open(made: Throwaway) -> Iterator[None]:
    """A transaction that has written user 1's shard: no move of it can end meanwhile."""
    connection = psycopg2.connect(server_of(made, user_shard(made)).dsn)
    try:
        connection.cursor().execute(INSERT, [next(IDS)])
        yield
    finally:
        with contextlib.suppress(psycopg2.Error):
            connection.rollback()
        connection.close()


@contextlib.contextmanager
def switch_held(made: Throwaway) -> Iterator[None]:
    """A lock that lets user 1's group be copied, but not switched over, as a late writer would."""
    connection = psycopg2.connect(made.dsn)
    try:
        share_lock = 5
        connection.cursor().execute(
            "SELECT lock_shard_metadata(%s, ARRAY[%s]::bigint[])", [share_lock, user_shard(made)]
        )
        yield
    finally:
        connection.close()


def user_shard(made: Throwaway) -> int:
    """The shard of `users` that holds user 1."""
    sql = "SELECT get_shard_id_for_distribution_column('users', md5('user 1')::uuid)"
    return int(made.value(sql))


def server_of(made: Throwaway, shard: int) -> Server:
    """Where a shard is."""
    port = made.value("SELECT nodeport FROM citus_shards WHERE shardid = %s", [shard])
    return next(server for server in made.servers if server.port == port)


def other_worker(made: Throwaway, shard: int) -> Server:
    """A worker where the shard is not."""
    here = server_of(made, shard)
    return next(worker for worker in made.workers if worker is not here)


def sums(made: Throwaway) -> dict[str, Any]:
    """Rows and checksum of every table."""
    with Cluster.connect(made.dsn) as cluster:
        found = checksums.compute(cluster, placements.read(cluster, sizes=False))
    assert not found.missing
    assert not found.differing
    return {table.table: table for table in found.tables}


def assert_clean(made: Throwaway) -> None:
    """No orphan, slot, subscription, cleanup row or prepared transaction; all nodes agree."""
    with Cluster.connect(made.dsn) as cluster:
        layout = placements.read(cluster, sizes=False)
        found = leftovers.inspect(cluster, layout=layout)
        assert (found.found, found.running, found.silent) == ((), (), {})
        assert consistency.inspect(cluster, layout) == []
    for server in made.servers:
        assert server.sql("SELECT gid FROM pg_prepared_xacts") == []
        assert server.sql("SELECT slot_name FROM pg_replication_slots") == []


@dataclass
class Writer:
    """Places orders of many users through the coordinator until it is told to end."""

    made: Throwaway
    written: int = 0
    errors: list[Exception] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Writer:
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        self._thread.join()

    def _write(self) -> None:
        sql = "INSERT INTO orders VALUES (md5('user ' || %s)::uuid, %s, 1, 'new')"
        with contextlib.closing(self.made.coordinator.connect()) as connection:
            cursor = connection.cursor()
            while not self._end.is_set():
                try:
                    cursor.execute(sql, [self.written % 200 + 1, next(IDS)])
                    self.written += 1
                except psycopg2.Error as error:
                    self.errors.append(error)
                time.sleep(0.002)


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
