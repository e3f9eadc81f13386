"""For how long a statement has kept writes waiting: never less than it was."""

from datetime import timedelta

from sharding.cluster import Cluster
from sharding.moving.call import Call


def ended(cluster: Cluster, sql: str) -> Call:
    """A call that has ended before anybody looked."""
    call = Call(cluster, sql, [], name="tests")
    call.start()
    assert call.wait(30)
    call.close()
    return call


def test_a_write_block_that_no_look_fell_into_counts_from_the_look_before(cluster: Cluster) -> None:
    call = ended(cluster, "SELECT 1")
    assert timedelta(0) < call.blocked <= call.took


def test_a_look_that_came_too_late_does_not_count(cluster: Cluster) -> None:
    call = ended(cluster, "SELECT 1")
    call.look()
    assert timedelta(0) < call.blocked <= call.took


def test_a_statement_that_failed_before_it_blocked_anything_has_not_blocked(
    cluster: Cluster,
) -> None:
    call = ended(cluster, "SELECT 1 / 0")
    assert call.error is not None
    assert call.blocked == timedelta(0)
