"""What follows an order's events: money asked for, money sent back, stock set free."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from shop.checkout import charging, holds
from shop.core.models import OutboxEvent
from shop.core.tasks import (
    CRITICAL,
    LIMITS,
    MAINTENANCE,
    NEVER,
    STANDARD,
    NotNow,
    Permanent,
    event_task,
    task,
)
from shop.core.turns import turn
from shop.payments.gateways.base import GatewayRefused, GatewayUnavailable


@contextmanager
def _asking() -> Iterator[None]:
    """What the gateway refuses for good is for a person to look at; for its silence we wait."""
    try:
        yield
    except GatewayRefused as refusal:
        raise Permanent(str(refusal)) from refusal
    except GatewayUnavailable as silence:
        raise NotNow(str(silence)) from silence


@event_task(queue=CRITICAL, retry=STANDARD)
def charge_order(event: OutboxEvent) -> None:
    """Charge what is due for a new order."""
    with _asking():
        charging.charge_order(user_id=event.user_id, order_id=UUID(event.payload["order_id"]))


@event_task(queue=CRITICAL, retry=STANDARD)
def charge_payment(event: OutboxEvent) -> None:
    """Charge another payment of an order; of one that was given up, ask what became of it."""
    with _asking():
        charging.charge(user_id=event.user_id, payment_id=UUID(event.payload["payment_id"]))


@event_task(queue=CRITICAL, retry=STANDARD)
def refund_payment(event: OutboxEvent) -> None:
    """Send money back."""
    with _asking():
        charging.refund(user_id=event.user_id, payment_id=UUID(event.payload["payment_id"]))


@task(queue=MAINTENANCE, retry=NEVER)
def cancel_unpaid() -> None:
    """Charge or cancel the orders that nobody has paid in time, unless a turn of it still lasts."""
    longest = timedelta(seconds=LIMITS[MAINTENANCE].hard)
    with turn(holds.NAME, longest=longest) as is_ours:
        if is_ours:
            holds.cancel_unpaid(now=timezone.now())
