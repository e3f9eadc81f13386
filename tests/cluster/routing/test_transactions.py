"""A transaction knows its node, and every statement follows it."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connections, router, transaction

from sharding.django.transactions import atomic, cursor_for, on_commit, open_alias
from sharding.ids import new_id
from sharding.shard_map import Node
from shop.accounts.models import User
from shop.carts.models import ShoppingCart
from shop.catalog.models import Product
from shop.inventory.models import Stock
from tests.cluster.routing.conftest import UserOn, statements

Nodes = tuple[Node, ...]


class Undone(Exception):
    """What undoes a transaction of these tests."""


def undone(model: type[User], key: UUID, user_id: UUID, after: Callable[[], object] = list) -> None:
    """Create a user in a transaction opened for a key, and undo it."""
    with atomic(model, key):
        User.objects.create(id=user_id, username="dora", email="d@example.com")
        on_commit(after)
        raise Undone


def aliases(work: Callable[[], object]) -> set[str]:
    with statements() as sent:
        work()
    return {alias for alias, _ in sent}


@pytest.mark.parametrize("index", [0, 1])
def test_everything_follows_the_transaction_that_is_open(
    nodes: Nodes, user_on: UserOn, index: int
) -> None:
    here, there = nodes[index], nodes[1 - index]
    alias, other_user = f"node_{here.group_id}", user_on(there)
    user_id = user_on(here)

    def work() -> None:
        with atomic(User, user_id):
            assert open_alias() == alias
            User.objects.create(id=user_id, username="dora", email="d@example.com")
            ShoppingCart.objects.create(user_id=user_id)
            assert list(Product.objects.all()) == []
            assert not User.objects.for_user(other_user).exists()
            with cursor_for(User, other_user) as cursor:
                cursor.execute("SELECT 1")
            with connections[router.db_for_write(Stock)].cursor() as cursor:
                cursor.execute("SELECT 1")
            User.objects.for_user(user_id).select_for_update().get().save()

    User.objects.for_user(user_id).exists()  # the map is read
    assert aliases(work) == {alias}
    assert open_alias() is None


def test_a_query_made_before_the_transaction_is_sent_inside_it(
    nodes: Nodes, user_on: UserOn
) -> None:
    user_id, elsewhere = user_on(nodes[0]), user_on(nodes[1])
    before = User.objects.for_user(user_id)
    assert before.db == f"node_{nodes[0].group_id}"
    with atomic(User, elsewhere):
        assert before.db == f"node_{nodes[1].group_id}"
        assert before.filter(is_active=True).order_by("id").db == f"node_{nodes[1].group_id}"


def test_without_a_key_a_transaction_opens_on_the_coordinator(
    nodes: Nodes, user_on: UserOn
) -> None:
    with atomic():
        assert open_alias() == "default"
        assert User.objects.for_user(user_on(nodes[0])).db == "default"


def test_an_inner_transaction_stays_on_the_outer_ones_node(nodes: Nodes, user_on: UserOn) -> None:
    user_id, elsewhere = user_on(nodes[0]), user_on(nodes[1])
    User.objects.for_user(user_id).exists()
    with statements() as sent, atomic(User, user_id):
        with pytest.raises(Undone):
            undone(User, elsewhere, user_id)
        assert open_alias() == f"node_{nodes[0].group_id}"
        with atomic():
            assert not User.objects.for_user(user_id).exists()
    assert {alias for alias, _ in sent} == {f"node_{nodes[0].group_id}"}


def test_others_transactions_on_the_coordinator_are_followed_too(
    nodes: Nodes, user_on: UserOn
) -> None:
    user_id = user_on(nodes[0])
    with transaction.atomic():  # as the admin opens it
        assert User.objects.for_user(user_id).db == "default"
        with atomic(User, user_id):
            assert open_alias() == "default"


def test_what_runs_on_commit_runs_after_it_and_outside(nodes: Nodes, user_on: UserOn) -> None:
    user_id, seen = user_on(nodes[0]), []

    def after() -> None:
        elsewhere = User.objects.using("default").for_user(user_id)
        seen.append((elsewhere.exists(), open_alias()))

    with atomic(User, user_id):
        User.objects.create(id=user_id, username="dora", email="d@example.com")
        on_commit(after)
        assert seen == []
    assert seen == [(True, None)]


def test_what_was_to_run_on_commit_is_forgotten_with_the_transaction(
    nodes: Nodes, user_on: UserOn
) -> None:
    user_id, seen = user_on(nodes[0]), []
    with pytest.raises(Undone):
        undone(User, user_id, user_id, lambda: seen.append(1))
    assert seen == []
    assert not User.objects.using("default").for_user(user_id).exists()


def test_tables_of_the_coordinator_alone_are_read_there(nodes: Nodes, user_on: UserOn) -> None:
    with atomic(User, user_on(nodes[0])):
        assert ContentType.objects.exists()


def test_a_command_may_choose_the_alias_itself() -> None:
    with atomic(using="default"):
        assert open_alias() == "default"
        assert User.objects.for_user(new_id()).db == "default"
