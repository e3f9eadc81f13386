"""shardctl shards and skew: where the shards stand, how large and how busy they are."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from uuid import UUID

import pytest

from tests import throwaway
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway


def test_every_shard_of_a_table_is_listed_where_it_stands(
    shardctl: Shardctl, citus: Throwaway
) -> None:
    answer = shardctl("shards", "orders", dsn=citus.dsn, format="json")
    server = citus.sql(
        "SELECT shardid, nodename || ':' || nodeport AS node, shard_size, shard_name"
        "  FROM citus_shards WHERE table_name = 'orders'::regclass"
    )
    assert {(s["shard"], s["node"], s["bytes"], s["relation"]) for s in answer.data} == {
        (row.shardid, row.node, row.shard_size, row.shard_name) for row in server
    }


def test_groups_cover_every_hash_once(shardctl: Shardctl, citus: Throwaway) -> None:
    lines = shardctl("shards", dsn=citus.dsn, format="json").data
    for number in {line["colocation_id"] for line in lines}:
        mine = sorted((x["lowest"], x["highest"]) for x in lines if x["colocation_id"] == number)
        assert mine[0][0] == -(2**31)
        assert mine[-1][1] == 2**31 - 1
        assert all(a[1] + 1 == b[0] for a, b in itertools.pairwise(mine))


def test_shards_of_one_node_the_largest_first(shardctl: Shardctl, citus: Throwaway) -> None:
    node = citus.worker(2).address
    lines = shardctl("shards", "--node", node, "--by-size", dsn=citus.dsn, format="json").data
    assert {line["node"] for line in lines} == {node}
    sizes = [line["bytes"] for line in lines]
    assert sizes == sorted(sizes, reverse=True)


def test_a_reference_table_stands_on_every_node(shardctl: Shardctl, citus: Throwaway) -> None:
    lines = shardctl("shards", "public.products", dsn=citus.dsn, format="json").data
    assert {line["node"] for line in lines} == {server.address for server in citus.servers}


@pytest.fixture(scope="module")
def busy() -> Iterator[Throwaway]:
    """A cluster with one heavy user, and tracking switched on."""
    tracked = {"citus.stat_tenants_track": "'all'"}
    with throwaway.cluster(settings=tracked) as made:
        made.sql(
            "INSERT INTO orders SELECT md5('user 7')::uuid, n, 1, repeat('x', 500)"
            " FROM generate_series(100, 3000) n"
        )
        yield made


def test_skew_names_the_heavy_shard_and_the_heavy_user(shardctl: Shardctl, busy: Throwaway) -> None:
    ana = busy.value("SELECT md5('user 7')::uuid::text")
    for _ in range(5):
        busy.sql(f"SELECT count(*) FROM orders WHERE user_id = '{ana}'")
    time.sleep(1.2)  # servers hand in their counters once a second
    data = shardctl("skew", dsn=busy.dsn, format="json").data
    shard = busy.value("SELECT get_shard_id_for_distribution_column('users', md5('user 7')::uuid)")
    heaviest = max(data["shard_groups"], key=lambda load: load["bytes"])
    assert heaviest["name"] == str(shard)
    assert heaviest["rows"] > 2900
    assert data["uneven"]["rows"] > 0.5
    assert data["untracked"] == []
    assert data["tenants"][0]["key"] == str(UUID(ana))
    assert data["tenants"][0]["shard"] == shard
    assert data["tenants"][0]["queries"] >= 5


def test_traffic_can_be_counted_for_some_seconds(shardctl: Shardctl, busy: Throwaway) -> None:
    quiet = shardctl("skew", "--seconds", "0.2", dsn=busy.dsn, format="json").data
    assert quiet["seconds"] == 0.2
    assert sum(load["writes"] for load in quiet["shard_groups"]) == 0


def test_the_bars_fit_the_terminal(
    shardctl: Shardctl, busy: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for line in (["skew"], ["skew", "--by", "traffic"], ["shards"], ["shards", "orders"]):
        out = shardctl(*line, dsn=busy.dsn).out
        assert "█" in out
        assert "…" not in out
        assert max(len(row.rstrip()) for row in out.splitlines()) <= 80


def test_where_nobody_tracks_users_skew_says_how_to(shardctl: Shardctl, citus: Throwaway) -> None:
    answer = shardctl("skew", dsn=citus.dsn)
    assert "citus.stat_tenants_track" in answer.out
    data = shardctl("skew", dsn=citus.dsn, format="json").data
    assert set(data["untracked"]) == {server.address for server in citus.servers}
