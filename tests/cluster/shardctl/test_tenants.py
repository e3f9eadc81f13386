"""shardctl tenants: which keys were heavy over time, and what became of isolated ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sharding.inspection import tenancy
from sharding.inspection.tenancy import Use
from tests import throwaway
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway

HEAVY = "SELECT md5('user 1')::uuid::text"
USE = Use(
    key="k", colocation_id=1, queries=1, cpu_seconds=1, periods=1, share=0.5, shard=1, node="n",
    is_isolated=True,
)  # fmt: skip


@pytest.fixture(scope="module")
def tracked() -> Iterator[Throwaway]:
    """A cluster that counts keys, in periods of a second."""
    settings = {"citus.stat_tenants_track": "'all'", "citus.stat_tenants_period": "1"}
    with throwaway.cluster(workers=2, settings=settings) as made:
        yield made


def test_what_is_recorded_is_summed_up_by_key(shardctl: Shardctl, tracked: Throwaway) -> None:
    key = tracked.value(HEAVY)
    before = shardctl("tenants", dsn=tracked.dsn, format="json")
    assert (before.code, before.data["recorded"], before.data["keys"]) == (0, False, [])
    seen: list[str] = []
    while key not in seen:
        for _ in range(20):
            tracked.sql("SELECT count(*) FROM orders WHERE user_id = %s", [key])
        assert shardctl("tenants", "--record", dsn=tracked.dsn).code == 0
        after = shardctl("tenants", dsn=tracked.dsn, format="json").data
        seen = [use["key"] for use in after["keys"]]
    (use,) = [use for use in after["keys"] if use["key"] == key]
    shard = tracked.value("SELECT get_shard_id_for_distribution_column('users', %s::uuid)", [key])
    assert use["shard"] == shard
    assert use["queries"] >= 1
    assert 0 < use["share"] <= 1
    assert key in shardctl("tenants", dsn=tracked.dsn).out


def test_an_isolated_key_is_listed_with_what_to_do_about_it(
    shardctl: Shardctl, tracked: Throwaway
) -> None:
    quiet = tracked.value("SELECT md5('user 2')::uuid::text")
    tracked.sql(
        "SELECT isolate_tenant_to_new_shard('users', %s::uuid, 'CASCADE',"
        " shard_transfer_mode => 'block_writes')",
        [quiet],
    )
    shardctl("tenants", "--record", dsn=tracked.dsn)
    (isolated,) = shardctl("tenants", dsn=tracked.dsn, format="json").data["isolated"]
    shard = tracked.value("SELECT get_shard_id_for_distribution_column('users', %s::uuid)", [quiet])
    assert isolated["shard"] == shard
    assert "cannot merge" in isolated["advice"]


@pytest.mark.parametrize(
    ("use", "recorded", "said"),
    [
        (None, False, "Nothing was recorded"),
        (None, True, "not heavy any more"),
        (USE, True, "worth its own shard"),
    ],
)
def test_the_advice_follows_the_use(use: Use | None, recorded: bool, said: str) -> None:
    assert said in tenancy.advice(use, recorded=recorded)
