"""Endpoints kept, and events recorded for them.

Invariant: an event is recorded once per endpoint. A delivery is sent until the endpoint takes it
or the last pause is over (`webhooks.delivering`): at least once, in any order; receivers tell
repetitions by the event's id, which `Webhook-Id` carries.
"""

import json
from collections.abc import Sequence
from datetime import datetime
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
from shop.webhooks.delivering import HANDOVER
from shop.webhooks.errors import EndpointGone
from shop.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.webhooks.selectors import endpoint_of, endpoints_for


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


def record(event: OutboxEvent) -> list[tuple[UUID, datetime]]:
    """Write down whom an event has to be told, once per endpoint.

    Returns:
        The new deliveries' ids, and when they are due: they are handed over to whoever calls this,
        and what is lost of them is due again.
    """
    endpoints = endpoints_for(event.topic)
    if not endpoints:
        return []
    body, due = _body(event), timezone.now() + HANDOVER
    recorded = []
    for endpoint in endpoints:
        delivery, is_new = WebhookDelivery.objects.for_user(event.user_id).get_or_create(
            user_id=event.user_id,
            event_id=event.id,
            endpoint_id=endpoint.id,
            defaults={"topic": event.topic, "body": body, "due_at": due},
        )
        if is_new:
            recorded.append((delivery.id, due))
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
