"""Reading orders with all that belongs to them."""

from datetime import datetime
from operator import itemgetter
from typing import Protocol
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce

from sharding.django.reachable import reachable
from shop.accounts.selectors import owner_of
from shop.carts.models import ShoppingCart
from shop.core.errors import NotFound
from shop.core.models import OutboxEvent
from shop.orders.models import Order, OrderEvent
from shop.orders.selectors import order_of, orders_of
from shop.payments.models import Payment
from shop.payments.selectors import payments_of_order


class CartToOrder(Protocol):
    """A cart that is locked.

    Attributes:
        unpaid: how many orders of its user wait to be paid.
    """

    id: UUID
    unpaid: int


def lock_cart_and_count_unpaid(user_id: UUID) -> CartToOrder | None:
    """Lock the user's cart until the transaction ends; None if there is none.

    One statement for both. The count is of before the lock: whoever ordered while this waited has
    taken the cart away.
    """
    pending = Order.objects.for_user(user_id).filter(order_status=Order.Status.PENDING)
    number = pending.order_by().values("user_id").annotate(number=Count("id")).values("number")
    carts = ShoppingCart.objects.for_user(user_id).annotate(unpaid=Coalesce(Subquery(number), 0))
    cart: CartToOrder | None = carts.select_for_update(of=("self",)).first()
    return cart


def payments_of_known_order(user_id: UUID, order_id: UUID) -> list[Payment]:
    """Return the payments of one of the user's orders, or raise NotFound."""
    return list(payments_of_order(user_id, order_of(user_id, order_id).id))


def owner_of_order(order_id: UUID) -> UUID:
    """Return whose an order is, by its number alone, or raise NotFound.

    Asks one shard. For a number that carries no mark, made before they did, it asks all.
    """
    owner = owner_of(order_id)
    if owner is None:
        orders = Order.objects.cross_shard().filter(id=order_id)
        owner = orders.values_list("user_id", flat=True).first()
    if owner is None:
        raise NotFound("There is no such order.")
    return owner


def owner_of_payment(payment_id: UUID) -> UUID:
    """Return whose a payment is, by its id alone, or raise NotFound. Asks one shard."""
    owner = owner_of(payment_id)
    if owner is None:
        raise NotFound("Nobody has such a payment, or it is from before ids told whose they are.")
    return owner


def order_for_staff(user_id: UUID, order_id: UUID) -> Order:
    """Return an order with its lines, payments and history, or raise NotFound. Asks one shard."""
    orders = orders_of(user_id).prefetch_related(
        Prefetch("payments", Payment.objects.order_by("id")),
        Prefetch("events", OrderEvent.objects.order_by("id")),
    )
    order = orders.filter(id=order_id).first()
    if order is None:
        raise NotFound("There is no such order.")
    return order


def refund_is_under_way(payment: Payment) -> bool:
    """Return whether the gateway is still to be asked, or asked again, to send the money back."""
    events = OutboxEvent.objects.for_user(payment.user_id).filter(
        topic="payment.refund_due", payload__payment_id=str(payment.id), due_at__isnull=False
    )
    return bool(events.exists())


def unpaid_orders(
    *,
    placed_before: datetime,
    by_transfer_before: datetime,
    after: UUID | None,
    limit: int,
) -> list[tuple[UUID, UUID]]:
    """Return (user id, order id) of pending orders, the oldest first, of the nodes that answer.

    Args:
        placed_before: for the orders that are paid at the gateway.
        by_transfer_before: for those that wait for a bank.
        after: where the batch before this one ended.
    """
    by_transfer = Payment.objects.filter(
        user_id=OuterRef("user_id"),
        order_id=OuterRef("id"),
        status=Payment.Status.PENDING,
        payment_method=Payment.Method.BANK_TRANSFER,
    )
    orders = Order.objects.cross_shard().filter(
        Q(created_at__lt=by_transfer_before) | ~Q(Exists(by_transfer)),
        order_status=Order.Status.PENDING,
        created_at__lt=placed_before,
    )
    if after:
        orders = orders.filter(id__gt=after)
    return reachable(orders.order_by("id").values_list("user_id", "id")[:limit], key=itemgetter(1))
