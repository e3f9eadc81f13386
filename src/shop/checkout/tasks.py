"""What follows an order's events: money asked for, money sent back, stock set free."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.utils import timezone

from shop.checkout import charging, holds
from shop.core.models import OutboxEvent
from shop.core.tasks import CRITICAL, MAINTENANCE, NEVER, PATIENT, Permanent, event_task, task
from shop.payments.gateways.base import GatewayRefused


@contextmanager
def _final_refusals() -> Iterator[None]:
    """What the gateway refuses for good goes to the dead letters, where a person looks at it."""
    try:
        yield
    except GatewayRefused as refusal:
        raise Permanent(str(refusal)) from refusal


@event_task(queue=CRITICAL, retry=PATIENT)
def charge_order(event: OutboxEvent) -> None:
    """Charge what is due for a new order."""
    with _final_refusals():
        charging.charge_order(user_id=event.user_id, order_id=UUID(event.payload["order_id"]))


@event_task(queue=CRITICAL, retry=PATIENT)
def charge_payment(event: OutboxEvent) -> None:
    """Charge another payment of an order."""
    with _final_refusals():
        charging.charge(user_id=event.user_id, payment_id=UUID(event.payload["payment_id"]))


@event_task(queue=CRITICAL, retry=PATIENT)
def refund_payment(event: OutboxEvent) -> None:
    """Send money back."""
    with _final_refusals():
        charging.refund(user_id=event.user_id, payment_id=UUID(event.payload["payment_id"]))


@task(queue=MAINTENANCE, retry=NEVER)
def cancel_unpaid() -> None:
    """Cancel the orders that nobody has paid in time."""
    holds.cancel_unpaid(now=timezone.now())
