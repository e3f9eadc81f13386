"""Copying while rows change: splits follow updates and deletes, and what cannot follow ends."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg2
import pytest
from psycopg2.errors import SerializationFailure

from tests.cluster.shardctl.acting.conftest import (
    IDS,
    YES,
    Running,
    assert_clean,
    held_open,
    other_worker,
    quick_cluster,
    server_of,
    start,
    sums,
    switch_held,
    user_shard,
    wait_until,
)
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Server, Throwaway

# Citus asks to repeat what was planned before a split and is executed after it.
REPEAT = SerializationFailure
FULL = """
SET citus.override_table_visibility TO off;
SELECT relname FROM pg_class WHERE relreplident = 'f'
"""
SLOT_WAITS = """
SELECT pid FROM pg_stat_activity
 WHERE query LIKE 'CREATE_REPLICATION_SLOT%' AND wait_event = 'transactionid'
"""
MOVERS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'shardctl: %'"
OPEN = """
SELECT pid FROM pg_stat_activity WHERE application_name = 'shardctl' AND state LIKE 'idle in%'
"""
BY_HAND = "SET citus.enable_manual_changes_to_shards TO on;"
FOLLOWERS = """
SELECT subname FROM pg_stat_subscription WHERE subname LIKE 'citus_shard_move%' AND pid IS NOT NULL
"""
ORDERS = "SELECT get_shard_id_for_distribution_column('orders', md5('user 1')::uuid)"


@pytest.fixture(scope="module")
def made() -> Iterator[Throwaway]:
    """Two workers, shared by all: each test leaves them clean."""
    with quick_cluster(workers=2) as cluster:
        yield cluster


@dataclass
class Changer:
    """Updates, deletes and places orders of one user until it is told to end."""

    made: Throwaway
    user: str
    updated: int = 0
    deleted: int = 0
    errors: list[Exception] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Changer:
        self._thread = threading.Thread(target=self._change)
        self._thread.start()
        wait_until(lambda: self.updated)
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        self._thread.join()

    def _change(self) -> None:
        of_user = f"md5('{self.user}')::uuid"
        with contextlib.closing(self.made.coordinator.connect()) as connection:
            cursor = connection.cursor()
            while not self._end.is_set():
                new = next(IDS)
                where = f"WHERE user_id = {of_user} AND id ="
                self._execute(cursor, f"INSERT INTO orders VALUES ({of_user}, {new}, 0, 'new')")
                self._execute(cursor, f"DELETE FROM orders {where} {new}")
                self.deleted += 1
                self._execute(cursor, f"UPDATE orders SET total = total + 1 {where} 1")
                self.updated += 1

    def _execute(self, cursor: psycopg2.extensions.cursor, sql: str) -> None:
        while True:
            try:
                cursor.execute(sql)
            except REPEAT:
                continue
            except psycopg2.Error as error:
                self.errors.append(error)
            return


def _total(made: Throwaway, user: str) -> int:
    sql = "SELECT total FROM orders WHERE user_id = md5(%s)::uuid AND id = 1"
    return int(made.value(sql, [user]))


def _full(made: Throwaway) -> list[object]:
    return [row for server in made.servers for row in server.sql(FULL)]


def test_a_user_who_changes_rows_all_the_time_is_isolated_without_blocking(
    made: Throwaway, shardctl: Shardctl
) -> None:
    before, total = sums(made), _total(made, "user 7")
    key = made.value("SELECT md5('user 7')::uuid::text")
    with Changer(made, "user 7") as changer:
        answer = shardctl("isolate", key, *YES, dsn=made.dsn, format="json")
        assert answer.code == 0, answer.err
    assert changer.errors == []
    assert _total(made, "user 7") == total + changer.updated
    assert sums(made)["orders"].rows == before["orders"].rows
    assert sums(made)["users"] == before["users"]
    assert _full(made) == []
    assert_clean(made)


def test_a_group_whose_rows_change_is_split_over_two_nodes(
    made: Throwaway, shardctl: Shardctl
) -> None:
    shard, total = user_shard(made), _total(made, "user 1")
    there = other_worker(made, shard)
    with Changer(made, "user 1") as changer:
        answer = shardctl(
            "split", str(shard), "--to", there.address, *YES, dsn=made.dsn, format="json"
        )
        assert answer.code == 0, answer.err
    assert changer.errors == []
    assert _total(made, "user 1") == total + changer.updated
    assert _full(made) == []
    assert_clean(made)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_split_that_ends_while_its_slot_waits_leaves_nothing(
    made: Throwaway, shardctl: Shardctl, number: signal.Signals
) -> None:
    before, shard = sums(made), user_shard(made)
    source = server_of(made, shard)
    with held_open(made):
        running = start(made, "split", str(shard), *YES)
        wait_until(lambda: source.sql(SLOT_WAITS))
        running.process.send_signal(number)
        code, said = running.end()
    assert code == (130 if number == signal.SIGINT else -number), said
    if number == signal.SIGKILL:
        wait_until(lambda: not made.sql(MOVERS))
        assert shardctl("stop", "--yes", dsn=made.dsn).code == 0
    assert source.sql(OPEN) == []
    assert user_shard(made) == shard
    assert sums(made) == before
    assert_clean(made)


def test_a_shard_that_a_killed_split_left_with_full_identity_gets_its_key_back(
    made: Throwaway, shardctl: Shardctl
) -> None:
    shard = user_shard(made)
    alter = f"ALTER TABLE users_{shard} REPLICA IDENTITY FULL"
    with contextlib.closing(server_of(made, shard).connect()) as connection:
        connection.cursor().execute(f"{BY_HAND} {alter}")
    assert len(_full(made)) == 1
    assert shardctl("stop", "--yes", dsn=made.dsn).code == 0
    assert _full(made) == []


def _spoil(made: Throwaway, target: Server, followed: set[str]) -> None:
    """Let the move of user 1's group be unable to go on: a key is at the target already."""

    def follower() -> str | None:
        return next((name for (name,) in target.sql(FOLLOWERS) if name not in followed), None)

    wait_until(follower)
    followed.add(str(follower()))
    shard = made.value(ORDERS)
    insert = f"INSERT INTO orders_{shard} VALUES (md5('user 1')::uuid, {next(IDS)}, 0, 'twice')"
    for server in (target, server_of(made, user_shard(made))):
        with contextlib.closing(server.connect()) as connection:
            connection.cursor().execute(f"{BY_HAND} {insert}")


