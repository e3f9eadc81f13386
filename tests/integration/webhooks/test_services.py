"""What happens to orders is told until the merchant takes it."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from shop.core.models import OutboxEvent
from shop.core.tasks import consume_now
from shop.orders.models import Order
from shop.payments.signatures import verify
from shop.webhooks import services, tasks
from shop.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.webhooks.selectors import due_deliveries
from tests.integration.webhooks.conftest import Deliver, Merchant

pytestmark = pytest.mark.django_db


def the_delivery() -> WebhookDelivery:
    delivery: WebhookDelivery = WebhookDelivery.objects.cross_shard().get()
    return delivery


def test_a_merchant_is_told_with_a_signature_that_holds(
    deliver: Deliver,
    merchant: Merchant,
    endpoint: WebhookEndpoint,
    event: OutboxEvent,
    order: Order,
) -> None:
    assert deliver() == "delivered"
    [(body, headers)] = merchant.told
    verify(
        body,
        header=headers["Webhook-Signature"],
        secret=endpoint.secret,
        tolerance=timedelta(seconds=5),
    )
    assert headers["Webhook-Id"] == str(event.id)
    assert headers["Webhook-Topic"] == "order.placed"
    assert headers["Host"] == merchant.url.split("/")[2]
    told = json.loads(body)
    assert told["id"] == str(event.id)
    assert told["type"] == "order.placed"
    assert told["data"] == {
        "order_id": str(order.id),
        "user_id": str(order.user_id),
        "order_status": "pending",
        "total_amount": "9.00",
        "currency": "EUR",
        "items": [{"product_id": order.items.all()[0].product_id, "quantity": 2, "price": "4.50"}],
    }


def test_each_attempt_is_recorded(deliver: Deliver, merchant: Merchant) -> None:
    merchant.answer = 500
    assert deliver() == "pending"
    merchant.answer = 200
    assert deliver() == "delivered"
    delivery = the_delivery()
    assert [attempt["status"] for attempt in delivery.attempts] == [500, 200]
    assert all(attempt["ms"] >= 0 for attempt in delivery.attempts)
    assert delivery.due_at is None


def test_what_was_delivered_is_not_sent_again(deliver: Deliver, merchant: Merchant) -> None:
    deliver()
    assert deliver() is None
    assert len(merchant.told) == 1


@pytest.mark.parametrize("answer", [301, 307, 404, 410, 503])
def test_only_a_2xx_counts(deliver: Deliver, merchant: Merchant, answer: int) -> None:
    merchant.answer = answer
    assert deliver() == "pending"
    assert len(merchant.told) == 1, "a redirect must not be followed"


def test_the_pauses_grow_and_then_it_ends(deliver: Deliver, merchant: Merchant) -> None:
    merchant.answer = 503
    pauses = []
    for pause in services.PAUSES:
        assert deliver() == "pending"
        due_in = the_delivery().due_at - timezone.now()
        assert pause * 0.99 <= due_in <= pause * 1.21
        pauses.append(due_in)
    assert pauses == sorted(pauses)
    assert deliver() == "failed"
    assert the_delivery().due_at is None
    assert len(the_delivery().attempts) == len(services.PAUSES) + 1


def test_what_is_due_is_found(deliver: Deliver, merchant: Merchant) -> None:
    merchant.answer = 503
    deliver()
    now, delivery = timezone.now(), the_delivery()
    assert due_deliveries(now=now, limit=9) == []
    later = now + services.PAUSES[0] * 1.3
    assert due_deliveries(now=later, limit=9) == [(delivery.user_id, delivery.id)]


def test_an_event_is_recorded_once_per_endpoint(
    event: OutboxEvent, endpoint: WebhookEndpoint, merchant: Merchant
) -> None:
    services.create_endpoint(url=merchant.url, topics=["order.placed"])
    services.create_endpoint(url=merchant.url, topics=["order.paid"])
    services.create_endpoint(url=merchant.url, topics=["order.placed"], is_active=False)
    assert len(services.record(event)) == 2
    assert services.record(event) == []
    assert WebhookDelivery.objects.for_user(event.user_id).count() == 2


def test_the_event_leads_to_the_merchant(
    event: OutboxEvent,
    endpoint: WebhookEndpoint,
    merchant: Merchant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks.deliver, "delay", tasks.deliver.run)
    consume_now(tasks.record_deliveries, event)
    assert len(merchant.told) == 1


def test_the_sweep_sends_what_is_due(
    deliver: Deliver, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    merchant.answer = 503
    deliver()
    merchant.answer = 204
    WebhookDelivery.objects.cross_shard().update(due_at=timezone.now())
    monkeypatch.setattr(tasks.deliver, "delay", tasks.deliver.run)
    tasks.deliver_due.run()
    assert the_delivery().status == "delivered"


def test_an_endpoint_that_is_switched_off_hears_nothing(
    deliver: Deliver, merchant: Merchant, endpoint: WebhookEndpoint
) -> None:
    services.update_endpoint(endpoint.id, is_active=False)
    assert deliver() == "failed"
    assert merchant.told == []


def test_a_merchant_who_is_not_there_is_an_attempt_too(
    deliver: Deliver, endpoint: WebhookEndpoint
) -> None:
    services.update_endpoint(endpoint.id, url="http://127.0.0.1:1/")
    assert deliver() == "pending"
    [attempt] = the_delivery().attempts
    assert attempt["status"] is None
    assert "ConnectError" in attempt["error"]


def test_an_address_that_became_private_is_not_asked(
    deliver: Deliver, merchant: Merchant, settings: pytest.FixtureRequest
) -> None:
    settings.WEBHOOKS_TO_LOOPBACK = False
    assert deliver() == "pending"
    assert merchant.told == []
    assert "public" in the_delivery().attempts[0]["error"]


def test_a_replay_begins_anew(
    deliver: Deliver, merchant: Merchant, endpoint: WebhookEndpoint
) -> None:
    deliver()
    delivery = the_delivery()
    again = services.replay(
        endpoint_id=endpoint.id, user_id=delivery.user_id, delivery_id=delivery.id
    )
    assert (again.status, again.tries) == ("pending", 0)
    assert due_deliveries(now=timezone.now(), limit=9) == [(delivery.user_id, delivery.id)]
    assert deliver() == "delivered"
    assert merchant.told[0][0] == merchant.told[1][0], "the same event, byte by byte"
    assert len(the_delivery().attempts) == 2


def test_old_deliveries_are_purged_once_they_have_ended(
    deliver: Deliver, merchant: Merchant, settings: pytest.FixtureRequest
) -> None:
    settings.WEBHOOK_DELIVERY_LIFETIME = timedelta(0)
    merchant.answer = 503
    deliver()
    call_command("purge_expired", verbosity=0)
    assert WebhookDelivery.objects.cross_shard().count() == 1
    merchant.answer = 200
    deliver()
    call_command("purge_expired", verbosity=0)
    assert WebhookDelivery.objects.cross_shard().count() == 0
