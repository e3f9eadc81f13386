"""shardctl verify: what it counts, what it sees, and what --fix removes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest

from sharding.inspection import leftovers
from tests import throwaway
from tests.cluster.shardctl import troubles
from tests.cluster.shardctl.conftest import Answer, Shardctl
from tests.throwaway import HOST, Throwaway


@pytest.fixture(scope="module")
def spoiled() -> Iterator[Throwaway]:
    """A cluster whose rows, copies and catalogues these tests spoil and repair."""
    with throwaway.cluster(workers=2, settings=troubles.SETTINGS) as made:
        yield made


@pytest.fixture
def before(shardctl: Shardctl, spoiled: Throwaway, tmp_path: Path) -> Path:
    path = tmp_path / "before.json"
    assert shardctl("verify", "--save", str(path), dsn=spoiled.dsn).code == 0
    return path


def codes(answer: Answer) -> set[str]:
    return {finding["code"] for finding in answer.data["findings"]}


def move(made: Throwaway, table: str) -> None:
    """Move one shard group to the other worker."""
    shard, source = made.sql(
        f"SELECT shardid, nodeport FROM citus_shards WHERE table_name = '{table}'::regclass LIMIT 1"
    )[0]
    target = next(worker.port for worker in made.workers if worker.port != source)
    made.sql(
        "SELECT citus_move_shard_placement(%s, %s, %s, %s, %s)",
        [shard, HOST, source, HOST, target],
    )


def test_the_sums_stay_when_shards_move_and_are_split(
    shardctl: Shardctl, spoiled: Throwaway, before: Path
) -> None:
    move(spoiled, "orders")
    shard, node = spoiled.sql(
        "SELECT s.shardid, n.nodeid FROM pg_dist_shard s JOIN pg_dist_placement USING (shardid)"
        "  JOIN pg_dist_node n USING (groupid)"
        " WHERE logicalrelid = 'stock'::regclass ORDER BY 1 LIMIT 1"
    )[0]
    middle = spoiled.value(
        f"SELECT (shardminvalue::int + 1000)::text FROM pg_dist_shard WHERE shardid = {shard}"
    )
    spoiled.sql(
        "SELECT citus_split_shard_by_split_points(%s, %s, %s, 'block_writes')",
        [shard, [middle], [node, node]],
    )
    spoiled.sql("CALL citus_cleanup_orphaned_resources()")
    answer = shardctl("verify", "--against", str(before), dsn=spoiled.dsn, format="json")
    assert answer.code == 0
    assert answer.data["differences"] == []
    assert answer.data["clean"]


@pytest.mark.parametrize(
    ("change", "undo", "says"),
    [
        ("DELETE FROM stock WHERE product_id = 7", "INSERT INTO stock VALUES (7, 100)", "(-1)"),
        ("INSERT INTO stock VALUES (777, 1)", "DELETE FROM stock WHERE product_id = 777", "(+1)"),
        (
            "UPDATE stock SET available = 99 WHERE product_id = 8",
            "UPDATE stock SET available = 100 WHERE product_id = 8",
            "but not the same",
        ),
    ],
)
def test_a_lost_doubled_or_changed_row_is_seen(
    change: str, undo: str, says: str, shardctl: Shardctl, spoiled: Throwaway, before: Path
) -> None:
    spoiled.sql(change)
    try:
        answer = shardctl("verify", "--against", str(before), dsn=spoiled.dsn, format="json")
    finally:
        spoiled.sql(undo)
    assert answer.code == 1
    (finding,) = answer.data["findings"]
    assert finding["code"] == "rows-differ"
    assert says in finding["message"]
    assert shardctl("verify", "--against", str(before), dsn=spoiled.dsn).code == 0


def test_the_order_of_rows_does_not_matter(
    shardctl: Shardctl, spoiled: Throwaway, before: Path
) -> None:
    spoiled.sql("UPDATE stock SET available = available WHERE product_id < 30")
    assert shardctl("verify", "--against", str(before), dsn=spoiled.dsn).code == 0


def test_writers_wait_while_rows_are_counted_for_one_moment(
    shardctl: Shardctl, spoiled: Throwaway
) -> None:
    holder = psycopg2.connect(spoiled.dsn)
    holder.cursor().execute("UPDATE stock SET available = 100 WHERE product_id = 1")
    thread = threading.Timer(1, holder.rollback)
    thread.start()
    answer = shardctl("verify", "--block-writes", dsn=spoiled.dsn, format="json")
    thread.join()
    holder.close()
    assert answer.code == 0
    assert answer.data["sums"]["writes_blocked"]


def test_one_table_can_be_counted_alone(
    shardctl: Shardctl, spoiled: Throwaway, before: Path
) -> None:
    answer = shardctl(
        "verify", "--table", "stock", "--against", str(before), dsn=spoiled.dsn, format="json"
    )
    assert answer.code == 0
    assert [entry["table"] for entry in answer.data["sums"]["tables"]] == ["stock"]


def test_a_file_that_holds_no_sums_is_refused(
    shardctl: Shardctl, spoiled: Throwaway, tmp_path: Path
) -> None:
    for text in ("", "{}", "[]", '{"version": 1}'):
        (tmp_path / "file").write_text(text)
        answer = shardctl("verify", "--against", str(tmp_path / "file"), dsn=spoiled.dsn)
        assert answer.code == 2
        assert "holds no checksums" in answer.err


def test_a_copy_of_a_reference_table_that_differs_is_seen(
    shardctl: Shardctl, spoiled: Throwaway
) -> None:
    shard = spoiled.value("SELECT shard_name FROM citus_shards WHERE table_name::text = 'products'")
    allow = "SET citus.enable_manual_changes_to_shards TO on;"
    spoiled.worker(1).sql(f"{allow} UPDATE {shard} SET name = 'spoiled' WHERE id = 3")
    try:
        answer = shardctl("verify", dsn=spoiled.dsn, format="json")
    finally:
        spoiled.worker(1).sql(f"{allow} UPDATE {shard} SET name = 'Product 3' WHERE id = 3")
    assert codes(answer) == {"copies-differ"}


def test_metadata_that_differs_is_seen(shardctl: Shardctl, spoiled: Throwaway) -> None:
    change = "UPDATE pg_dist_placement SET groupid = {} WHERE shardid = {}"
    shard, group = spoiled.sql(
        "SELECT shardid, groupid FROM pg_dist_placement JOIN pg_dist_shard USING (shardid)"
        " WHERE logicalrelid = 'stock'::regclass LIMIT 1"
    )[0]
    spoiled.worker(1).sql(change.format(0, shard))
    try:
        answer = shardctl("verify", "--no-checksums", dsn=spoiled.dsn, format="json")
    finally:
        spoiled.worker(1).sql(change.format(group, shard))
    assert codes(answer) == {"metadata-differs", "shard-disputed"}
    assert "pg_dist_placement" in answer.data["findings"][0]["message"]


def test_a_missing_shard_and_one_of_another_shape_are_seen(
    shardctl: Shardctl, spoiled: Throwaway
) -> None:
    names = spoiled.sql(
        "SELECT shard_name FROM citus_shards WHERE table_name = 'identities'::regclass"
        f" AND nodeport = {spoiled.worker(1).port} ORDER BY 1 LIMIT 2"
    )
    missing, odd = (row.shard_name for row in names)
    allow = "SET citus.enable_manual_changes_to_shards TO on; "
    worker = spoiled.worker(1)
    worker.sql(f"{allow} ALTER TABLE {missing} RENAME TO aside")
    worker.sql(f"{allow} ALTER TABLE {odd} ADD COLUMN extra integer")
    try:
        answer = shardctl("verify", "--no-checksums", dsn=spoiled.dsn, format="json")
        counted = shardctl("verify", dsn=spoiled.dsn, format="json")
    finally:
        worker.sql(f"{allow} ALTER TABLE {odd} DROP COLUMN extra")
        worker.sql(f"{allow} ALTER TABLE aside RENAME TO {missing}")
    assert codes(answer) == {"shard-missing", "shard-differs"}
    assert "not-counted" in codes(counted)


FIXABLE = [
    "cleanup-record",
    "cleanup-record-of-a-lost-node",
    "orphaned-shard",
    "stray-replication-slot",
    "stray-publication",
    "stray-subscription",
    "stray-subscription-role",
    "stray-prepared-transaction",
]


def test_fix_removes_everything_that_was_left_behind(
    shardctl: Shardctl, spoiled: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "STALE", timedelta(0))
    with ExitStack() as stack:
        for trouble in troubles.ALL:
            if trouble.code in FIXABLE:
                stack.enter_context(trouble.provoke(spoiled))
        found = shardctl("verify", "--no-checksums", dsn=spoiled.dsn, format="json")
        assert codes(found) == set(FIXABLE)
        refused = shardctl("verify", "--no-checksums", "--fix", dsn=spoiled.dsn)
        assert refused.code == 2
        assert "DROP SUBSCRIPTION" in refused.err
        still = shardctl("verify", "--no-checksums", dsn=spoiled.dsn, format="json")
        assert codes(still) == set(FIXABLE)
        line = ["verify", "--no-checksums", "--fix", "--yes"]
        fixed = shardctl(*line, dsn=spoiled.dsn, format="json")
        assert fixed.data["findings"] == []
        assert fixed.code == 0
        assert len(fixed.data["fixed"]) >= len(FIXABLE)
        again = shardctl("verify", "--no-checksums", "--fix", dsn=spoiled.dsn)
        assert again.code == 0
        assert "Nothing is left behind" in again.err


def test_what_a_killed_move_leaves_is_removed(shardctl: Shardctl, spoiled: Throwaway) -> None:
    """The target dies while a move waits for a writer; then it comes back."""
    saved = shardctl("verify", dsn=spoiled.dsn, format="json").data["sums"]["tables"]
    shard, source = spoiled.sql(
        "SELECT shardid, nodeport FROM citus_shards WHERE table_name = 'orders'::regclass LIMIT 1"
    )[0]
    target = next(worker for worker in spoiled.workers if worker.port != source)
    writer = psycopg2.connect(spoiled.dsn)
    writer.cursor().execute("UPDATE orders SET total = total")
    failed: list[Exception] = []

    def attempt() -> None:
        try:
            spoiled.sql(
                "SELECT citus_move_shard_placement(%s, %s, %s, %s, %s)",
                [shard, HOST, source, HOST, target.port],
            )
        except psycopg2.Error as error:
            failed.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    while not spoiled.value("SELECT count(*) FROM pg_dist_cleanup"):
        pass
    target.kill()
    writer.close()
    thread.join()
    target.start()
    assert failed
    assert spoiled.value("SELECT count(*) FROM pg_dist_cleanup") > 0
    fixed = shardctl("verify", "--fix", "--yes", dsn=spoiled.dsn, format="json")
    assert fixed.data["findings"] == []
    assert fixed.data["sums"]["tables"] == saved
    assert spoiled.value("SELECT count(*) FROM pg_dist_cleanup") == 0


def test_a_running_move_is_left_alone(shardctl: Shardctl, spoiled: Throwaway) -> None:
    with troubles.move_that_waits(spoiled):
        answer = shardctl("verify", "--no-checksums", "--fix", "--yes", dsn=spoiled.dsn)
        assert answer.code == 0
        assert "Nothing is left behind" in answer.err
    assert shardctl("verify", dsn=spoiled.dsn).code == 0
