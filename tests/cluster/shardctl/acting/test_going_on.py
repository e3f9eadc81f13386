"""The same command goes on where it was cut off, in a script too: with --yes, without --force."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.cluster.shardctl.acting.conftest import (
    assert_clean,
    held_open,
    other_worker,
    quick_cluster,
    server_of,
    start,
    user_shard,
    wait_for_a_move,
)
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import HOST, Throwaway

MARK = "SELECT citus_set_node_property(%s, %s, 'shouldhaveshards', %s)"


@pytest.fixture(scope="module")
def made() -> Iterator[Throwaway]:
    """Two workers and a spare; each test leaves them clean."""
    with quick_cluster(workers=2, spare=1) as cluster:
        yield cluster


def test_an_interrupted_drain_goes_on(made: Throwaway, shardctl: Shardctl) -> None:
    shard = user_shard(made)
    leaving = server_of(made, shard)
    with held_open(made):
        running = start(made, "drain", leaving.address, "--yes")
        wait_for_a_move(made)
        running.process.send_signal(signal.SIGINT)
        code, said = running.end()
    assert code == 130, said
    again = shardctl("drain", leaving.address, "--yes", dsn=made.dsn)
    assert again.code == 0, again.err
    assert_clean(made)


def test_other_shards_move_while_a_node_is_drained(made: Throwaway, shardctl: Shardctl) -> None:
    """The mark of an earlier drain is no surprise, whichever command sees it."""
    drained = other_worker(made, user_shard(made))
    split = shardctl("split", str(user_shard(made)), "--yes", dsn=made.dsn)
    rebalanced = shardctl("rebalance", "--yes", dsn=made.dsn)
    undone = shardctl("drain", drained.address, "--undo", "--yes", dsn=made.dsn)
    assert (split.code, rebalanced.code, undone.code) == (0, 0, 0), split.err + rebalanced.err
    assert_clean(made)


def test_a_node_that_was_added_but_not_made_ready_goes_on(
    made: Throwaway, shardctl: Shardctl
) -> None:
    spare = made.spare()
    made.add(spare)
    made.sql(MARK, [HOST, spare.port, False])
    answer = shardctl("add-node", spare.address, "--yes", dsn=made.dsn)
    assert answer.code == 0, answer.err
    assert shardctl("remove-node", spare.address, "--yes", dsn=made.dsn).code == 0
    assert_clean(made)


def test_a_mark_that_somebody_else_set_is_an_objection_that_can_be_ignored_by_its_code(
    made: Throwaway, shardctl: Shardctl
) -> None:
    spare = made.spare()
    made.add(spare)
    made.sql("SELECT replicate_reference_tables('block_writes')")
    made.sql("DELETE FROM shardctl.runs")
    made.sql(MARK, [HOST, spare.port, False])
    words = ["split", str(user_shard(made)), "--yes"]
    refused = shardctl(*words, dsn=made.dsn)
    wrong = shardctl(*words, "--ignore", "slow-launch", dsn=made.dsn)
    ignored = shardctl(*words, "--ignore", "takes-no-shards", dsn=made.dsn)
    made.sql("SELECT citus_remove_node(%s, %s)", [HOST, spare.port])
    assert (refused.code, wrong.code, ignored.code) == (4, 4, 0), ignored.err
    assert "takes-no-shards" in refused.err
    assert "--ignore CODE" in refused.err


def test_an_error_cannot_be_ignored(made: Throwaway, shardctl: Shardctl) -> None:
    made.worker(1).sql("ALTER SYSTEM SET synchronous_commit TO off")
    made.worker(1).sql("SELECT pg_reload_conf(), pg_sleep(0.2)")
    try:
        answer = shardctl(
            "split", str(user_shard(made)), "--yes", "--force", "--ignore", "asynchronous-commit",
            dsn=made.dsn,
        )  # fmt: skip
    finally:
        made.worker(1).sql("ALTER SYSTEM RESET synchronous_commit")
        made.worker(1).sql("SELECT pg_reload_conf(), pg_sleep(0.2)")
    assert answer.code == 4
    assert "asynchronous-commit" in answer.err
