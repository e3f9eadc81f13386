"""Work that looks through all shards serves the nodes that answer while one is away."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connections
from django.utils import timezone

from sharding.django import map_cache, routing
from sharding.django.reachable import LEFT_OUT, reachable
from sharding.ids import new_id
from sharding.shard_map import Node
from shop.accounts.models import User
from shop.carts.models import ShoppingCart
from shop.checkout.selectors import unpaid_orders
from shop.core import outbox
from shop.core.models import IdempotencyKey, OutboxEvent
from shop.core.purging import purge
from shop.orders.models import Order
from shop.webhooks import tasks
from shop.webhooks.models import WebhookDelivery
from shop.webhooks.selectors import due_deliveries
from tests.cluster.routing.conftest import Door, UserOn, statements

Nodes = tuple[Node, ...]
TABLES = ("core_outboxevent", "core_idempotencykey", "webhooks_webhookdelivery", "orders_order")


@pytest.fixture(autouse=True)
def _cleaned() -> Iterator[None]:
    yield
    with connections["default"].cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")


@pytest.fixture
def here_and_there(door: Door, nodes: Nodes, user_on: UserOn) -> tuple[UUID, UUID]:
    """A user of the node whose pooler answers, and one of a node whose pooler does not."""
    found = user_on(nodes[0]), user_on(nodes[1])
    for user_id in found:
        now = timezone.now()
        User.objects.create(id=user_id, username=str(user_id), email=f"{user_id}@example.com")
        OutboxEvent.objects.create(user_id=user_id, topic="x", payload={}, due_at=now)
        WebhookDelivery.objects.create(
            user_id=user_id, event_id=new_id(), endpoint_id=1, topic="x", body="", due_at=now
        )
        IdempotencyKey.objects.create(user_id=user_id, key="k", status=200, body="", fingerprint="")
    routing.reset()
    map_cache.current()
    return found


def lose(nodes: Nodes) -> None:
    """Let this process find out that the second node does not answer."""
    routing.skip(f"node_{nodes[1].group_id}")


def due() -> set[UUID]:
    return {event.user_id for event in outbox.due_events(now=timezone.now(), limit=10)}


def test_as_long_as_all_answer_one_statement_asks_all_shards(
    here_and_there: tuple[UUID, UUID],
) -> None:
    with statements() as sent:
        assert due() == set(here_and_there)
    assert [alias for alias, _ in sent] == ["default"]


def test_the_sweeps_serve_the_nodes_that_answer(
    here_and_there: tuple[UUID, UUID], nodes: Nodes
) -> None:
    here, _ = here_and_there
    lose(nodes)
    before = LEFT_OUT.labels(f"node_{nodes[1].group_id}")._value.get()
    assert due() == {here}
    [(user_id, _, _)] = due_deliveries(now=timezone.now(), limit=10)
    assert user_id == here
    assert LEFT_OUT.labels(f"node_{nodes[1].group_id}")._value.get() > before


def test_what_is_found_is_handed_over_although_a_node_is_away(
    here_and_there: tuple[UUID, UUID], nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = here_and_there
    sent: list[Any] = []
    monkeypatch.setattr(tasks.deliver, "delay", lambda **kwargs: sent.append(kwargs["user_id"]))
    lose(nodes)
    tasks.deliver_due.run()
    assert sent == [str(here)]


def test_a_statement_that_fails_for_a_lost_node_is_asked_node_by_node(
    here_and_there: tuple[UUID, UUID],
) -> None:
    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        raise OperationalError("connection to the remote node failed")

    with connections["default"].execute_wrapper(fail):
        assert due() == {here_and_there[0]}


def test_unpaid_orders_of_the_nodes_that_answer_come_in_their_order_and_number(
    here_and_there: tuple[UUID, UUID], nodes: Nodes
) -> None:
    here, there = here_and_there
    for user_id in (here, here, there, here):
        Order.objects.create(user_id=user_id, cart_id=new_id(), total_amount=1)
    ids = sorted(Order.objects.cross_shard().exclude(user_id=there).values_list("id", flat=True))
    lose(nodes)
    now = timezone.now()
    asked = {"placed_before": now, "by_transfer_before": now, "limit": 2}
    found = unpaid_orders(after=None, **asked)
    assert [order_id for _, order_id in found] == ids[:2]
    found = unpaid_orders(after=found[-1][1], **asked)
    assert [order_id for _, order_id in found] == ids[2:]


def test_what_has_expired_is_removed_where_the_node_answers(
    here_and_there: tuple[UUID, UUID], nodes: Nodes, settings: Any
) -> None:
    settings.IDEMPOTENCY_KEY_LIFETIME = timedelta(0)
    lose(nodes)
    assert list(purge(IdempotencyKey, now=timezone.now(), batch_size=10)) == [1]
    left = IdempotencyKey.objects.cross_shard().values_list("user_id", flat=True)
    assert list(left) == [here_and_there[1]]


def test_a_shard_that_has_moved_meanwhile_is_left_to_the_next_turn(
    here_and_there: tuple[UUID, UUID], nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(nodes)
    gone = '"core_outboxevent_999999"'
    monkeypatch.setattr(
        "sharding.django.reachable._shards", lambda *_: [{'"core_outboxevent"': gone}]
    )
    assert due() == set()


def test_nobody_is_left_out_of_a_question_that_has_no_other_node_to_ask(settings: Any) -> None:
    settings.SHARD_ROUTING = False
    routing.skip("node_1")
    assert reachable(ShoppingCart.objects.cross_shard()) == []
