"""shardctl plan: the server's moves, with real sizes, times and stalls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

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


def test_earlier_moves_tell_the_throughput(shardctl: Shardctl, grown: Throwaway) -> None:
    grown.sql(
        "SET citus.enable_ddl_propagation TO off; CREATE SCHEMA shardctl;"
        " CREATE TABLE shardctl.moves (bytes bigint, seconds float, outcome text, kind text,"
        " started_at timestamptz DEFAULT now(), write_block_seconds float);"
        " INSERT INTO shardctl.moves VALUES (10485760, 5, 'done', 'move', now(), 0.25)"
    )
    try:
        data = shardctl("plan", dsn=grown.dsn, format="json").data
    finally:
        grown.sql("SET citus.enable_ddl_propagation TO off; DROP SCHEMA shardctl CASCADE")
    assert data["speed"]["source"] == "journal"
    assert data["speed"]["bytes_per_second"] == 10485760 / 5
    assert data["stall"]["catch_up_seconds"] == 0.25


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
