"""The figures of the cluster are what its nodes say, and a silent node has none but that."""

from collections.abc import Iterator

import pytest

from sharding.django import readings
from sharding.django.readings import Reading
from tests import throwaway
from tests.native import native

Values = dict[str, dict[tuple[str, ...], float]]

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
@native("starts a Citus cluster of its own")
def made() -> Iterator[throwaway.Throwaway]:
    with throwaway.cluster(workers=2, settings={"citus.stat_tenants_track": "'all'"}) as cluster:
        yield cluster


def values(found: Iterator[Reading]) -> Values:
    """Return the readings by figure and labels."""
    sorted_: Values = {}
    for one in found:
        sorted_.setdefault(one.figure.name, {})[one.labels] = one.value
    return sorted_


def test_each_node_says_how_it_is(made: throwaway.Throwaway) -> None:
    found = values(readings.nodes(made.dsn))
    nodes = {(server.address,) for server in made.servers[:3]}
    for name in (
        "sharding_node_up",
        "sharding_node_connections",
        "sharding_longest_transaction_seconds",
    ):
        assert found[name].keys() == nodes
    assert set(found["sharding_node_up"].values()) == {1}
    roles = sorted((role, alias) for _, alias, role in found["sharding_node_info"])
    assert [role for role, _ in roles] == ["coordinator", "worker", "worker"]
    assert roles[0][1] == "default"
    assert found["sharding_rebalance_running"] == {(): 0}


def test_prepared_transactions_and_their_age_are_seen(made: throwaway.Throwaway) -> None:
    worker = made.worker(1)
    connection = worker.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("CREATE TABLE stray (id int)")
            cursor.execute("PREPARE TRANSACTION 'stray'")
            found = values(readings.nodes(made.dsn))
            assert found["sharding_prepared_transactions"][worker.address,] == 1
            assert found["sharding_oldest_prepared_transaction_seconds"][worker.address,] > 0
            cursor.execute("ROLLBACK PREPARED 'stray'")
    finally:
        connection.close()
    found = values(readings.nodes(made.dsn))
    assert found["sharding_oldest_prepared_transaction_seconds"][worker.address,] == 0


def test_shards_and_their_bytes_are_counted_where_they_lie(made: throwaway.Throwaway) -> None:
    found = values(readings.shards(made.dsn))
    counted = dict(
        made.sql(
            "SELECT nodename || ':' || nodeport, count(*) FROM citus_shards"
            " GROUP BY nodename, nodeport"
        )
    )
    assert {
        name: count for (name,), count in found["sharding_node_shards"].items() if count
    } == counted
    assert all(found["sharding_node_bytes"][name,] > 0 for name in counted)


def test_one_busy_user_shows_as_a_share_and_not_as_a_name(made: throwaway.Throwaway) -> None:
    user = made.value("SELECT id FROM users LIMIT 1")
    for _ in range(50):
        made.sql("SELECT count(*) FROM orders WHERE user_id = %s", [user])
    found = values(readings.tenants(made.dsn))
    assert found["sharding_heaviest_tenant_share"][()] > 0.2
    assert found["sharding_heavy_tenants"][()] >= 1
    assert str(user) not in repr(found)


def test_a_node_that_is_gone_is_down_and_has_no_other_figure(made: throwaway.Throwaway) -> None:
    worker = made.worker(2)
    worker.kill()
    try:
        found = values(readings.nodes(made.dsn))
        assert found["sharding_node_up"][worker.address,] == 0
        assert found["sharding_node_up"][made.worker(1).address,] == 1
        assert (worker.address,) not in found["sharding_node_connections"]
        assert (worker.address,) not in values(readings.shards(made.dsn))["sharding_node_shards"]
    finally:
        worker.start()


def test_without_the_coordinator_only_that_is_known() -> None:
    found = values(readings.nodes("postgresql://nobody@127.0.0.1:1/none"))
    assert found == {"sharding_node_up": {("127.0.0.1:1",): 0}}


def test_without_citus_the_only_node_says_how_it_is(made: throwaway.Throwaway) -> None:
    made.sql("CREATE DATABASE plain")
    dsn = made.servers[0].dsn_of("plain")
    found = values(readings.nodes(dsn))
    assert found["sharding_node_up"] == {(made.servers[0].address,): 1}
    assert values(readings.shards(dsn)) == values(readings.tenants(dsn)) == {}
