"""Reading payments."""

from typing import TypedDict
from uuid import UUID

from django.db.models import QuerySet

from sharding.django.cluster import shard_count
from shop.core.errors import NotFound
from shop.payments.models import Payment


class Filters(TypedDict, total=False):
    """What staff may narrow the refunds of all users by."""

    user_id: UUID
    payment_method: str


def refunds_due(filters: Filters) -> QuerySet[Payment]:
    """Return the payments whose money has to go back and has not yet.

    Asks every shard, unless the filters name a user.
    """
    user_id = filters.get("user_id")
    payments: QuerySet[Payment] = (
        Payment.objects.for_user(user_id) if user_id else Payment.objects.cross_shard()
    )
    if "payment_method" in filters:
        payments = payments.filter(payment_method=filters["payment_method"])
    return payments.filter(status=Payment.Status.REFUND_DUE)


def shards_asked(filters: Filters) -> int:
    """Return how many shards `refunds_due` asks with these filters."""
    return 1 if "user_id" in filters else shard_count(Payment)


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
