"""Reading endpoints and deliveries."""

from datetime import datetime
from operator import itemgetter
from uuid import UUID

from django.db.models import QuerySet

from sharding.django.reachable import reachable
from shop.core.errors import NotFound
from shop.webhooks.models import WebhookDelivery, WebhookEndpoint


def endpoint_of(endpoint_id: int) -> WebhookEndpoint:
    """Return an endpoint, or raise NotFound."""
    endpoint = WebhookEndpoint.objects.filter(id=endpoint_id).first()
    if endpoint is None:
        raise NotFound("There is no such endpoint.")
    return endpoint


def endpoints_for(topic: str) -> list[WebhookEndpoint]:
    """Return the endpoints that want to hear of a topic."""
    return list(WebhookEndpoint.objects.filter(is_active=True, topics__contains=[topic]))


def deliveries_of(endpoint_id: int) -> QuerySet[WebhookDelivery]:
    """Return what an endpoint was told, about the orders of all users. Asks every shard."""
    deliveries: QuerySet[WebhookDelivery] = WebhookDelivery.objects.cross_shard()
    return deliveries.filter(endpoint_id=endpoint_of(endpoint_id).id)


def due_deliveries(*, now: datetime, limit: int) -> list[tuple[UUID, UUID, datetime]]:
    """Return (user id, delivery id, when it was due) of what is to be sent, longest due first.

    Asks every shard of the nodes that answer, locks nothing.
    """
    due = WebhookDelivery.objects.cross_shard().filter(due_at__lte=now).order_by("due_at")
    return reachable(due.values_list("user_id", "id", "due_at")[:limit], key=itemgetter(2))
