"""Reading orders."""

from uuid import UUID

from django.db.models import QuerySet

from shop.core.errors import NotFound
from shop.orders.models import Order


def orders_of(user_id: UUID) -> QuerySet[Order]:
    """Return the user's orders with their lines: two queries however many there are."""
    return Order.objects.for_user(user_id).prefetch_related("items")


def order_of(user_id: UUID, order_id: UUID) -> Order:
    """Return one of the user's orders with its lines, or raise NotFound."""
    order = orders_of(user_id).filter(id=order_id).first()
    if order is None:
        raise NotFound("There is no such order.")
    return order
