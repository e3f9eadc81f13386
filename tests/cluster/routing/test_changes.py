"""Shards move and nodes come while the application runs."""

from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from django.db import connections

from sharding.django import map_cache, routing
from sharding.ids import new_id
from sharding.shard_map import Node
from shop.accounts.models import User
from tests import throwaway
from tests.cluster.conftest import through
from tests.cluster.routing.conftest import shard_of, statements, the_map
from tests.native import native


def move(user_id: UUID, target: Node | None = None) -> Node:
    """Move a user's shard, and all that is colocated, to another node; return where it was."""
    shard = shard_of(user_id)
    target = target or next(node for node in the_map().nodes if node != shard.node)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT citus_move_shard_placement(%s, %s, %s, %s, %s, 'block_writes')",
            [shard.id, shard.node.host, shard.node.port, target.host, target.port],
        )
    return shard.node


def test_a_shard_that_moved_is_found_before_and_after_the_map_follows(ana: User) -> None:
    old = f"node_{shard_of(ana.id).node.group_id}"
    assert User.objects.for_user(ana.id).get()._state.db == old
    home = move(ana.id)
    new = f"node_{shard_of(ana.id).node.group_id}"
    assert new != old
    found = User.objects.for_user(ana.id).get()  # the old node forwards
    assert found._state.db == old
    found.first_name = "Ana"
    found.save()
    map_cache._cache.expires_at = 0.0
    found = User.objects.for_user(ana.id).get()
    assert (found._state.db, found.first_name) == (new, "Ana")
    move(ana.id, home)


def test_a_read_that_meets_a_removed_shard_is_sent_again(
    ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The placement goes between planning and execution; here the error is raised in its place."""
    alias = f"node_{shard_of(ana.id).node.group_id}"
    User.objects.for_user(ana.id).exists()
    failed = []

    def fail_once(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if context["connection"].alias == alias and not failed:
            failed.append(sql)
            return execute("SELECT 1 FROM accounts_user_102019", None, many, context)
        return execute(sql, params, many, context)

    with statements() as sent, connections[alias].execute_wrapper(fail_once):
        assert User.objects.for_user(ana.id).get() == ana
    assert failed
    assert [used for used, sql in sent if "accounts_user" in sql] == [alias, "default"]


@pytest.fixture(scope="module")
@native("starts a Citus cluster of its own")
def cluster() -> Any:
    with throwaway.cluster(workers=1, spare=1) as made:
        yield made


def test_a_node_that_is_added_later_is_found_without_a_restart(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = cast("Any", SimpleNamespace(_meta=SimpleNamespace(db_table="users")))
    keys = [new_id() for _ in range(40)]

    def used() -> set[str]:
        return {routing.alias_for(users, key) for key in keys}

    server = cluster.coordinator
    asked = {"NAME": throwaway.DATABASE, "USER": throwaway.USER, "PASSWORD": ""}
    asked |= {"HOST": throwaway.HOST, "PORT": server.port}
    monkeypatch.setattr(
        connections, "settings", {"default": connections.settings["default"] | asked}
    )
    with through(throwaway.HOST, server.port):
        connections["default"].settings_dict.update(asked)
        assert used() == {"node_1"}
        cluster.add(cluster.spare(1))
        cluster.sql("SELECT rebalance_table_shards(shard_transfer_mode => 'block_writes')")
        assert used() == {"node_1"}  # the map lives for half a minute
        map_cache._cache.expires_at = 0.0
        assert used() == {"node_1", "node_2"}
        with connections["node_2"].cursor() as cursor:
            cursor.execute("SELECT inet_server_port(), (SELECT count(*) FROM users)")
            assert cursor.fetchone() == (cluster.spare(1).port, 200)
        _renumbered(cluster, used)


def _renumbered(cluster: Any, used: Any) -> None:
    """A node that moves to another address keeps its alias; its connections are made anew."""
    spare = cluster.spare(1)
    (port,) = throwaway._free_ports(1)  # another one: its own is still in use
    spare.stop()
    spare.port = port
    spare.start()
    cluster.sql(
        "SELECT citus_update_node(nodeid, %s, %s) FROM pg_dist_node WHERE groupid = 2",
        [throwaway.HOST, port],
    )
    map_cache._cache.expires_at = 0.0
    assert used() == {"default"}  # the nodes have not all heard of it
    cluster.sql("SELECT start_metadata_sync_to_all_nodes()")
    map_cache._cache.expires_at = 0.0
    assert used() == {"node_1", "node_2"}
    with connections["node_2"].cursor() as cursor:
        cursor.execute("SELECT inet_server_port()")
        assert cursor.fetchone() == (port,)
