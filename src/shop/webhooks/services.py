"""Endpoints kept, events recorded for them, and deliveries made.

Invariant: an event is recorded once per endpoint. A delivery is sent until the endpoint takes it
or the last pause is over: at least once, in any order; receivers tell repetitions by the event's
id, which `Webhook-Id` carries.
"""

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from sharding.django.transactions import atomic
from shop.core.errors import NotFound
from shop.core.models import OutboxEvent
from shop.orders.selectors import order_of
from shop.webhooks import addresses
from shop.webhooks.errors import EndpointGone
from shop.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.webhooks.selectors import endpoint_of, endpoints_for
from shop.webhooks.sending import Attempt, send

# The pauses between the attempts: some 22 hours in all.
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
)
LEASE = timedelta(seconds=60)  # an attempt is over by then; if not, its process has died
MOST_KEPT = 50  # attempts that a delivery remembers


def create_endpoint(
    *, url: str, topics: Sequence[str], description: str = "", is_active: bool = True
) -> WebhookEndpoint:
    """Keep an address; its `secret` is to be shown now and never again.

    Raises:
        UnsafeAddress
    """
    addresses.check(url)
    return WebhookEndpoint.objects.create(
        url=url,
        topics=sorted(set(topics)),
        description=description,
        is_active=is_active,
        secret=f"whsec_{token_urlsafe(32)}",
    )


def update_endpoint(endpoint_id: int, **changes: Any) -> WebhookEndpoint:
    """Change some fields of an endpoint.

    Raises:
        NotFound, UnsafeAddress
    """
    if "url" in changes:
        addresses.check(changes["url"])
    if "topics" in changes:
        changes["topics"] = sorted(set(changes["topics"]))
    with atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().filter(id=endpoint_id).first()
        if endpoint is None:
            raise NotFound("There is no such endpoint.")
        for name, value in changes.items():
            setattr(endpoint, name, value)
        endpoint.save(update_fields=[*changes, "updated_at"])
    return endpoint


def delete_endpoint(endpoint_id: int) -> None:
    """Forget an endpoint; what it was told stays recorded.

    Raises:
        NotFound
    """
    endpoint_of(endpoint_id).delete()


def record(event: OutboxEvent) -> list[UUID]:
    """Write down whom an event has to be told, once per endpoint; return the new deliveries.

    They are due in a moment: whoever calls this sends them at once, or the sweep does.
    """
    endpoints = endpoints_for(event.topic)
    if not endpoints:
        return []
    body, due = _body(event), timezone.now() + LEASE
    recorded = []
    for endpoint in endpoints:
        delivery, is_new = WebhookDelivery.objects.for_user(event.user_id).get_or_create(
            user_id=event.user_id,
            event_id=event.id,
            endpoint_id=endpoint.id,
            defaults={"topic": event.topic, "body": body, "due_at": due},
        )
        if is_new:
            recorded.append(delivery.id)
    return recorded


def _body(event: OutboxEvent) -> str:
    order = order_of(event.user_id, UUID(event.payload["order_id"]))
    lines = [
        {"product_id": line.product_id, "quantity": line.quantity, "price": str(line.price)}
        for line in order.items.all()
    ]
    told = {
        "id": str(event.id),
        "type": event.topic,
        "created_at": event.created_at.isoformat(),
        "data": {
            "order_id": str(order.id),
            "user_id": str(order.user_id),
            "order_status": order.order_status,
            "total_amount": str(order.total_amount),
            "currency": settings.CURRENCY,
            "items": lines,
        },
    }
    return json.dumps(told, separators=(",", ":"))


def deliver(*, user_id: UUID, delivery_id: UUID) -> WebhookDelivery.Status | None:
    """Make one attempt, outside any transaction, and record it.

    Returns:
        How the delivery stands then; None if there is nothing to send.
    """
    found = WebhookDelivery.objects.for_user(user_id).filter(id=delivery_id)
    if not found.filter(status=WebhookDelivery.Status.PENDING).update(
        due_at=timezone.now() + LEASE
    ):
        return None
    delivery = found.get()
    endpoint = WebhookEndpoint.objects.filter(id=delivery.endpoint_id, is_active=True).first()
    if endpoint is None:
        attempt = Attempt(None, 0, "The endpoint was removed or switched off.")
        return _note(user_id, delivery_id, attempt, is_last=True)
    attempt = send(
        url=endpoint.url,
        secret=endpoint.secret,
        body=delivery.body.encode(),
        headers={"Webhook-Id": str(delivery.event_id), "Webhook-Topic": delivery.topic},
    )
    return _note(user_id, delivery_id, attempt, is_last=delivery.tries >= len(PAUSES))


def _note(
    user_id: UUID, delivery_id: UUID, attempt: Attempt, *, is_last: bool
) -> WebhookDelivery.Status:
    Status, now = WebhookDelivery.Status, timezone.now()  # noqa: N806
    with atomic(WebhookDelivery, user_id):
        delivery: WebhookDelivery = (
            WebhookDelivery.objects.for_user(user_id).select_for_update().get(id=delivery_id)
        )
        line = {"at": now.isoformat(), **attempt._asdict()}
        delivery.attempts = [*delivery.attempts, line][-MOST_KEPT:]
        if attempt.is_taken or is_last:
            delivery.status = Status.DELIVERED if attempt.is_taken else Status.FAILED
            delivery.due_at = None
        elif delivery.status == Status.PENDING:  # else another attempt was taken meanwhile
            delivery.due_at = now + _pause(delivery.tries)
        delivery.tries += 1
        delivery.save(update_fields=["attempts", "status", "due_at", "tries"])
    return Status(delivery.status)


def _pause(tries: int) -> timedelta:
    """Return the next pause, up to a fifth longer: not all shall come back at once."""
    pause = PAUSES[min(tries, len(PAUSES) - 1)]
    return pause * random.uniform(1.0, 1.2)  # noqa: S311 - no secret


def replay(*, endpoint_id: int, user_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """Send a delivery again, however it ended, with all its attempts anew; the sweep does it.

    Raises:
        NotFound: the endpoint has no such delivery.
        EndpointGone: it is switched off.
    """
    if not endpoint_of(endpoint_id).is_active:
        raise EndpointGone("This endpoint is switched off.")
    own = WebhookDelivery.objects.for_user(user_id).filter(id=delivery_id, endpoint_id=endpoint_id)
    again: dict[str, str | int | datetime] = {
        "status": WebhookDelivery.Status.PENDING,
        "due_at": timezone.now(),
        "tries": 0,
    }
    if not own.update(**again):
        raise NotFound("There is no such delivery.")
    delivery: WebhookDelivery = own.get()
    return delivery
