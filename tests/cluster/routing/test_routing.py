"""for_user goes straight to the node that holds the user, or else to the coordinator."""

import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from sharding.django import map_cache, routing
from sharding.django.models import DistributedModel
from sharding.shard_map import Node
from shop.accounts.models import Identity, User
from shop.inventory.models import Stock
from shop.orders.models import Order
from tests.cluster.routing.conftest import UserOn, shard_of, statements, the_map

Nodes = tuple[Node, ...]


def node_asked(alias: str) -> int:
    """Return the number by which the node that answers knows itself in the cluster."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT groupid, current_database() FROM pg_dist_local_group")
        group_id, database = cursor.fetchone()
    assert database == connections["default"].settings_dict["NAME"]
    return group_id


def test_a_user_is_looked_up_on_the_node_that_holds_them(nodes: Nodes, user_on: UserOn) -> None:
    for node in nodes:
        user_id = user_on(node)
        with statements() as sent:
            assert not User.objects.for_user(user_id).exists()
            assert list(Order.objects.for_user(user_id)) == []
        assert {alias for alias, sql in sent if "_user" in sql or "_order" in sql} == {
            f"node_{node.group_id}"
        }
        assert node_asked(f"node_{node.group_id}") == node.group_id


@pytest.mark.parametrize(("model", "keys"), [(Stock, range(20)), (Identity, map(str, range(20)))])
def test_other_keys_have_nodes_of_their_own(model: type[DistributedModel], keys: Any) -> None:
    found, used = the_map(), set()
    for key in keys:
        node = found.find(model._meta.db_table, key).node
        assert model.objects.for_key(key).db == f"node_{node.group_id}"
        used.add(node)
    assert len(used) > 1


def test_what_was_read_on_a_node_is_written_there(ana: User) -> None:
    alias = f"node_{shard_of(ana.id).node.group_id}"
    found = User.objects.for_user(ana.id).get()
    assert found._state.db == alias
    with statements() as sent:
        found.save(update_fields=["first_name"])
        found.refresh_from_db()
    assert {used for used, _ in sent} == {alias}


def test_an_alias_that_is_named_overrules_the_key(ana: User) -> None:
    assert User.objects.using("default").for_user(ana.id).db == "default"
    assert User.objects.for_user(ana.id).using("default").get()._state.db == "default"


def test_routing_can_be_switched_off(ana: User, settings: Any) -> None:
    settings.SHARD_ROUTING = False
    with statements() as sent:
        assert User.objects.for_user(ana.id).get() == ana
    assert {alias for alias, _ in sent} == {"default"}


@pytest.mark.parametrize("key", ["no uuid", 7])
def test_a_key_that_is_none_is_left_to_the_coordinator(key: object) -> None:
    assert routing.alias_for(User, key) == "default"


def test_the_map_is_read_once_in_its_time(
    nodes: Nodes, user_on: UserOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reads() -> int:
        with statements() as sent:
            for node in nodes:
                assert routing.alias_for(User, user_on(node)) == f"node_{node.group_id}"
        return sum("pg_dist_shard" in sql for _, sql in sent)

    assert [reads(), reads()] == [1, 0]
    monkeypatch.setattr(map_cache._cache, "expires_at", 0.0)
    assert [reads(), reads()] == [1, 0]


def test_a_map_that_cannot_be_read_again_stays(
    nodes: Nodes, user_on: UserOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, default = user_on(nodes[0]), connections["default"]
    alias = routing.alias_for(User, user_id)
    with monkeypatch.context() as patch:
        patch.setattr(map_cache._cache, "expires_at", 0.0)
        default.close()
        patch.setattr(default, "settings_dict", {**default.settings_dict, "PORT": "1"})
        assert routing.alias_for(User, user_id) == alias


def test_an_outdated_map_is_not_used_while_another_thread_renews_it(
    nodes: Nodes, user_on: UserOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = user_on(nodes[0])
    assert routing.alias_for(User, user_id) != "default"
    monkeypatch.setattr(map_cache._cache, "expires_at", 0.0)
    with map_cache._cache.lock:
        assert routing.alias_for(User, user_id) != "default"  # a little old: still good
        monkeypatch.setattr(map_cache._cache, "unusable_at", 0.0)
        assert routing.alias_for(User, user_id) == "default"


def test_threads_have_connections_of_their_own_to_the_same_nodes(
    nodes: Nodes, user_on: UserOn
) -> None:
    users = [user_on(node) for node in nodes] * 4
    seen: list[tuple[UUID, str, int]] = []

    def ask(user_id: UUID) -> None:
        try:
            alias = routing.alias_for(User, user_id)
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                seen.append((user_id, alias, cursor.fetchone()[0]))
            meeting.wait()
        finally:
            connections.close_all()

    meeting = threading.Barrier(len(users))
    assert map_cache.current() is not None
    threads = [threading.Thread(target=ask, args=[user_id]) for user_id in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    expected = {
        node_user: f"node_{node.group_id}" for node_user, node in zip(users, nodes * 4, strict=True)
    }
    assert [alias for user_id, alias, _ in seen if alias != expected[user_id]] == []
    assert len({(alias, pid) for _, alias, pid in seen}) == len(users)


def test_connections_to_nodes_end_with_the_request_like_the_others(
    nodes: Nodes, user_on: UserOn
) -> None:
    from django.db import close_old_connections

    alias = routing.alias_for(User, user_on(nodes[0]))
    assert connections[alias].connection is not None
    connections[alias].close_at = 0.0  # CONN_MAX_AGE is over
    close_old_connections()
    assert connections[alias].connection is None


def test_a_forked_process_reads_a_map_of_its_own(nodes: Nodes, user_on: UserOn) -> None:
    routing.alias_for(User, user_on(nodes[0]))
    assert map_cache._cache.map is not None
    with map_cache._cache.lock:
        map_cache.reset()  # what os.register_at_fork calls in the child
        assert map_cache._cache.map is None
        assert map_cache.current() is not None
