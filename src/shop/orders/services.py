"""Writing orders."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from shop.core.errors import NotFound
from shop.orders.models import Order, OrderEvent, OrderItem
from shop.orders.selectors import orders_of


class Line(NamedTuple):
    """What is ordered of one product, at its price of the moment."""

    product_id: int
    product_name: str
    quantity: int
    price: Decimal
    from_stock: bool = True


def total_of(lines: Iterable[Line]) -> Decimal:
    """Return what these lines cost."""
    return sum((line.quantity * line.price for line in lines), Decimal(0))


def create_order(*, user_id: UUID, order_id: UUID, cart_id: UUID, lines: Iterable[Line]) -> Order:
    """Write an order with its lines and the first entry of its history.

    Belongs into the transaction that takes the stock and removes the cart.
    """
    lines = list(lines)
    order = Order.objects.create(
        user_id=user_id,
        id=order_id,
        cart_id=cart_id,
        total_amount=total_of(lines),
    )
    items = [OrderItem(user_id=user_id, order_id=order.id, **line._asdict()) for line in lines]
    OrderItem.objects.bulk_create(items)
    OrderEvent.objects.create(user_id=user_id, order_id=order.id, status=order.order_status)
    order._prefetched_objects_cache = {"items": items}  # type: ignore[attr-defined]
    return order


def lock_order(user_id: UUID, order_id: UUID) -> Order:
    """Return one of the user's orders with its lines, locked until the transaction ends.

    Whatever changes an order or its payments takes this lock first, so that both stay in step.

    Raises:
        NotFound: the user has no such order.
    """
    order = orders_of(user_id).select_for_update().filter(id=order_id).first()
    if order is None:
        raise NotFound("There is no such order.")
    return order


def note(order: Order, **details: str) -> bool:
    """Write something into an order's history without changing its status, once.

    Call it behind the order's lock.

    Returns:
        False if the history says so already.
    """
    history = OrderEvent.objects.for_user(order.user_id).filter(order_id=order.id)
    if history.filter(details__contains=details).exists():
        return False
    OrderEvent.objects.create(
        user_id=order.user_id, order_id=order.id, status=order.order_status, details=details
    )
    return True
