"""Placing an order: one transaction, in which every guard is a lock or a constraint."""

from uuid import UUID

from sharding.ids import new_id
from shop.carts.models import CartItem
from shop.carts.selectors import items_of
from shop.carts.services import empty, lock_cart
from shop.checkout.errors import CartEmpty
from shop.core import outbox
from shop.inventory import services as inventory
from shop.orders.models import Order
from shop.orders.services import Line, create_order
from shop.payments.services import create_payment


def place_order(*, user_id: UUID, payment_method: str, payment_token: str = "") -> Order:
    """Turn the user's cart into an order; call it inside a transaction.

    The cart's lock keeps other requests of this user out. Prices are read from the node's own copy
    of the catalog. The stock is taken by guarded updates. What follows later, payment and mail,
    starts from the outbox event, which exists if and only if the order does.

    Raises:
        CartEmpty: there is nothing in the cart.
        InsufficientStock: names the lines that fall short; nothing may be kept.
    """
    cart = lock_cart(user_id)
    items = list(items_of(user_id)) if cart else []
    if cart is None or not items:
        raise CartEmpty("Your cart is empty.")
    order_id = new_id()
    inventory.take({item.product_id: item.quantity for item in items}, order_id=order_id)
    order = create_order(
        user_id=user_id, order_id=order_id, cart_id=cart.id, lines=map(_line, items)
    )
    create_payment(
        user_id=user_id,
        order_id=order.id,
        amount=order.total_amount,
        payment_method=payment_method,
        token=payment_token,
    )
    outbox.publish(user_id=user_id, topic="order.placed", payload={"order_id": str(order.id)})
    empty(user_id)
    return order


def _line(item: CartItem) -> Line:
    return Line(item.product_id, item.product.name, item.quantity, item.product.price)
