"""What became of an order and its payments, read from the database."""

from typing import Any
from uuid import UUID

from shop.accounts.models import User
from shop.core.models import OutboxEvent
from shop.inventory.models import StockMovement
from shop.orders.models import Order, OrderEvent
from shop.payments.models import Payment


def status_of(user: User, order_id: UUID | str) -> str:
    """Return an order's status."""
    order: Order = Order.objects.for_user(user.id).get(id=order_id)
    return order.order_status


def payments_of(user: User) -> list[str]:
    """Return the status of each of the user's payments, the oldest first."""
    return list(Payment.objects.for_user(user.id).order_by("id").values_list("status", flat=True))


def topics_of(user: User) -> list[str]:
    """Return what was told of the user's orders and payments, after the placing."""
    events = OutboxEvent.objects.for_user(user.id).order_by("id")
    return [topic for topic in events.values_list("topic", flat=True) if topic != "order.placed"]


def history_of(user: User) -> list[tuple[str, Any]]:
    """Return the history of the user's orders, after the placing."""
    events = OrderEvent.objects.for_user(user.id).order_by("id")
    return list(events.values_list("status", "details"))[1:]


def moved_back(product_id: int, order_id: str) -> list[int]:
    """Return what the ledger says an order gave back of a product."""
    moves = StockMovement.objects.for_product(product_id).filter(reason="cancellation")
    return list(moves.filter(order_id=order_id).values_list("delta", flat=True))
