"""Writing orders."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from shop.orders.models import Order, OrderEvent, OrderItem


class Line(NamedTuple):
    """What is ordered of one product, at its price of the moment."""

    product_id: int
    product_name: str
    quantity: int
    price: Decimal


def create_order(*, user_id: UUID, order_id: UUID, cart_id: UUID, lines: Iterable[Line]) -> Order:
    """Write an order with its lines and the first entry of its history.

    Belongs into the transaction that takes the stock and removes the cart.
    """
    lines = list(lines)
    order = Order.objects.create(
        user_id=user_id,
        id=order_id,
        cart_id=cart_id,
        total_amount=sum((line.quantity * line.price for line in lines), Decimal(0)),
    )
    items = [OrderItem(user_id=user_id, order_id=order.id, **line._asdict()) for line in lines]
    OrderItem.objects.bulk_create(items)
    OrderEvent.objects.create(user_id=user_id, order_id=order.id, status=order.order_status)
    order._prefetched_objects_cache = {"items": items}  # type: ignore[attr-defined]
    return order
