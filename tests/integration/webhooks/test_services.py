"""What happens to orders is told until the merchant takes it."""

import json
from datetime import timedelta
from threading import Event
from typing import Any

import jsonschema
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.management import call_command
from django.utils import timezone

from shop.core import counters
from shop.core.models import OutboxEvent
from shop.core.openapi.views import parsed_document
from shop.core.tasks import consume_now
from shop.orders.models import Order
from shop.payments.signatures import verify
from shop.webhooks import circuits, delivering, sending, services, tasks
from shop.webhooks.api.schema import EVENT
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


def test_what_is_told_is_what_the_document_says(deliver: Deliver, merchant: Merchant) -> None:
    deliver()
    [(body, _headers)] = merchant.told
    document = parsed_document()
    of = {"components": document["components"], "$ref": "#/components/schemas/OutgoingEvent"}
    told = json.loads(body)
    jsonschema.validate(told, of)
    assert list(told) == list(EVENT)
    assert list(told["data"]) == list(EVENT["data"])


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
    for pause in delivering.PAUSES:
        assert deliver() == "pending"
        due_in = the_delivery().due_at - timezone.now()
        assert pause * 0.99 <= due_in <= pause * 1.21
        pauses.append(due_in)
    assert pauses == sorted(pauses)
    assert deliver() == "failed"
    assert the_delivery().due_at is None
    assert len(the_delivery().attempts) == len(delivering.PAUSES) + 1


def test_what_is_due_is_found(deliver: Deliver, merchant: Merchant) -> None:
    merchant.answer = 503
    deliver()
    now, delivery = timezone.now(), the_delivery()
    assert due_deliveries(now=now, limit=9) == []
    later = now + delivering.PAUSES[0] * 1.3
    found = [(delivery.user_id, delivery.id, delivery.due_at)]
    assert due_deliveries(now=later, limit=9) == found


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


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is put into the queue of the deliveries."""
    waiting: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.deliver, "delay", lambda **kwargs: waiting.append(kwargs))
    return waiting


def test_what_waits_in_its_queue_is_handed_over_once(
    deliver: Deliver, merchant: Merchant, sent: list[dict[str, Any]]
) -> None:
    WebhookDelivery.objects.cross_shard().update(due_at=timezone.now())
    for _ in range(9):
        tasks.deliver_due.run()
    assert len(sent) == 1
    assert timezone.now() < the_delivery().due_at <= timezone.now() + delivering.HANDOVER


def test_of_any_number_of_copies_of_a_task_one_makes_an_attempt(
    deliver: Deliver, merchant: Merchant, sent: list[dict[str, Any]]
) -> None:
    merchant.answer = 503
    WebhookDelivery.objects.cross_shard().update(due_at=timezone.now())
    tasks.deliver_due.run()
    for _ in range(9):
        tasks.deliver.run(**sent[0])
    assert len(merchant.told) == 1
    assert (the_delivery().status, the_delivery().tries) == ("pending", 1)


def test_what_was_lost_in_its_queue_is_handed_over_again_and_its_old_task_is_void(
    deliver: Deliver, merchant: Merchant, sent: list[dict[str, Any]]
) -> None:
    for _ in range(2):
        WebhookDelivery.objects.cross_shard().update(due_at=timezone.now())
        tasks.deliver_due.run()
    tasks.deliver.run(**sent[0])
    assert merchant.told == []
    tasks.deliver.run(**sent[1])
    assert len(merchant.told) == 1


def test_an_attempt_that_is_cut_off_counts_and_the_last_one_ends_it(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(**_: Any) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(delivering, "send", cut_off)
    for number in range(1, len(delivering.PAUSES) + 2):
        with pytest.raises(SoftTimeLimitExceeded):
            deliver()
        assert (the_delivery().status, the_delivery().tries) == ("pending", number)
        assert the_delivery().due_at > timezone.now()
    assert deliver() == "failed"
    assert "cut off" in the_delivery().attempts[-1]["error"]


def test_a_merchant_who_dribbles_is_cut_off(
    deliver: Deliver, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every byte comes in time, and the answer never."""
    monkeypatch.setattr(sending, "DEADLINE", 0.5)
    merchant.dribbles = True
    assert deliver() == "pending"
    [attempt] = the_delivery().attempts
    assert (attempt["status"], attempt["error"]) == (None, "No answer within 0.5 s.")


def test_a_name_that_nobody_looks_up_in_time_is_cut_off(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = Event()
    monkeypatch.setattr(sending, "DEADLINE", 0.5)
    monkeypatch.setattr(sending, "resolve", lambda url: released.wait(30))
    assert deliver() == "pending"
    released.set()
    assert the_delivery().attempts[0]["error"] == "No answer within 0.5 s."


def test_who_does_not_answer_is_left_alone_and_asked_once_per_pause(
    deliver: Deliver, merchant: Merchant, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "DEADLINE", 0.2)
    merchant.dribbles = True
    for _ in range(circuits.THRESHOLD + 2):
        deliver()
    assert len(merchant.told) == circuits.THRESHOLD
    assert the_delivery().tries == circuits.THRESHOLD + 2, "what is not asked counts as well"
    assert "Not asked" in the_delivery().attempts[-1]["error"]
    counters.forget([circuits._pause(endpoint.id)])  # its time is over
    merchant.dribbles = False
    assert deliver() == "delivered"
    assert circuits.lets_through(endpoint.id)


def test_the_circuit_of_one_endpoint_is_not_that_of_another(endpoint: WebhookEndpoint) -> None:
    other = endpoint.id + 1
    circuits.note(other, answered=True)
    for _ in range(circuits.THRESHOLD):
        assert circuits.lets_through(endpoint.id)
        circuits.note(endpoint.id, answered=False)
    assert [circuits.lets_through(which) for which in (endpoint.id, other)] == [False, True]


def test_a_refusal_is_an_answer(deliver: Deliver, merchant: Merchant) -> None:
    merchant.answer = 500
    for _ in range(circuits.THRESHOLD + 1):
        deliver()
    assert len(merchant.told) == circuits.THRESHOLD + 1


def test_a_replay_during_an_attempt_is_not_undone_by_its_failure(
    deliver: Deliver,
    merchant: Merchant,
    endpoint: WebhookEndpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def send(**_: Any) -> sending.Attempt:
        row = the_delivery()
        services.replay(endpoint_id=endpoint.id, user_id=row.user_id, delivery_id=row.id)
        return sending.Attempt(503, 1, "")

    monkeypatch.setattr(delivering, "send", send)
    assert deliver() == "pending"
    assert the_delivery().tries == 0
    assert the_delivery().due_at <= timezone.now()
    assert len(the_delivery().attempts) == 1


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
    [due] = due_deliveries(now=timezone.now(), limit=9)
    assert due == (delivery.user_id, delivery.id, again.due_at)
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
