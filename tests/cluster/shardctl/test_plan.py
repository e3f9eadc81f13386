"""shardctl plan: the server's moves, with real sizes, times and stalls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from sharding.moving.journal import TABLES
from tests import throwaway
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway


@pytest.fixture(scope="module")
def grown() -> Iterator[Throwaway]:
    """Two workers with shards, and a third without any."""
    with throwaway.cluster(workers=2, spare=1) as made:
        made.add(made.spare())
        yield made


def test_a_balanced_cluster_has_nothing_to_move(shardctl: Shardctl, citus: Throwaway) -> None:
    answer = shardctl("plan", dsn=citus.dsn, format="json")
    assert answer.code == 0
    assert answer.data["moves"] == []
    assert "nothing would move" in shardctl("plan", dsn=citus.dsn).out


@pytest.mark.parametrize(
    ("option", "strategy"), [("--by-size", "by_disk_size"), ("--by-shards", "by_shard_count")]
)
def test_the_moves_are_those_of_the_server(
    option: str, strategy: str, shardctl: Shardctl, grown: Throwaway
) -> None:
    data = shardctl("plan", option, dsn=grown.dsn, format="json").data
    server = grown.sql(
        "SELECT shardid, sourceport, targetport"
        f" FROM get_rebalance_table_shards_plan(rebalance_strategy => '{strategy}')"
    )
    groups = {line["shard"]: line for line in shardctl("shards", dsn=grown.dsn, format="json").data}
    moved = {
        (shard, int(move["source"].split(":")[1]), int(move["target"].split(":")[1]))
        for move in data["moves"]
        for shard in groups[move["shard"]]["shard_ids"]
    }
    assert moved == {(row.shardid, row.sourceport, row.targetport) for row in server}
    assert data["strategy"] == strategy
    for move in data["moves"]:
        assert move["bytes"] == groups[move["shard"]]["bytes"] > 0


def test_the_balance_afterwards_is_what_the_moves_make(
    shardctl: Shardctl, grown: Throwaway
) -> None:
    data = shardctl("plan", dsn=grown.dsn, format="json").data
    nodes = {node["node"]: node for node in data["nodes"]}
    new = nodes[grown.spare().address]
    assert (new["shards_before"], new["bytes_before"]) == (0, 0)
    assert new["shards_after"] == len(data["moves"])
    assert new["bytes_after"] == data["bytes"]
    for when in ("before", "after"):
        assert sum(node[f"shards_{when}"] for node in nodes.values()) == 24


def test_a_drain_empties_the_node_and_changes_nothing(shardctl: Shardctl, grown: Throwaway) -> None:
    node = grown.worker(1)
    data = shardctl("plan", "--drain", str(node.port), dsn=grown.dsn, format="json").data
    assert {move["source"] for move in data["moves"]} == {node.address}
    after = {entry["node"]: entry["shards_after"] for entry in data["nodes"]}
    assert after[node.address] == 0
    assert grown.value("SELECT bool_and(shouldhaveshards) FROM pg_dist_node WHERE groupid > 0")


def test_the_time_follows_the_throughput(shardctl: Shardctl, grown: Throwaway) -> None:
    guess = shardctl("plan", dsn=grown.dsn, format="json").data
    assert guess["speed"]["source"] == "default"
    given = shardctl("plan", "--throughput", "1kB", dsn=grown.dsn, format="json").data
    assert given["speed"]["source"] == "given"
    assert given["seconds"] > given["bytes"] / 1024 > guess["seconds"]


def test_earlier_moves_tell_the_time_per_move_and_per_byte(
    shardctl: Shardctl, grown: Throwaway
) -> None:
    grown.sql(
        f"SET citus.enable_ddl_propagation TO off; {TABLES}"
        "INSERT INTO shardctl.runs (command, moves_planned, bytes_planned, outcome, ended_at)"
        " VALUES ('rebalance', 4, 0, 'done', now() + interval '48 seconds');"
        # 2 s and 0.1 s for each MB: 42 s of moves, and 6 s between them.
        "INSERT INTO shardctl.moves (run, number, kind, tables, source, target, bytes, outcome,"
        " started_at, seconds, write_block_seconds)"
        " SELECT 1, n, 'move', '{}', '', '', n * 34 * 1048576 / 1, 'done', now(), 2 + 3.4 * n, 0.25"
        "   FROM generate_series(1, 4) n"
    )
    try:
        data = shardctl("plan", dsn=grown.dsn, format="json").data
    finally:
        grown.sql("SET citus.enable_ddl_propagation TO off; DROP SCHEMA shardctl CASCADE")
    assert data["speed"]["source"] == "journal"
    assert data["speed"]["bytes_per_second"] == pytest.approx(10 * 2**20)
    assert data["speed"]["setup_seconds"] == pytest.approx(2 + 6 / 4)
    assert data["stall"]["catch_up_seconds"] == 0.25
    assert data["seconds"] == pytest.approx(
        len(data["moves"]) * 3.5 + data["bytes"] / (10 * 2**20), rel=0.01
    )


def test_plan_and_rebalance_take_the_same_flags(shardctl: Shardctl, grown: Throwaway) -> None:
    for flags in (["--by", "shards"], ["--strategy", "by_disk_size"], ["--threshold", "0.05"]):
        planned = shardctl("plan", *flags, dsn=grown.dsn, format="json")
        tried = shardctl("rebalance", "--dry-run", *flags, dsn=grown.dsn, format="json")
        assert planned.code == tried.code == 0
        if flags[0] != "--threshold":
            assert planned.data["moves"] == tried.data["moves"]
    both = shardctl("plan", "--by", "size", "--by-shards", dsn=grown.dsn, format="json")
    assert (both.code, both.error["hint"]) == (2, "")


def test_an_open_writing_transaction_is_part_of_the_stall(
    shardctl: Shardctl, grown: Throwaway
) -> None:
    with closing(psycopg2.connect(grown.dsn)) as writer:
        writer.cursor().execute("UPDATE stock SET available = 1 WHERE product_id = 1")
        data = shardctl("plan", dsn=grown.dsn, format="json").data
    assert data["stall"]["longest_writer_seconds"] > 0
    assert data["stall"]["seconds"] > data["stall"]["catch_up_seconds"]


def test_the_page_fits_a_terminal_of_80_columns(
    shardctl: Shardctl, grown: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = shardctl("plan", dsn=grown.dsn).out
    assert "What to expect" in out
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 80
    assert "…" not in out
