"""Deliveries handed over, claimed, made and noted.

Invariant: a delivery's `due_at` is also the lease of whoever has it. It is handed over, and an
attempt begins, by moving `due_at` on from the value that was seen: the row count decides, so of any
number of copies of one task one alone makes an attempt. An attempt counts when it begins; one whose
process dies is due again when its lease is over.
"""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone
from prometheus_client import Counter

from sharding.django.transactions import atomic
from shop.webhooks import circuits
from shop.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.webhooks.sending import Attempt, send

# The pauses between the attempts: some 22 hours in all.
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
)
HANDOVER = timedelta(minutes=2)  # what waits in its queue for longer is handed over again
LEASE = timedelta(seconds=60)  # an attempt is over by then; if not, its process has died
MOST_KEPT = 50  # attempts that a delivery remembers

ATTEMPTS = Counter(
    "shardmart_webhook_attempts_total",
    "Attempts to tell merchants: taken, refused, unanswered; unasked: their endpoint's circuit was "
    "open, or it is gone.",
    ["outcome"],
)


def reserve(*, user_id: UUID, delivery_id: UUID, due_at: datetime) -> datetime | None:
    """Keep others from handing over what is due; return its new time, None if it was taken."""
    lease = timezone.now() + HANDOVER
    return lease if _move(user_id, delivery_id, due_at, due_at=lease) else None


def deliver(*, user_id: UUID, delivery_id: UUID, due_at: datetime) -> WebhookDelivery.Status | None:
    """Make one attempt, outside any transaction, and record it.

    Args:
        due_at: when the delivery was due as it was handed over; if that has changed, another task
            has taken it.

    Returns:
        How the delivery stands then; None if there is nothing to send.
    """
    lease = timezone.now() + LEASE
    if not _move(user_id, delivery_id, due_at, due_at=lease, tries=F("tries") + 1):
        return None
    delivery = WebhookDelivery.objects.for_user(user_id).filter(id=delivery_id).first()
    if delivery is None:  # erased with its user
        return None
    endpoint = WebhookEndpoint.objects.filter(id=delivery.endpoint_id, is_active=True).first()
    attempt = _attempt(endpoint, delivery)
    ATTEMPTS.labels(attempt.outcome).inc()
    return _note(delivery, attempt, lease, is_last=not endpoint or delivery.tries > len(PAUSES))


def _move(user_id: UUID, delivery_id: UUID, seen: datetime, **changes: Any) -> bool:
    mine = WebhookDelivery.objects.for_user(user_id).filter(id=delivery_id)
    moved = mine.filter(status=WebhookDelivery.Status.PENDING, due_at=seen).update(**changes)
    return bool(moved)


def _attempt(endpoint: WebhookEndpoint | None, delivery: WebhookDelivery) -> Attempt:
    if endpoint is None:
        return Attempt.unmade("The endpoint was removed or switched off.")
    if delivery.tries > len(PAUSES) + 1:
        return Attempt.unmade("The last attempt was cut off.")
    if not circuits.lets_through(endpoint.id):
        return Attempt.unmade("Not asked: the endpoint has not answered several times in a row.")
    attempt = send(
        url=endpoint.url,
        secret=endpoint.secret,
        body=delivery.body.encode(),
        headers={"Webhook-Id": str(delivery.event_id), "Webhook-Topic": delivery.topic},
    )
    circuits.note(endpoint.id, answered=attempt.status is not None)
    return attempt


def _note(
    attempted: WebhookDelivery, attempt: Attempt, lease: datetime, *, is_last: bool
) -> WebhookDelivery.Status | None:
    """Record an attempt; what follows is decided by it as long as its lease is the delivery's."""
    Status, now = WebhookDelivery.Status, timezone.now()  # noqa: N806
    with atomic(WebhookDelivery, attempted.user_id):
        rows = WebhookDelivery.objects.for_user(attempted.user_id).select_for_update()
        delivery = rows.filter(id=attempted.id).first()
        if delivery is None:
            return None
        line = {"at": now.isoformat(), **attempt.line}
        delivery.attempts = [*delivery.attempts, line][-MOST_KEPT:]
        is_ours = delivery.due_at == lease  # else it was replayed, or taken by another
        if attempt.is_taken or (is_ours and is_last):
            delivery.status = Status.DELIVERED if attempt.is_taken else Status.FAILED
            delivery.due_at = None
        elif is_ours:
            delivery.due_at = now + _pause(delivery.tries)
        delivery.save(update_fields=["attempts", "status", "due_at"])
    return Status(delivery.status)


def _pause(tries: int) -> timedelta:
    """Return the pause after so many tries, up to a fifth longer: not all shall come at once."""
    return PAUSES[tries - 1] * random.uniform(1.0, 1.2)  # noqa: S311 - no secret
