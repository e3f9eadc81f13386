"""A node that does not answer costs its users a hop, and is tried again later."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connections

from sharding.django import map_cache, routing
from sharding.django.failures import NodeHasLeft
from sharding.django.transactions import atomic
from sharding.shard_map import Node
from shop.accounts.models import User
from shop.core.db import retried
from tests.cluster.routing.conftest import Door, UserOn, statements

Nodes = tuple[Node, ...]


@pytest.fixture
def alias(nodes: Nodes) -> str:
    return f"node_{nodes[0].group_id}"


@pytest.fixture
def user_id(nodes: Nodes, user_on: UserOn) -> UUID:
    user_id = user_on(nodes[0])
    User.objects.using("default").create(id=user_id, username="dora", email="d@example.com")
    return user_id


def asked(user_id: UUID) -> str:
    """Read the user; return the alias that answered."""
    found = User.objects.for_user(user_id).get()
    assert found.username == "dora"
    return str(found._state.db)


def wait_out() -> None:
    """Let the time pass for which a node is skipped."""
    for name in routing._skipped_until:
        routing._skipped_until[name] = 0.0


def test_a_node_that_refuses_is_skipped_and_comes_back(
    alias: str, user_id: UUID, door: Door
) -> None:
    assert asked(user_id) == alias
    door.close()
    connections[alias].close()  # as at the end of a request
    assert asked(user_id) == "default"
    door.open()
    assert asked(user_id) == "default"  # for some seconds it is not even tried
    wait_out()
    assert asked(user_id) == alias


def test_a_node_that_still_refuses_is_skipped_again(alias: str, user_id: UUID, door: Door) -> None:
    door.close()
    assert asked(user_id) == "default"
    wait_out()
    assert asked(user_id) == "default"
    assert routing._skipped_until[alias] > 0


def test_a_connection_that_died_between_requests_is_made_anew(
    alias: str, user_id: UUID, door: Door
) -> None:
    assert asked(user_id) == alias
    door.cut()
    connections[alias].health_check_enabled = True
    connections[alias].health_check_done = False  # a new request begins
    assert asked(user_id) == alias


def test_a_connection_that_dies_in_a_request_costs_no_read(
    alias: str, user_id: UUID, door: Door
) -> None:
    found = User.objects.for_user(user_id).get()
    door.close()
    with statements() as sent:
        assert User.objects.for_user(user_id).get() == found
        found.save()
        assert asked(user_id) == "default"
    assert sent[-1][0] == "default"
    assert routing._skipped_until[alias] > 0


def test_a_transaction_whose_node_dies_is_undone(alias: str, user_id: UUID, door: Door) -> None:
    def break_off() -> None:
        with atomic(User, user_id):
            User.objects.for_user(user_id).update(first_name="Dora")
            door.close()
            User.objects.for_user(user_id).exists()

    with pytest.raises(OperationalError):
        break_off()
    with atomic(User, user_id):
        assert User.objects.for_user(user_id).get().first_name == ""


def test_a_transaction_is_opened_on_the_coordinator_when_the_node_refuses(
    alias: str, user_id: UUID, door: Door
) -> None:
    door.close()
    with statements() as sent, atomic(User, user_id):
        User.objects.for_user(user_id).update(first_name="Dora")
    assert {used for used, _ in sent} == {"default"}


@pytest.fixture
def without_tables(alias: str, user_id: UUID) -> Iterator[None]:
    """The node of a map that is out of date: it was taken out of the cluster, and emptied."""
    assert asked(user_id) == alias
    with connections[alias].cursor() as cursor:
        cursor.execute("SET search_path TO pg_catalog")
    yield
    connections[alias].close()


@pytest.mark.usefixtures("without_tables")
def test_a_read_on_a_node_that_has_left_is_sent_to_the_coordinator(user_id: UUID) -> None:
    with statements() as sent:
        asked(user_id)
    assert sent[-1][0] == "default"


@pytest.mark.usefixtures("without_tables")
def test_a_transaction_on_a_node_that_has_left_begins_anew_elsewhere(user_id: UUID) -> None:
    @retried
    def rename() -> None:
        with atomic(User, user_id):
            User.objects.for_user(user_id).update(first_name="Dora")

    rename()
    assert User.objects.for_user(user_id).get().first_name == "Dora"


@pytest.mark.usefixtures("without_tables")
def test_only_who_opened_a_transaction_is_told_that_its_node_has_left(user_id: UUID) -> None:
    with pytest.raises(NodeHasLeft), atomic(User, user_id), atomic(User, user_id):
        User.objects.for_user(user_id).update(first_name="Dora")


def test_a_pooler_whose_server_is_gone_is_skipped(
    alias: str, user_id: UUID, nodes: Nodes, pooler: Callable[[int], int], settings: Any
) -> None:
    port = pooler(1)
    settings.DATABASE_POOLER_PORT_OFFSET = port - nodes[0].port
    assert asked(user_id) == "default"
    assert routing._skipped_until[alias] > 0


def test_a_pooler_that_works_is_used(
    alias: str, user_id: UUID, nodes: Nodes, pooler: Callable[[int], int], settings: Any
) -> None:
    port = pooler(nodes[0].port)
    settings.DATABASE_POOLER_PORT_OFFSET = port - nodes[0].port
    assert asked(user_id) == alias


def test_a_pooler_that_loses_its_server_is_skipped(
    alias: str, user_id: UUID, door: Door, pooler: Callable[[int], int], settings: Any
) -> None:
    """It goes on taking clients: only a query shows it."""
    settings.DATABASE_POOLER_PORT_OFFSET = pooler(door.port) - door.node.port
    assert asked(user_id) == alias
    door.close()
    connections[alias].close()
    assert asked(user_id) == "default"


def test_a_failure_makes_the_map_be_read_again(user_id: UUID, door: Door) -> None:
    asked(user_id)
    door.close()
    connections[f"node_{door.node.group_id}"].close()
    map_cache._cache.tried_at = 0.0
    asked(user_id)
    with statements() as sent:
        asked(user_id)
    assert any("pg_dist_shard" in sql for _, sql in sent)


def test_a_node_that_citus_calls_inactive_is_not_asked(
    alias: str, user_id: UUID, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = nodes[0]._replace(answers=False)
    monkeypatch.setattr(routing, "_holder", lambda model, key: gone)
    assert asked(user_id) == "default"
