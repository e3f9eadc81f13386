"""A thousand messages of the gateway, in any order, some twice, some forged: one right end."""

import json
import random
import time
from collections import Counter
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from shop.accounts import services as accounts
from shop.carts.services import add_item
from shop.checkout import reconciling
from shop.checkout.services import cancel_order, place_order
from shop.core.models import OutboxEvent
from shop.inventory.selectors import available, drift
from shop.orders.models import Order
from shop.payments.models import Payment, WebhookEvent
from shop.payments.signatures import sign
from tests.conftest import PASSWORD, MakeProduct

pytestmark = pytest.mark.django_db

SECRET = "between us and the gateway"
MESSAGES = 1000
USERS, ORDERS_EACH = 12, 10

# What the gateway tells of an order's payment, and how both end, whatever comes first.
STORIES: list[tuple[list[str], bool, tuple[str, str]]] = [
    (["succeeded"], False, ("paid", "succeeded")),
    (["failed"], False, ("pending", "failed")),
    (["succeeded", "refunded"], False, ("refunded", "refunded")),
    (["succeeded"], True, ("cancelled", "refund_due")),
    (["succeeded", "refunded"], True, ("cancelled", "refunded")),
]


class Message(NamedTuple):
    """What is posted, and what has to be answered."""

    body: bytes
    signature: str
    status: int


@pytest.fixture
def ended(make_product: MakeProduct) -> dict[UUID, tuple[str, str]]:
    """How each order has to end, by its id; the orders are placed, some are cancelled again."""
    product = make_product(stock=1000)
    ends = {}
    for number in range(USERS):
        name = f"u{number}"
        user = accounts.register(username=name, email=f"{name}@example.com", password=PASSWORD)
        for which in range(ORDERS_EACH):
            _, cancelled, end = STORIES[which % len(STORIES)]
            add_item(user_id=user.id, product_id=product.id, quantity=1)
            with transaction.atomic():
                order = place_order(user_id=user.id, payment_method="card")
                if cancelled:
                    cancel_order(user_id=user.id, order_id=order.id, check=lambda _: None)
            ends[order.id] = end
    return ends


def _events(chance: random.Random) -> list[dict[str, Any]]:
    payments: dict[UUID, list[Payment]] = {}
    for payment in Payment.objects.cross_shard().order_by("id"):
        payments.setdefault(payment.user_id, []).append(payment)
    return [
        {
            "id": f"evt_{chance.getrandbits(64):016x}",
            "type": f"payment.{what}",
            "data": {"user_id": str(payment.user_id), "payment_id": str(payment.id)},
        }
        for own in payments.values()
        for number, payment in enumerate(own)
        for what in STORIES[number % len(STORIES)][0]
    ]


def _messages(events: list[dict[str, Any]], chance: random.Random) -> list[Message]:
    """Each event at least once, and at random: again, forged, or signed too long ago."""
    now = int(time.time())
    messages = [_good(event, now) for event in events]
    while len(messages) < MESSAGES:
        body = json.dumps(chance.choice(events)).encode()
        messages.append(
            chance.choice(
                [
                    _good(chance.choice(events), now),
                    Message(body, sign(body, secret="another", at=now), 401),
                    Message(body + b" ", sign(body, secret=SECRET, at=now), 401),
                    Message(body, sign(body, secret=SECRET, at=now - 3600), 400),
                ]
            )
        )
    chance.shuffle(messages)
    return messages


def _good(event: dict[str, Any], at: int) -> Message:
    body = json.dumps(event).encode()
    return Message(body, sign(body, secret=SECRET, at=at), 200)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_messages_in_any_order_come_to_the_right_end(
    ended: dict[UUID, tuple[str, str]], client: APIClient, settings: Any, seed: int
) -> None:
    settings.PAYMENT_WEBHOOK_SECRET = SECRET
    chance = random.Random(seed)
    events = _events(chance)
    new = Counter[str]()
    for message in _messages(events, chance):
        answer = client.post(
            "/api/payments/webhook/",
            message.body,
            content_type="application/json",
            headers={"Webhook-Signature": message.signature},
        )
        assert answer.status_code == message.status, answer.content
        if answer.status_code == 200:
            new[answer.json()["id"]] += answer.json()["new"]

    assert new == {event["id"]: 1 for event in events}
    assert WebhookEvent.objects.cross_shard().count() == len(events)
    orders = dict(Order.objects.cross_shard().values_list("id", "order_status"))
    payments = dict(Payment.objects.cross_shard().values_list("order_id", "status"))
    assert {order: (orders[order], payments[order]) for order in ended} == ended
    told = Counter(
        (event.topic, event.payload["order_id"]) for event in OutboxEvent.objects.cross_shard()
    )
    assert set(told.values()) == {1}, "something was told twice"
    product = Order.objects.cross_shard().first().items.get().product_id
    cancelled = sum(1 for status, _ in ended.values() if status == "cancelled")
    assert available(product) == 1000 - len(ended) + cancelled
    assert drift() == []
    assert list(reconciling.orders()) == []
