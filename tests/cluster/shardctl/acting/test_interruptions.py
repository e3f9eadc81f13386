"""Runs that are cut off in the middle: by Ctrl-C, kill -9, a dead worker, `stop`."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import pytest

from sharding.cluster import Cluster
from sharding.errors import JournalNotWritable
from sharding.moving.journal import Journal
from tests.cluster.shardctl.acting.conftest import (
    YES,
    Running,
    assert_clean,
    held_open,
    other_worker,
    quick_cluster,
    server_of,
    start,
    start_in_terminal,
    sums,
    switch_held,
    user_shard,
    wait_for_a_move,
    wait_until,
)
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway

OUTCOMES = "SELECT outcome FROM shardctl.runs ORDER BY id DESC LIMIT 1"
MOVERS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'shardctl: %'"


@pytest.fixture(scope="module")
def made() -> Iterator[Throwaway]:
    """Two workers, shared by all: each test leaves them clean."""
    with quick_cluster(workers=2) as cluster:
        yield cluster


def _words(made: Throwaway) -> list[str]:
    shard = user_shard(made)
    return ["move", str(shard), "--to", other_worker(made, shard).address, *YES]


def _move(made: Throwaway, *options: str) -> Running:
    return start(made, *_words(made), *options)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_a_signal_undoes_the_move_and_leaves_nothing(
    made: Throwaway, number: signal.Signals
) -> None:
    before, here = sums(made), server_of(made, user_shard(made))
    with held_open(made):
        running = _move(made)
        wait_for_a_move(made)
        running.process.send_signal(number)
        code, said = running.end()
    assert code == 130, said
    assert "cancelled and undone" in said
    assert made.value(OUTCOMES) == "cancelled"
    assert server_of(made, user_shard(made)) is here
    assert sums(made) == before
    assert_clean(made)


def test_a_killed_shardctl_is_noticed_and_cleaned_up_after(
    made: Throwaway, shardctl: Shardctl
) -> None:
    before = sums(made)
    with held_open(made):
        running = _move(made)
        wait_for_a_move(made)
        running.process.kill()
        running.end()
        # Its move does not go on behind our back.
        wait_until(lambda: not made.value(MOVERS), 5)
    assert shardctl("jobs", dsn=made.dsn, format="json").data["runs"][0]["outcome"] == "lost"
    answer = shardctl("rebalance", "--by", "shards", *YES, dsn=made.dsn)
    assert answer.code == 0, answer.err
    assert "was interrupted after 0 of 1 moves" in answer.err
    assert sums(made) == before
    assert_clean(made)


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_worker_that_dies_fails_the_move_and_is_cleaned_up_when_it_is_back(
    made: Throwaway, shardctl: Shardctl, which: str
) -> None:
    before, shard = sums(made), user_shard(made)
    victim = server_of(made, shard) if which == "source" else other_worker(made, shard)
    with held_open(made):
        running = _move(made)
        wait_for_a_move(made)
        victim.kill()
        if which == "target":  # until its end the move waits for the transaction on the source
            with contextlib.suppress(AssertionError):
                wait_until(lambda: running.process.poll() is not None, 1)
    code, said = running.end()
    victim.start()
    assert code == 1, said
    assert made.value(OUTCOMES) == "failed"
    remedy = (
        ["rebalance", "--by", "shards", "--force"] if which == "source" else ["verify", "--fix"]
    )
    answer = shardctl(*remedy, "--yes", dsn=made.dsn)
    assert answer.code == 0, answer.err + answer.out
    assert sums(made) == before
    assert_clean(made)


def test_a_lost_terminal_undoes_the_move_and_leaves_nothing(made: Throwaway) -> None:
    """Nothing can be written any more, and all is cleaned up nevertheless."""
    before = sums(made)
    with held_open(made):
        process, terminal = start_in_terminal(made, *_words(made))
        wait_for_a_move(made)
        # The move is drawn by then, so that the next drawing fails.
        os.read(terminal, 1)
        os.close(terminal)
        process.wait(20)
    assert made.value(OUTCOMES) == "cancelled"
    assert sums(made) == before
    assert_clean(made)


def test_a_role_without_rights_is_told_so(made: Throwaway) -> None:
    made.sql("CREATE ROLE limited LOGIN")
    dsn = made.dsn.replace("postgres@", "limited@")
    with (
        Cluster.connect(dsn, read_only=False) as cluster,
        pytest.raises(JournalNotWritable, match="limited may not keep shardctl's journal"),
    ):
        Journal(cluster.coordinator).prepare()


def test_only_one_acts_at_a_time(made: Throwaway, shardctl: Shardctl) -> None:
    with held_open(made):
        running = _move(made)
        wait_for_a_move(made)
        shard = str(user_shard(made))
        target = other_worker(made, user_shard(made)).address
        answer = shardctl("move", shard, "--to", target, *YES, dsn=made.dsn, format="json")
    code, said = running.end()
    assert (answer.code, answer.error["code"]) == (4, "busy")
    assert "shardctl move run" in answer.error["message"]
    assert code == 0, said
    assert_clean(made)


def test_stop_now_from_elsewhere_cancels_the_move(made: Throwaway, shardctl: Shardctl) -> None:
    before = sums(made)
    with held_open(made):
        running = _move(made)
        wait_for_a_move(made)
        answer = shardctl("stop", "--now", "--yes", dsn=made.dsn, format="json")
        code, said = running.end()
    assert (code, made.value(OUTCOMES)) == (1, "stopped"), said
    assert answer.code == 0
    assert answer.data["ended"]
    assert sums(made) == before
    assert_clean(made)


def test_stop_lets_the_current_move_end_and_the_next_run_goes_on(
    made: Throwaway, shardctl: Shardctl
) -> None:
    leaving = server_of(made, user_shard(made))
    with held_open(made):
        running = start(made, "drain", leaving.address, *YES)
        wait_for_a_move(made)
        answer = shardctl("stop", "--yes", dsn=made.dsn, format="json")
        assert not answer.data["ended"]
    code, said = running.end()
    assert code == 1, said
    assert made.value(OUTCOMES) == "stopped"
    stopped = shardctl("jobs", dsn=made.dsn, format="json").data["runs"][0]
    assert 0 < stopped["moves_done"] < stopped["moves_planned"]
    again = shardctl("drain", leaving.address, *YES, dsn=made.dsn, format="json")
    assert again.code == 0, again.err
    assert again.data["moves"] == stopped["moves_planned"] - stopped["moves_done"]
    assert shardctl("drain", leaving.address, "--undo", "--yes", dsn=made.dsn).code == 0
    assert_clean(made)


def test_a_move_that_keeps_writes_waiting_gives_way_and_tries_again(made: Throwaway) -> None:
    before, shard = sums(made), user_shard(made)
    here = server_of(made, shard)
    with switch_held(made):
        running = _move(made, "--max-block", "0.3")
        assert running.process.stderr is not None
        lines = iter(running.process.stderr.readline, "")
        assert any("kept writes waiting" in line for line in lines)
    code, said = running.end()
    assert code == 0, said
    assert server_of(made, shard) is not here
    assert sums(made) == before
    assert_clean(made)


def test_stop_ends_a_rebalance_of_citus_itself(made: Throwaway, shardctl: Shardctl) -> None:
    before, shard = sums(made), user_shard(made)
    source, target = server_of(made, shard), other_worker(made, shard)
    mark = "SELECT citus_set_node_property('127.0.0.1', %s, 'shouldhaveshards', %s)"
    made.sql(mark, [source.port, False])
    try:
        with held_open(made):
            made.sql("SELECT citus_rebalance_start(shard_transfer_mode => 'force_logical')")
            wait_for_a_move(made)
            move = shardctl(
                "move", str(shard), "--to", target.address, *YES, dsn=made.dsn, format="json"
            )
            answer = shardctl("stop", "--yes", dsn=made.dsn, format="json")
    finally:
        made.sql(mark, [source.port, True])
    assert move.code == 4
    assert answer.code == 0, answer.err
    assert len(answer.data["jobs"]) == 1
    jobs = shardctl("jobs", dsn=made.dsn, format="json").data["citus_jobs"]
    assert jobs[0]["state"] == "cancelled"
    assert sums(made) == before
    assert_clean(made)


def test_a_failing_job_of_citus_is_explained(made: Throwaway, shardctl: Shardctl) -> None:
    made.sql("INSERT INTO pg_dist_background_job (job_type, description) VALUES ('x', 'Test')")
    job = made.value("SELECT max(job_id) FROM pg_dist_background_job")
    made.sql(
        "INSERT INTO pg_dist_background_task (job_id, command) VALUES (%s, 'SELECT 1/0')", [job]
    )
    failed = "SELECT count(*) FROM pg_dist_background_task WHERE retry_count > 0"
    wait_until(lambda: made.value(failed))
    answer = shardctl("jobs", dsn=made.dsn)
    assert "Citus tries again" in answer.out
    assert "division by zero" in answer.out
    assert "30 times every 60 s" in answer.out
    assert shardctl("stop", "--yes", dsn=made.dsn).code == 0
