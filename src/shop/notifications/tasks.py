"""Mails that follow from what happens to orders."""

from uuid import UUID

from shop.core.models import OutboxEvent
from shop.core.tasks import MAIL, STANDARD, event_task
from shop.notifications.models import SentMail
from shop.notifications.services import send_once
from shop.orders.selectors import cancelled_by


@event_task(queue=MAIL, retry=STANDARD)
def confirm_order(event: OutboxEvent) -> None:
    """Confirm an order as soon as it is accepted, paid or not yet."""
    send_once(
        user_id=event.user_id, kind=SentMail.Kind.ORDER_CONFIRMATION, order_id=_order_id(event)
    )


@event_task(queue=MAIL, retry=STANDARD)
def tell_payment_failed(event: OutboxEvent) -> None:
    """Say that a payment failed; each of them is said once."""
    send_once(
        user_id=event.user_id,
        kind=SentMail.Kind.PAYMENT_FAILED,
        order_id=_order_id(event),
        subject_id=UUID(event.payload["payment_id"]),
        amount=event.payload.get("amount", ""),
    )


@event_task(queue=MAIL, retry=STANDARD)
def tell_shipped(event: OutboxEvent) -> None:
    """Say that an order is on its way."""
    send_once(
        user_id=event.user_id,
        kind=SentMail.Kind.SHIPPED,
        order_id=_order_id(event),
        tracking_number=event.payload.get("tracking_number", ""),
    )


@event_task(queue=MAIL, retry=STANDARD)
def tell_cancelled(event: OutboxEvent) -> None:
    """Say that an order is cancelled, and on whose word."""
    order_id = _order_id(event)
    send_once(
        user_id=event.user_id,
        kind=SentMail.Kind.ORDER_CANCELLED,
        order_id=order_id,
        by=cancelled_by(event.user_id, order_id),
    )


def _order_id(event: OutboxEvent) -> UUID:
    return UUID(event.payload["order_id"])
