"""isolate and split: keys of each type, and what is in the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.shardctl.acting.conftest import YES, Writer, assert_clean, quick_cluster, sums
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway

SHARD = "SELECT get_shard_id_for_distribution_column('users', %s::uuid)"


@pytest.fixture(scope="module")
def made() -> Iterator[Throwaway]:
    with quick_cluster(workers=2) as cluster:
        yield cluster


def test_a_heavy_user_gets_a_group_of_their_own_on_another_node(
    made: Throwaway, shardctl: Shardctl
) -> None:
    key = made.value("SELECT md5('user 7')::uuid::text")
    before = sums(made)
    home = made.value("SELECT nodeport FROM citus_shards WHERE shardid = (" + SHARD + ")", [key])
    other = next(worker for worker in made.workers if worker.port != home)
    with Writer(made) as writer:
        answer = shardctl(
            "isolate", key, "--to", other.address, *YES, dsn=made.dsn, format="json"
        )  # fmt: skip
    assert answer.code == 0, answer.err
    assert writer.errors == []
    alone = [g for g in answer.data["groups"] if g["lowest"] == g["highest"]]
    assert len(alone) == 1
    assert alone[0]["node"] == other.address
    shard = made.value(SHARD, [key])
    assert shard == answer.data["isolated"]
    assert other.value(f"SELECT count(*) FROM users_{shard}") == 1
    after = sums(made)
    assert after["users"] == before["users"]
    assert after["orders"].rows == before["orders"].rows + writer.written
    assert_clean(made)


def test_a_key_that_is_alone_already_is_refused(made: Throwaway, shardctl: Shardctl) -> None:
    key = made.value("SELECT md5('user 7')::uuid::text")
    answer = shardctl("isolate", key, *YES, dsn=made.dsn)
    assert answer.code == 2
    assert "already" in answer.err


@pytest.mark.parametrize(
    ("key", "table"), [("email:user9@example.com", "identities"), ("31", "stock")]
)
def test_keys_of_other_types_are_isolated_as_well(
    made: Throwaway, shardctl: Shardctl, key: str, table: str
) -> None:
    before = sums(made)
    answer = shardctl("isolate", key, "--table", table, *YES, dsn=made.dsn, format="json")
    assert answer.code == 0, answer.err
    shard = answer.data["isolated"]
    rows = made.sql("SELECT nodeport FROM citus_shards WHERE shardid = %s", [shard])
    worker = next(worker for worker in made.workers if worker.port == rows[0][0])
    assert worker.value(f"SELECT count(*) FROM {table}_{shard}") == 1
    assert sums(made) == before
    assert_clean(made)


def test_a_group_is_split_in_the_middle(made: Throwaway, shardctl: Shardctl) -> None:
    before = sums(made)
    shard = made.value(
        "SELECT min(shardid) FROM pg_dist_shard WHERE logicalrelid = 'users'::regclass"
        " AND shardminvalue <> shardmaxvalue"
    )
    answer = shardctl("split", str(shard), *YES, dsn=made.dsn, format="json")
    assert answer.code == 0, answer.err
    low, high = answer.data["groups"]
    assert low["highest"] + 1 == high["lowest"]
    assert abs((low["highest"] - low["lowest"]) - (high["highest"] - high["lowest"])) <= 1
    assert sums(made) == before
    assert_clean(made)


def test_an_old_shard_id_is_not_taken_for_a_key(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("split", "102008", *YES, dsn=made.dsn)
    assert answer.code == 2


def test_a_point_outside_the_group_is_refused(made: Throwaway, shardctl: Shardctl) -> None:
    shard = made.value("SELECT min(shardid) FROM pg_dist_shard WHERE shardminvalue LIKE '-%'")
    answer = shardctl("split", str(shard), "--at", "2147483647", *YES, dsn=made.dsn)
    assert answer.code == 2
    assert "2147483647" in answer.err


def test_a_server_that_allows_no_decoder_is_refused_before_anything_is_copied(
    made: Throwaway, shardctl: Shardctl
) -> None:
    if not made.sql("SELECT 1 FROM pg_settings WHERE name = 'output_plugin_libraries'"):
        pytest.skip("this PostgreSQL has no list of output plugins")
    shard = made.value("SELECT max(shardid) FROM pg_dist_shard")
    for worker in made.workers:
        worker.sql("ALTER SYSTEM SET output_plugin_libraries = pgoutput")
        worker.sql("SELECT pg_reload_conf()")
    try:
        answer = shardctl("split", str(shard), *YES, dsn=made.dsn)
    finally:
        for worker in made.workers:
            worker.sql("ALTER SYSTEM SET output_plugin_libraries = pgoutput, citus")
            worker.sql("SELECT pg_reload_conf()")
    assert answer.code == 4
    assert "output_plugin_libraries" in answer.err
