"""Connections to a cluster: bounded in time, read-only unless said otherwise, told in sentences."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from sharding.cluster import Cluster, split_answers
from sharding.errors import CoordinatorLost, NodeNotAvailable, QueryFailed
from tests import throwaway
from tests.throwaway import Throwaway


@pytest.fixture(scope="module")
def small() -> Iterator[Throwaway]:
    with throwaway.cluster(workers=1, schema=False) as made:
        yield made


@pytest.fixture
def connected(small: Throwaway) -> Iterator[Cluster]:
    with Cluster.connect(small.dsn) as cluster:
        yield cluster


def test_every_session_is_read_only(connected: Cluster) -> None:
    with pytest.raises(QueryFailed) as refused:
        connected.execute("CREATE TABLE something ()")
    assert refused.value.sqlstate == "25006"
    for node in connected.nodes():
        with connected.on(node) as session, pytest.raises(QueryFailed, match="read-only"):
            session.execute("CREATE TABLE something ()")


def test_who_wants_to_change_something_says_so(small: Throwaway) -> None:
    with Cluster.connect(small.dsn, read_only=False) as cluster:
        cluster.execute("CREATE TEMPORARY TABLE something ()")


def test_nodes_are_what_the_catalogue_says(connected: Cluster, small: Throwaway) -> None:
    coordinator, worker = connected.nodes()
    assert (coordinator.name, worker.name) == (small.coordinator.address, small.worker(1).address)
    assert coordinator.is_coordinator
    assert not worker.is_coordinator
    assert worker.is_primary
    assert worker.should_have_shards


def test_each_node_is_asked_by_itself(connected: Cluster, small: Throwaway) -> None:
    answers = connected.on_each(connected.nodes(), lambda s: s.value("SHOW port"))
    assert list(answers.values()) == [
        str(server.port) for server in (small.coordinator, small.worker(1))
    ]


def test_an_error_of_one_node_is_its_answer(connected: Cluster, small: Throwaway) -> None:
    sql = f"SELECT 1 / (current_setting('port')::int - {small.worker(1).port})"
    good, bad = split_answers(connected.on_each(connected.nodes(), lambda s: s.value(sql)))
    assert [node.name for node in good] == [small.coordinator.address]
    (error,) = bad.values()
    assert isinstance(error, QueryFailed)
    assert error.sqlstate == "22012"
    assert str(error) == f"{small.worker(1).address}: division by zero."


def test_a_node_that_takes_too_long_is_given_up(connected: Cluster) -> None:
    answers = connected.on_each(
        connected.nodes(), lambda s: s.value("SELECT pg_sleep(20)"), seconds=0.3
    )
    assert all(isinstance(answer, NodeNotAvailable | QueryFailed) for answer in answers.values())


def test_a_node_that_was_silent_is_not_asked_again_at_once(
    connected: Cluster, small: Throwaway
) -> None:
    small.worker(1).stop()
    asked = []
    try:
        connected.on_each(connected.nodes(), lambda s: asked.append(s.name))
    finally:
        small.worker(1).start()
    again = connected.on_each(connected.nodes(), lambda s: asked.append(s.name))
    assert asked == [small.coordinator.address] * 2
    assert [isinstance(answer, NodeNotAvailable) for answer in again.values()] == [False, True]


def test_a_statement_is_bounded_and_the_bound_is_put_back(connected: Cluster) -> None:
    session = connected.coordinator
    with session.limited(timedelta(milliseconds=50)), pytest.raises(QueryFailed) as ended:
        session.execute("SELECT pg_sleep(10)")
    assert ended.value.sqlstate == "57014"
    assert session.value("SHOW statement_timeout") == "30s"


def test_a_statement_can_be_cancelled_from_another_thread(connected: Cluster) -> None:
    session = connected.coordinator
    timer = threading.Timer(0.2, session.cancel)
    timer.start()
    with pytest.raises(QueryFailed, match="user request"):
        session.execute("SELECT pg_sleep(10)")


def test_ctrl_c_ends_what_runs_on_the_nodes(connected: Cluster, small: Throwaway) -> None:
    """The thread that waits is interrupted; the servers are told to stop."""
    running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'"

    def interrupt() -> None:
        import _thread

        while not small.value(running):
            time.sleep(0.05)
        _thread.interrupt_main()

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        connected.on_each(
            connected.nodes()[:1], lambda s: s.execute("SELECT pg_sleep(30)"), seconds=None
        )
    while small.value(running):
        time.sleep(0.05)


def test_a_server_that_ends_the_connection_is_named(small: Throwaway) -> None:
    with Cluster.connect(small.dsn, read_only=False) as cluster:
        pid = cluster.value("SELECT pg_backend_pid()")
        small.sql("SELECT pg_terminate_backend(%s)", [pid])
        with pytest.raises(CoordinatorLost, match=f"{small.coordinator.address} broke off"):
            cluster.query("SELECT 1")


def test_transactions_are_rolled_back_when_something_goes_wrong(small: Throwaway) -> None:
    with Cluster.connect(small.dsn, read_only=False) as cluster:
        session = cluster.coordinator
        with pytest.raises(QueryFailed), session.transaction():
            session.query("CREATE TABLE kept (); SELECT 1 / 0")
        assert session.value("SELECT to_regclass('kept')") is None
