"""Whatever dies under a run: one sentence that names it, in JSON too, and the documented code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cluster.shardctl.acting.conftest import (
    assert_clean,
    held_open,
    other_worker,
    quick_cluster,
    server_of,
    start,
    sums,
    user_shard,
    wait_for_a_move,
    wait_until,
)
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway

REMAINS = "SELECT count(*) FROM pg_dist_cleanup"


@pytest.fixture(scope="module")
def made() -> Iterator[Throwaway]:
    """Two workers, shared by all: each test leaves them clean."""
    with quick_cluster(workers=2) as cluster:
        yield cluster


def test_a_coordinator_that_dies_is_named_and_the_same_command_goes_on(
    made: Throwaway, shardctl: Shardctl
) -> None:
    before, leaving = sums(made), server_of(made, user_shard(made))
    with held_open(made):
        running = start(made, "drain", leaving.address, "--yes", "--format", "json")
        wait_for_a_move(made)
        made.coordinator.kill()
        out, err = running.process.communicate(timeout=40)
    made.coordinator.start()
    assert "Traceback" not in err
    error = json.loads(out)["error"]
    assert (error["code"], error["exit_code"]) == ("coordinator_lost", 3)
    assert error["message"].startswith(f"{made.coordinator.address} broke off the connection")
    assert "the same command goes on" in error["message"]
    assert running.process.returncode == 3
    wait_until(
        lambda: shardctl("verify", "--fix", "--no-checksums", "--yes", dsn=made.dsn).code == 0
    )
    again = shardctl("drain", leaving.address, "--yes", dsn=made.dsn)
    assert again.code == 0, again.err
    assert shardctl("drain", leaving.address, "--undo", "--yes", dsn=made.dsn).code == 0
    assert sums(made) == before
    assert_clean(made)


def test_a_coordinator_that_dies_before_a_look_ends_is_no_traceback(
    made: Throwaway, shardctl: Shardctl
) -> None:
    made.coordinator.stop()
    try:
        answer = shardctl("status", dsn=made.dsn, format="json")
    finally:
        made.coordinator.start()
    assert (answer.code, answer.error["code"]) == (3, "cluster_not_available")


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_worker_that_dies_under_a_move_is_the_one_that_is_named(
    made: Throwaway, shardctl: Shardctl, which: str
) -> None:
    shard = user_shard(made)
    source, target = server_of(made, shard), other_worker(made, shard)
    victim = source if which == "source" else target
    with held_open(made):
        running = start(made, "move", str(shard), "--to", target.address, "--yes",
                        "--format", "json")  # fmt: skip
        wait_for_a_move(made)
        victim.kill()
        if which == "source":
            out, _ = running.process.communicate(timeout=40)
    if which == "target":
        out, _ = running.process.communicate(timeout=40)
    victim.start()
    error = json.loads(out)["error"]
    assert error["code"] == "move_failed"
    assert victim.address in error["message"]
    wait_until(lambda: shardctl("verify", "--fix", "--yes", dsn=made.dsn).code == 0)
    assert_clean(made)


def test_a_plan_names_the_node_that_is_down(made: Throwaway, shardctl: Shardctl) -> None:
    victim = other_worker(made, user_shard(made))
    victim.stop()
    try:
        answer = shardctl("plan", dsn=made.dsn, format="json")
    finally:
        victim.start()
    assert answer.code == 1
    assert answer.error["message"].startswith(victim.address)


@pytest.mark.parametrize("format_", ["table", "json"])
def test_a_full_disk_under_the_output_is_a_sentence(made: Throwaway, format_: str) -> None:
    words = [sys.executable, "-m", "sharding", "shards", "--dsn", made.dsn, "--format", format_]
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            words, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=os.environ
        )
    assert ended.returncode == 1
    assert ended.stderr.strip() == (
        "shardctl: the result cannot be written: No space left on device."
    )


def test_a_reader_that_has_gone_is_no_traceback(made: Throwaway) -> None:
    command = f"{sys.executable} -m sharding shards --dsn {made.dsn} --format json | true"
    ended = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, env=os.environ
    )
    assert ended.stderr == ""
