"""shardctl activity and locks: one line for a transaction, wherever it works."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest

from tests import throwaway
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway

UPDATE = "UPDATE users SET name = 'held' WHERE id = %s"


@pytest.fixture
def held(citus: Throwaway) -> Iterator[tuple[str, int]]:
    """A user's row that an open transaction has changed, with its gpid."""
    user = citus.value("SELECT id FROM users ORDER BY id LIMIT 1")
    with contextlib.closing(psycopg2.connect(citus.dsn)) as connection:
        cursor = connection.cursor()
        cursor.execute(UPDATE, [user])
        cursor.execute("SELECT citus_backend_gpid()")
        row = cursor.fetchone()
        assert row
        yield user, row[0]


@pytest.fixture
def waiting(citus: Throwaway, held: tuple[str, int]) -> Iterator[int]:
    """A second transaction that wants the same row, led by a worker; its gpid."""
    connection = citus.worker(1).connect()
    cursor = connection.cursor()
    cursor.execute("SELECT citus_backend_gpid()")
    gpid = cursor.fetchone()[0]
    cursor.execute("BEGIN")

    def work() -> None:
        with contextlib.suppress(psycopg2.Error):
            cursor.execute(UPDATE, [held[0]])

    thread = threading.Thread(target=work)
    thread.start()
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while not any(server.value(waits) for server in citus.workers):
        pass
    try:
        yield gpid
    finally:
        connection.cancel()
        thread.join()
        connection.close()


def by_gpid(data: Any) -> dict[int, Any]:
    return {session["gpid"]: session for session in data["sessions"]}


def test_a_transaction_is_one_line_with_all_nodes_that_it_works_on(
    shardctl: Shardctl, citus: Throwaway, held: tuple[str, int]
) -> None:
    user, gpid = held
    answer = shardctl("activity", dsn=citus.dsn, format="json")
    assert answer.code == 0
    session = by_gpid(answer.data)[gpid]
    home = citus.value(
        "SELECT nodeport FROM citus_shards"
        " WHERE shardid = get_shard_id_for_distribution_column('users', %s::uuid)",
        [user],
    )
    assert session["node"] == citus.coordinator.address
    assert [name.rpartition(":")[2] for name in session["elsewhere"]] == [str(home)]
    assert session["state"] == "idle in transaction"
    assert str(gpid) in shardctl("activity", dsn=citus.dsn).out


def test_activity_can_be_narrowed_to_a_node_and_to_old_transactions(
    shardctl: Shardctl, citus: Throwaway, held: tuple[str, int]
) -> None:
    gpid = held[1]
    on_it = shardctl("activity", "--node", citus.coordinator.address, dsn=citus.dsn, format="json")
    assert gpid in by_gpid(on_it.data)
    young = shardctl("activity", "--longer-than", "3600", dsn=citus.dsn, format="json")
    assert gpid not in by_gpid(young.data)


def test_locks_name_who_blocks_and_who_waits_though_they_are_led_by_different_nodes(
    shardctl: Shardctl, citus: Throwaway, held: tuple[str, int], waiting: int
) -> None:
    answer = shardctl("locks", dsn=citus.dsn, format="json")
    assert answer.code == 0
    pairs = {(wait["waiting"], wait["blocking"]) for wait in answer.data["waits"]}
    assert pairs == {(waiting, held[1])}
    assert answer.data["roots"] == [held[1]]
    assert f"pg_terminate_backend({held[1]})" in shardctl("locks", dsn=citus.dsn).out


def test_what_locks_advises_ends_the_wait(
    shardctl: Shardctl, citus: Throwaway, held: tuple[str, int], waiting: int
) -> None:
    citus.sql("SELECT pg_terminate_backend(%s::bigint)", [held[1]])
    while shardctl("locks", dsn=citus.dsn, format="json").data["waits"]:
        pass
    assert held[1] not in by_gpid(shardctl("activity", dsn=citus.dsn, format="json").data)


def test_nobody_waits_in_a_quiet_cluster(shardctl: Shardctl, citus: Throwaway) -> None:
    answer = shardctl("locks", dsn=citus.dsn)
    assert (answer.code, answer.out) == (0, "Nobody waits for a lock.\n")


def test_a_prepared_transaction_blocks_without_a_session(
    shardctl: Shardctl, citus: Throwaway
) -> None:
    worker = citus.worker(1)
    worker.sql("CREATE TABLE local_only (n int)")
    holder = worker.connect()
    holder.cursor().execute("BEGIN; LOCK TABLE local_only; PREPARE TRANSACTION 'forgotten'")
    waiter = worker.connect()
    thread = threading.Thread(target=_quietly, args=[waiter, "TABLE local_only"])
    thread.start()
    while not worker.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
        pass
    try:
        answer = shardctl("locks", dsn=citus.dsn, format="json")
        assert [wait["blocking"] for wait in answer.data["waits"]] == [None]
        assert [p["gid"] for p in answer.data["prepared"]] == ["forgotten"]
    finally:
        worker.sql("ROLLBACK PREPARED 'forgotten'")
        thread.join()
        worker.sql("DROP TABLE local_only")
        holder.close()
        waiter.close()


def _quietly(connection: Any, statement: str) -> None:
    connection.cursor().execute(statement)


@pytest.mark.parametrize("name", ["activity", "locks"])
def test_a_dead_node_is_named_with_the_answers_of_the_others(shardctl: Shardctl, name: str) -> None:
    with throwaway.cluster(workers=2) as made:
        made.worker(1).stop()
        answer = shardctl(name, dsn=made.dsn, format="json")
    assert answer.code == 1
    assert list(answer.data["silent"]) == [made.worker(1).address]