def _until(running: Running, words: str) -> None:
    assert running.process.stderr is not None
    impatience = threading.Timer(30, running.process.kill)
    impatience.start()
    try:
        assert any(words in line for line in iter(running.process.stderr.readline, ""))
    finally:
        impatience.cancel()


def test_a_move_that_cannot_follow_is_cancelled_and_tried_again(made: Throwaway) -> None:
    before, shard = sums(made), user_shard(made)
    target = other_worker(made, shard)
    with switch_held(made):
        running = start(made, "move", str(shard), "--to", target.address, *YES)
        _spoil(made, target, set())
        _until(running, "could not follow the changes")
    code, said = running.end()
    assert code == 0, said
    assert server_of(made, shard) is target
    assert sums(made)["orders"].rows == before["orders"].rows + 1
    assert_clean(made)


def test_a_move_that_never_can_follow_fails_with_the_remedy_and_leaves_nothing(
    made: Throwaway,
) -> None:
    before, shard = sums(made), user_shard(made)
    here, target = server_of(made, shard), other_worker(made, shard)
    followed: set[str] = set()
    with switch_held(made):
        running = start(made, "move", str(shard), "--to", target.address, *YES)
        for attempt in (1, 2, 3):
            _spoil(made, target, followed)
            _until(running, f"attempt {attempt} of 3")
        code, said = running.end()
    assert code == 1, said
    assert target.address in said
    assert "--mode block_writes" in said
    assert server_of(made, shard) is here
    assert sums(made)["orders"].rows == before["orders"].rows + 3
    assert_clean(made)
