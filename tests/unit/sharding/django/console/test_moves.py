from typing import Any, NamedTuple

from sharding.django.console.moves import DONE, RUNNING, WAITING, moves_of


class Row(NamedTuple):
    """A row of get_rebalance_progress()."""

    shardid: int
    progress: int = RUNNING
    sessionid: int = 1
    sourcename: str = "a"
    sourceport: int = 1
    targetname: str = "b"
    targetport: int = 2
    source_shard_size: int | None = 1000
    target_shard_size: int | None = 250
    operation_type: str = "move"
    source_lsn: str | None = None
    target_lsn: str | None = None
    status: str = "Copying Data"


def test_the_tables_of_one_group_are_one_move() -> None:
    [move] = moves_of([Row(102), Row(134, target_shard_size=None)])
    assert (move.first_shard, move.shards) == (102, {102, 134})
    assert (move.source, move.target, move.phase) == ("a:1", "b:2", "Copying Data")
    assert (move.size, move.copied, move.percent) == (2000, 250, 12)


def test_what_is_done_is_left_out_and_what_waits_is_told_apart() -> None:
    rows: list[Any] = [Row(1, progress=DONE), Row(2), Row(3, progress=WAITING)]
    assert [(move.first_shard, move.is_running) for move in moves_of(rows)] == [
        (2, True),
        (3, False),
    ]


def test_moves_of_two_sessions_are_two() -> None:
    assert len(moves_of([Row(1), Row(2, sessionid=2)])) == 2


def test_the_way_that_is_left_is_told_in_bytes_of_the_log() -> None:
    rows = [Row(1, source_lsn="1/10", target_lsn="0/FFFFFFF0"), Row(2, source_lsn="1/10")]
    assert moves_of(rows)[0].behind == 32
    assert moves_of([Row(1)])[0].behind is None


def test_a_target_that_has_grown_beyond_the_source_is_not_more_than_all() -> None:
    assert moves_of([Row(1, target_shard_size=9000)])[0].percent == 100
    assert moves_of([Row(1, source_shard_size=0)])[0].percent == 0
