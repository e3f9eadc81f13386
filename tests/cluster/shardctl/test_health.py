"""shardctl health: what PostgreSQL counts for each shard, and what should be done about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sharding.inspection import upkeep
from sharding.inspection.upkeep import ShardUpkeep
from tests import throwaway
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway

FINE = ShardUpkeep(
    node="127.0.0.1:1",
    shard="orders_102008",
    table="orders",
    live=9_000,
    dead=1_000,
    vacuumed_at=None,
    analyzed_at=None,
    xid_age=1_000,
    bytes=2**20,
    index_bytes=2**25,
    bloat=1.2,
)


@pytest.fixture(scope="module")
def neglected() -> Iterator[Throwaway]:
    """A cluster without autovacuum, with a user whose orders were all rewritten."""
    settings = {"shared_preload_libraries": "'citus,pg_stat_statements'"}
    with throwaway.cluster(workers=2, settings=settings) as made:
        made.sql("CREATE EXTENSION pg_stat_statements")
        made.sql(
            "INSERT INTO orders SELECT id, n, 1, 'x' FROM users, generate_series(1000, 2500) n"
            " WHERE id = md5('user 1')::uuid"
        )
        made.sql("ANALYZE orders")
        made.sql("DELETE FROM orders WHERE user_id = md5('user 1')::uuid")
        for worker in made.workers:
            worker.sql("SELECT pg_stat_clear_snapshot()")
        yield made


def test_a_shard_full_of_dead_rows_is_named(shardctl: Shardctl, neglected: Throwaway) -> None:
    home = neglected.value(
        "SELECT shard_name('orders',"
        " get_shard_id_for_distribution_column('orders', md5('user 1')::uuid))"
    )
    answer = shardctl("health", dsn=neglected.dsn, format="json")
    assert answer.code == 0
    worst = answer.data["shards"][0]
    assert worst["shard"] == home
    assert worst["dead"] >= 1500
    (found,) = [f for f in answer.data["findings"] if f["code"] == "dead-rows"]
    assert found["message"].startswith(home)
    assert shardctl("health", "--strict", dsn=neglected.dsn).code == 1


def test_the_costliest_statements_are_told_by_shard(
    shardctl: Shardctl, neglected: Throwaway
) -> None:
    answer = shardctl("health", "--table", "orders", dsn=neglected.dsn, format="json")
    assert {s["shard"].rpartition("_")[0] for s in answer.data["statements"]} == {"orders"}
    assert any("DELETE" in s["text"] for s in answer.data["statements"])


def test_a_table_can_be_chosen_and_the_order(shardctl: Shardctl, citus: Throwaway) -> None:
    answer = shardctl("health", "--table", "stock", "--by", "xid", dsn=citus.dsn, format="json")
    assert {shard["table"] for shard in answer.data["shards"]} == {"stock"}
    ages = [shard["xid_age"] for shard in answer.data["shards"]]
    assert ages == sorted(ages, reverse=True)
    assert shardctl("health", "--table", "nonsense", dsn=citus.dsn).code == 2


@pytest.mark.parametrize(
    ("shard", "codes"),
    [
        (FINE, []),
        (replace(FINE, dead=20_000), ["dead-rows"]),
        (replace(FINE, live=1, dead=999), []),
        (replace(FINE, live=None, dead=None), []),
        (replace(FINE, xid_age=200_000_001), ["xid-age"]),
        (replace(FINE, bloat=2.5), ["index-bloat"]),
        (replace(FINE, bloat=2.5, index_bytes=2**20), []),
    ],
)
def test_what_is_worth_a_warning(shard: ShardUpkeep, codes: list[str]) -> None:
    assert [finding.code for finding in upkeep.judge(shard, 200_000_000)] == codes
