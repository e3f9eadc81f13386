"""From two nodes to three and back, with writers at work all the time."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator

import psycopg2
import pytest

from tests.cluster.shardctl.acting.conftest import (
    YES,
    Writer,
    assert_clean,
    quick_cluster,
    server_of,
    start,
    sums,
    user_shard,
    wait_until,
)
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway

COPYING = "SELECT count(*) FROM shardctl.moves WHERE outcome = 'running'"


@pytest.fixture(scope="module")
def made() -> Iterator[Throwaway]:
    """Two workers and a spare node; the tests follow each other."""
    with quick_cluster(workers=2, spare=1) as cluster:
        yield cluster


def test_a_dry_run_changes_nothing(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("rebalance", "--dry-run", dsn=made.dsn, format="json")
    assert answer.code == 0
    assert answer.data["moves"] == []
    assert made.value("SELECT to_regnamespace('shardctl') IS NULL")


def test_nothing_is_done_without_consent(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("add-node", made.spare().address, dsn=made.dsn)
    assert answer.code == 2
    assert made.value("SELECT count(*) FROM pg_dist_node") == 3


@pytest.mark.parametrize(
    ("setup", "undo", "code"),
    [
        ("CREATE TABLE own (id int)", "DROP TABLE own", "not-empty"),
        ("DROP EXTENSION citus", "CREATE EXTENSION citus", "no-citus"),
    ],
)
def test_a_node_that_does_not_fit_is_refused(
    made: Throwaway, shardctl: Shardctl, setup: str, undo: str, code: str
) -> None:
    made.spare().sql(setup)
    try:
        answer = shardctl("add-node", made.spare().address, *YES, dsn=made.dsn, format="json")
    finally:
        made.spare().sql(undo)
    assert answer.code == 4
    assert code in answer.error["message"]
    assert made.value("SELECT count(*) FROM pg_dist_node") == 3


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        ("synchronous_commit", "off", "asynchronous-commit"),
        ("statement_timeout", "'10min'", "statement-timeout"),
        ("wal_retrieve_retry_interval", "'5s'", "slow-launch"),
        ("citus.desired_percent_disk_available_after_move", "100", "disk-space"),
    ],
)
def test_a_node_is_taken_in_only_if_preflight_would_let_it_work(
    made: Throwaway, shardctl: Shardctl, setting: str, value: str, code: str
) -> None:
    reload_ = "SELECT pg_reload_conf(), pg_sleep(0.2)"
    made.spare().sql(f"ALTER SYSTEM SET {setting} TO {value}")
    made.spare().sql(reload_)
    try:
        words = ["add-node", made.spare().address, "--yes"]
        answer = shardctl(*words, dsn=made.dsn, format="json")
    finally:
        made.spare().sql(f"ALTER SYSTEM RESET {setting}")
        made.spare().sql(reload_)
    assert answer.code == 4
    assert code in answer.error["message"]
    assert made.value("SELECT count(*) FROM pg_dist_node") == 3


def test_a_node_is_not_taken_in_without_logical_decoding(
    made: Throwaway, shardctl: Shardctl
) -> None:
    made.spare().restart(wal_level="replica")
    try:
        answer = shardctl("add-node", made.spare().address, *YES, dsn=made.dsn, format="json")
    finally:
        made.spare().restart(wal_level="logical")
    assert answer.code == 4
    assert "wal-level" in answer.error["message"]


def test_a_node_that_is_not_there_is_refused(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("add-node", "127.0.0.1:9", *YES, dsn=made.dsn, format="json")
    assert answer.code == 4
    assert "unreachable" in answer.error["message"]


def test_an_addition_does_not_queue_behind_a_writer_of_reference_tables(
    made: Throwaway, shardctl: Shardctl
) -> None:
    with contextlib.closing(psycopg2.connect(made.dsn)) as connection:
        connection.cursor().execute("UPDATE products SET name = 'Held' WHERE id = 1")
        answer = shardctl("add-node", made.spare().address, *YES, dsn=made.dsn)
    assert answer.code == 4
    assert "writes a reference table" in answer.err
    assert made.value("SELECT count(*) FROM pg_dist_node") == 3


def test_an_interrupted_addition_is_undone(made: Throwaway) -> None:
    with contextlib.ExitStack() as stack:
        for server in (made.coordinator, *made.workers):
            connection = stack.enter_context(contextlib.closing(psycopg2.connect(server.dsn)))
            # No slot is made, so no copy begins, while a transaction with an id is open.
            connection.cursor().execute("SELECT txid_current()")
        running = start(made, "add-node", made.spare().address, *YES)
        wait_until(lambda: made.value("SELECT to_regclass('shardctl.moves') IS NOT NULL"))
        wait_until(lambda: made.value(COPYING))
        running.process.send_signal(signal.SIGINT)
        code, said = running.end()
    assert code == 130, said
    assert made.value("SELECT count(*) FROM pg_dist_node") == 3
    assert made.spare().sql("SELECT 1 FROM pg_dist_node") == []
    assert made.spare().value("SELECT to_regclass('products')") is None
    assert_clean(made)


def test_a_node_that_was_added_without_reference_tables_is_completed(
    made: Throwaway, shardctl: Shardctl
) -> None:
    made.add(made.spare())
    refused = shardctl("rebalance", *YES, dsn=made.dsn)
    completed = shardctl("add-node", made.spare().address, *YES, dsn=made.dsn)
    again = shardctl("add-node", made.spare().address, *YES, dsn=made.dsn)
    removed = shardctl("remove-node", made.spare().address, "--yes", dsn=made.dsn)
    assert (refused.code, completed.code, again.code, removed.code) == (4, 0, 2, 0)
    assert "reference-tables-missing" in refused.err
    assert_clean(made)


def test_a_new_node_has_the_reference_tables_before_any_shard(
    made: Throwaway, shardctl: Shardctl
) -> None:
    answer = shardctl("add-node", made.spare().address, *YES, dsn=made.dsn)
    assert answer.code == 0, answer.err
    made.workers.append(made.spares.pop())
    shard = made.value(
        "SELECT shardid FROM pg_dist_shard WHERE logicalrelid = 'products'::regclass"
    )
    assert made.worker(3).value(f"SELECT count(*) FROM products_{shard}") == 50
    assert made.value("SELECT bool_and(shouldhaveshards) FROM pg_dist_node WHERE groupid > 0")
    assert_clean(made)


def test_a_rebalance_under_writes_loses_and_doubles_nothing(
    made: Throwaway, shardctl: Shardctl
) -> None:
    before = sums(made)
    with Writer(made) as writer:
        answer = shardctl("rebalance", *YES, dsn=made.dsn, format="json")
    assert answer.code == 0, answer.err
    assert writer.errors == []
    assert sums(made)["orders"].rows == before["orders"].rows + writer.written
    assert writer.written > 0
    assert_clean(made)
    assert answer.data["moves"] >= 3
    events = [json.loads(line) for line in answer.err.splitlines()]
    finished = [event for event in events if event["event"] == "move-finished"]
    assert len(finished) == answer.data["moves"]
    assert {event["outcome"] for event in finished} == {"done"}
    assert {event["event"] for event in events} > {"run-started", "move-started", "progress"}


def test_an_even_cluster_needs_no_moves(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("rebalance", *YES, "--by", "shards", dsn=made.dsn, format="json")
    assert (answer.code, answer.data["moves"]) == (0, 0)


def test_runs_and_their_moves_are_in_the_journal(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("jobs", dsn=made.dsn, format="json")
    run = next(run for run in answer.data["runs"] if run["moves_done"] > 1)
    assert (run["command"], run["outcome"]) == ("rebalance", "done")
    moves = shardctl("jobs", "--run", str(run["id"]), dsn=made.dsn, format="json").data["moves"]
    assert len(moves) == run["moves_done"]
    assert all(0 < move["write_block_seconds"] <= move["seconds"] for move in moves)
    on_workers = [worker.value("SELECT to_regnamespace('shardctl')") for worker in made.workers]
    assert on_workers == [None] * 3


def test_a_key_moves_with_its_group_and_back(made: Throwaway, shardctl: Shardctl) -> None:
    shard, before = user_shard(made), sums(made)
    here = server_of(made, shard)
    there = next(worker for worker in made.workers if worker is not here)
    key = made.value("SELECT md5('user 1')::uuid::text")
    assert shardctl("move", key, "--to", there.address, *YES, dsn=made.dsn).code == 0
    assert server_of(made, shard) is there
    answer = shardctl("move", str(shard), "--to", there.address, *YES, dsn=made.dsn)
    assert answer.code == 2
    assert "already" in answer.err
    assert shardctl("move", str(shard), "--to", here.address, *YES, dsn=made.dsn).code == 0
    assert sums(made) == before
    assert_clean(made)


def test_a_node_with_shards_is_not_removed(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("remove-node", made.worker(3).address, "--yes", dsn=made.dsn)
    assert answer.code == 4
    assert "shardctl drain" in answer.err


def test_a_drained_node_is_empty_and_can_be_removed(made: Throwaway, shardctl: Shardctl) -> None:
    leaving, before = made.worker(3), sums(made)
    with Writer(made) as writer:
        answer = shardctl("drain", leaving.address, *YES, dsn=made.dsn)
    assert answer.code == 0, answer.err
    assert writer.errors == []
    assert shardctl("remove-node", leaving.address, "--yes", dsn=made.dsn).code == 0
    made.spares.append(made.workers.pop())
    assert sums(made)["orders"].rows == before["orders"].rows + writer.written
    assert leaving.sql("SELECT 1 FROM pg_dist_node") == []
    assert leaving.value("SELECT to_regclass('products')") is None
    assert_clean(made)


def test_the_last_node_that_may_hold_shards_is_not_drained(
    made: Throwaway, shardctl: Shardctl
) -> None:
    first, second = made.workers
    mark = "SELECT citus_set_node_property('127.0.0.1', %s, 'shouldhaveshards', %s)"
    made.sql(mark, [second.port, False])
    try:
        answer = shardctl("drain", first.address, *YES, dsn=made.dsn)
    finally:
        made.sql(mark, [second.port, True])
    assert answer.code == 4, answer.err
    assert made.value("SELECT bool_and(shouldhaveshards) FROM pg_dist_node WHERE groupid > 0")
