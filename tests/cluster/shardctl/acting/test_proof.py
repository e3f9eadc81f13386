"""Rows are counted under traffic: no writer is cancelled, and every move can be proven."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from tests.cluster.shardctl.acting.conftest import (
    Writer,
    assert_clean,
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
from tests.throwaway import Throwaway

ALLOW = "SET citus.enable_manual_changes_to_shards TO on;"
WAITING = "SELECT count(*) FROM pg_locks WHERE mode = 'ShareLock' AND NOT granted"


@pytest.fixture(scope="module")
def made() -> Iterator[Throwaway]:
    """Two workers, shared by all: each test leaves them clean."""
    with quick_cluster(workers=2) as cluster:
        yield cluster


def test_every_move_of_a_drain_is_proven_under_traffic(made: Throwaway, shardctl: Shardctl) -> None:
    leaving, before = server_of(made, user_shard(made)), sums(made)
    with Writer(made) as writer:
        answer = shardctl("drain", leaving.address, "--prove", "--yes", dsn=made.dsn, format="json")
    assert answer.code == 0, answer.err
    assert answer.data["proved"]
    assert answer.data["moves"] >= 4
    made_moves = answer.data["results"]
    assert len({move["shard"] for move in made_moves}) == answer.data["moves"]
    assert {(move["kind"], move["source"]) for move in made_moves} == {("move", leaving.address)}
    assert writer.errors == []
    assert sums(made)["orders"].rows == before["orders"].rows + writer.written
    assert shardctl("drain", leaving.address, "--undo", "--yes", dsn=made.dsn).code == 0
    assert_clean(made)


def test_a_row_that_did_not_come_along_is_named_and_the_old_table_is_kept(
    made: Throwaway, shardctl: Shardctl
) -> None:
    shard = user_shard(made)
    source, target = server_of(made, shard), other_worker(made, shard)
    rows = source.value(f"SELECT count(*) FROM users_{shard}")
    with switch_held(made):
        running = start(made, "move", str(shard), "--to", target.address, "--prove", "--yes")
        copied = f"SELECT count(*) FROM users_{shard}"
        wait_until(lambda: target.value("SELECT to_regclass(%s)", [f"users_{shard}"]))
        wait_until(lambda: target.value(copied) == rows)
        victim = target.value(f"SELECT id FROM users_{shard} LIMIT 1")
        name = target.value(f"SELECT name FROM users_{shard} WHERE id = %s", [victim])
        target.sql(f"{ALLOW} DELETE FROM users_{shard} WHERE id = %s", [victim])
    code, said = running.end()
    assert code == 1, said
    words = " ".join(said.split())
    assert f"had {rows:,} rows on {source.address} at the switch, and {rows - 1:,} on" in words
    kept = {
        t["origin"]: t for t in shardctl("quarantine", dsn=made.dsn, format="json").data["tables"]
    }
    place = kept[f"users_{shard}"]["name"]
    assert source.value(f"SELECT count(*) FROM shardctl_quarantine.{place}") == rows
    target.sql(f"{ALLOW} INSERT INTO users_{shard} VALUES (%s, %s)", [victim, name])
    words = ["quarantine", "--drop", "--older-than", "0", "--yes"]
    assert shardctl(*words, dsn=made.dsn).code == 0
    assert_clean(made)


def test_counting_with_writes_blocked_gives_way_to_a_writer_of_another_order(
    made: Throwaway, shardctl: Shardctl
) -> None:
    """It holds `identities` and waits for `users`; the writer holds `users` and wants the other."""
    errors: list[Exception] = []
    with contextlib.closing(psycopg2.connect(made.dsn)) as connection:
        cursor = connection.cursor()
        cursor.execute("UPDATE users SET name = name WHERE id = md5('user 1')::uuid")

        def go_on() -> None:
            try:
                wait_until(lambda: made.value(WAITING))
                cursor.execute("UPDATE identities SET user_id = user_id")
                connection.commit()
            except (psycopg2.Error, AssertionError) as error:
                errors.append(error)

        thread = threading.Thread(target=go_on)
        thread.start()
        answer = shardctl("verify", "--block-writes", dsn=made.dsn, format="json")
        thread.join()
    assert errors == []
    assert answer.code == 0, answer.out
    assert answer.data["sums"]["writes_blocked"]


def test_a_file_that_cannot_be_written_is_told_before_rows_are_read(
    made: Throwaway, shardctl: Shardctl, tmp_path: Path
) -> None:
    answer = shardctl("verify", "--save", str(tmp_path / "no" / "file"), dsn=made.dsn)
    assert answer.code == 2
    assert "cannot be written" in answer.err
    assert "Reading every row" not in answer.err


def test_sums_of_some_tables_are_compared_with_those_tables_alone(
    made: Throwaway, shardctl: Shardctl, tmp_path: Path
) -> None:
    path = str(tmp_path / "stock.json")
    assert shardctl("verify", "--table", "stock", "--save", path, dsn=made.dsn).code == 0
    answer = shardctl("verify", "--against", path, dsn=made.dsn, format="json")
    assert (answer.code, answer.data["differences"]) == (0, [])


def test_whatever_was_left_behind_counts_as_found(made: Throwaway, shardctl: Shardctl) -> None:
    worker = made.worker(1)
    slot = "citus_shard_move_slot_9_88888_9"
    worker.sql("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])
    try:
        answer = shardctl("verify", "--no-checksums", dsn=made.dsn, format="json")
    finally:
        worker.sql("SELECT pg_drop_replication_slot(%s)", [slot])
    assert (answer.code, answer.data["clean"]) == (1, False)


def test_an_invalid_index_is_said_and_counts_with_strict(
    made: Throwaway, shardctl: Shardctl
) -> None:
    change = (
        "SET citus.override_table_visibility TO off; UPDATE pg_index SET indisvalid = {} WHERE"
        " indrelid = (SELECT min(oid) FROM pg_class WHERE relname ~ '^stock_[0-9]+$')"
    )
    worker = made.worker(1) if _holds_stock(made, 1) else made.worker(2)
    worker.sql(change.format("false"))
    try:
        plain = shardctl("verify", "--no-checksums", dsn=made.dsn, format="json")
        strict = shardctl("verify", "--no-checksums", "--strict", dsn=made.dsn)
    finally:
        worker.sql(change.format("true"))
    assert (plain.code, plain.data["clean"], strict.code) == (0, False, 1)


def _holds_stock(made: Throwaway, number: int) -> bool:
    port = made.worker(number).port
    sql = "SELECT count(*) FROM citus_shards WHERE table_name = 'stock'::regclass AND nodeport = %s"
    return bool(made.value(sql, [port]))
