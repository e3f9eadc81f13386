"""Reading payments."""

from uuid import UUID

from django.db.models import QuerySet

from shop.core.errors import NotFound
from shop.payments.models import Payment


def payments_of(user_id: UUID) -> QuerySet[Payment]:
    """Return the user's payments."""
    payments: QuerySet[Payment] = Payment.objects.for_user(user_id)
    return payments


def payments_of_order(user_id: UUID, order_id: UUID) -> QuerySet[Payment]:
    """Return the payments of one of the user's orders, the oldest first."""
    return payments_of(user_id).filter(order_id=order_id).order_by("id")


def payment_of(user_id: UUID, payment_id: UUID) -> Payment:
    """Return one of the user's payments, or raise NotFound."""
    payment = payments_of(user_id).filter(id=payment_id).first()
    if payment is None:
        raise NotFound("There is no such payment.")
    return payment
