"""Reading orders."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from sharding.django.cluster import shard_count
from shop.core.errors import NotFound
from shop.orders.models import Order, OrderEvent, OrderItem


class Filters(TypedDict, total=False):
    """What staff may narrow the orders of all users by; the times are those of placing."""

    order_status: str
    user_id: UUID
    created_after: datetime
    created_before: datetime


def orders_of(user_id: UUID) -> QuerySet[Order]:
    """Return the user's orders with their lines: two queries however many there are."""
    # In a fixed order: an order's ETag must not change before the order does.
    lines = Prefetch("items", OrderItem.objects.order_by("id"))
    orders: QuerySet[Order] = Order.objects.for_user(user_id).prefetch_related(lines)
    return orders


def orders_with_payments(user_id: UUID) -> QuerySet[Order]:
    """Return the user's orders with their lines and their `payment_status`: two queries as well."""
    # Of the app above: known by the relation alone.
    payments: Any = Order._meta.get_field("payments").related_model
    newest = payments.objects.for_user(user_id).filter(order_id=OuterRef("id")).order_by("-id")
    return orders_of(user_id).annotate(newest_payment=Subquery(newest.values("status")[:1]))


def order_of(user_id: UUID, order_id: UUID) -> Order:
    """Return one of the user's orders with its lines and `payment_status`, or raise NotFound."""
    order = orders_with_payments(user_id).filter(id=order_id).first()
    if order is None:
        raise NotFound("There is no such order.")
    return order


def cancelled_by(user_id: UUID, order_id: UUID) -> str:
    """Return why an order was cancelled: ``unpaid``, ``customer``, ``staff``, or empty."""
    history = OrderEvent.objects.for_user(user_id).filter(order_id=order_id)
    entry = history.filter(status=Order.Status.CANCELLED).order_by("id").first()
    return str(entry.details.get("by", "")) if entry else ""


def orders_for_staff(filters: Filters) -> QuerySet[Order]:
    """Return the orders of all users that pass the filters, without their lines.

    Asks every shard, unless the filters name a user.
    """
    user_id = filters.get("user_id")
    orders: QuerySet[Order] = (
        Order.objects.for_user(user_id) if user_id else Order.objects.cross_shard()
    )
    if "order_status" in filters:
        orders = orders.filter(order_status=filters["order_status"])
    if "created_after" in filters:
        orders = orders.filter(created_at__gt=filters["created_after"])
    if "created_before" in filters:
        orders = orders.filter(created_at__lt=filters["created_before"])
    return orders


def shards_asked(filters: Filters) -> int:
    """Return how many shards `orders_for_staff` asks with these filters."""
    return 1 if "user_id" in filters else shard_count(Order)
