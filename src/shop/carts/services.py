"""Filling and emptying a cart.

Everything that changes a cart's lines locks its row first, as placing an order does: a line is in
the cart that is ordered or in the next one, never lost between them.
"""

from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from sharding.django.routing import outdated
from sharding.django.transactions import atomic, cursor_for
from sharding.ids import new_id
from shop.accounts.models import User
from shop.accounts.selectors import active_user
from shop.carts.errors import QuantityTooLarge
from shop.carts.models import MAX_QUANTITY, CartItem, ShoppingCart
from shop.carts.selectors import item_of
from shop.catalog.selectors import product_for_sale
from shop.core.conditional import Check, unconditional
from shop.core.db import retried
from shop.core.errors import DomainError, NotFound, TooManyLines

# Opens the cart or finds it open, and locks it either way. An account that is being deleted is
# waited for: no row means that it is closed, or that its shard was split meanwhile. Then the work
# begins anew.
LOCK_OR_OPEN = """
INSERT INTO {cart} AS cart (user_id, id, created_at, updated_at)
SELECT owner.id, %s, %s, %s FROM {user} owner WHERE owner.id = %s AND owner.is_active FOR SHARE
ON CONFLICT (user_id) DO UPDATE SET updated_at = EXCLUDED.updated_at
RETURNING id
"""

# Adds a line, or adds up with the one that is there. The cart is locked, so that nobody else adds
# one meanwhile: no row means that it is full of other products, or that its shard was split.
ADD = """
INSERT INTO {item} AS item (user_id, id, cart_id, product_id, quantity, created_at, updated_at)
SELECT cart.user_id, %(id)s, cart.id, %(product_id)s, %(quantity)s, %(now)s, %(now)s
  FROM {cart} cart WHERE cart.user_id = %(user_id)s AND cart.id = %(cart_id)s
   AND (SELECT count(*) FROM {item} other WHERE other.user_id = %(user_id)s
                                            AND other.cart_id = cart.id
                                            AND other.product_id <> %(product_id)s) < %(most)s
ON CONFLICT (user_id, cart_id, product_id) DO UPDATE
SET quantity = item.quantity + EXCLUDED.quantity, updated_at = EXCLUDED.updated_at
RETURNING id, quantity, created_at, updated_at
"""


@retried
def add_item(*, user_id: UUID, product_id: int, quantity: int) -> CartItem:
    """Put units of a product into the user's cart, on top of what is there.

    Raises:
        NotFound: there is no such product for sale.
        AccountClosed
        QuantityTooLarge: the line would exceed MAX_QUANTITY.
        TooManyLines: the cart has settings.MAX_LINES others.
    """
    now = timezone.now()
    try:
        with atomic(CartItem, user_id), cursor_for(CartItem, user_id) as cursor:
            item = CartItem(user_id=user_id, product=product_for_sale(product_id))
            tables = {"cart": ShoppingCart._meta.db_table, "user": User._meta.db_table}
            cursor.execute(LOCK_OR_OPEN.format(**tables), [new_id(), now, now, user_id])
            if (row := cursor.fetchone()) is None:
                active_user(user_id)
                raise outdated()
            (item.cart_id,) = row
            values = {
                "user_id": user_id,
                "cart_id": item.cart_id,
                "id": new_id(),
                "product_id": item.product_id,
                "quantity": quantity,
                "now": now,
                "most": settings.MAX_LINES,
            }
            cursor.execute(ADD.format(item=CartItem._meta.db_table, **tables), values)
            if (row := cursor.fetchone()) is None:
                raise TooManyLines("A cart") if _is_full(item) else outdated()
            item.id, item.quantity, item.created_at, item.updated_at = row
    except IntegrityError as error:
        raise _translated(error) from error
    return item


@retried
def set_quantity(
    *, user_id: UUID, item_id: UUID, quantity: int, check: Check = unconditional
) -> CartItem:
    """Set a line's quantity.

    Args:
        check: run when the cart is locked; what it raises leaves the cart as it was.

    Raises:
        NotFound: the user's cart has no such line.
    """
    with atomic(CartItem, user_id):
        lock_cart(user_id)
        check()
        item = item_of(user_id, item_id)
        item.quantity = quantity
        item.save(update_fields=["quantity", "updated_at"])
    return item


@retried
def remove_item(*, user_id: UUID, item_id: UUID, check: Check = unconditional) -> None:
    """Take a line out of the user's cart.

    Args:
        check: run when the cart is locked; what it raises leaves the cart as it was.

    Raises:
        NotFound: the user's cart has no such line.
    """
    with atomic(CartItem, user_id):
        lock_cart(user_id)
        check()
        removed, _ = CartItem.objects.for_user(user_id).filter(id=item_id).delete()
    if not removed:
        raise NotFound("There is no such line in your cart.")


def lock_cart(user_id: UUID) -> ShoppingCart | None:
    """Lock the user's cart until the transaction ends; None if there is none."""
    return ShoppingCart.objects.for_user(user_id).select_for_update().first()


@retried
def discard(user_id: UUID, *, check: Check = unconditional) -> None:
    """Remove the user's cart with its lines, if there is one.

    Args:
        check: run when the cart is locked; what it raises leaves the cart as it was.
    """
    with atomic(CartItem, user_id):
        lock_cart(user_id)
        check()
        empty(user_id)


def empty(user_id: UUID) -> None:
    """Remove the user's cart, which is locked; its lines go with it (ON DELETE CASCADE)."""
    ShoppingCart.objects.for_user(user_id).delete()


def _is_full(item: CartItem) -> bool:
    """Tell whether the cart, which is locked, is full of other products."""
    others = CartItem.objects.for_user(item.user_id).exclude(product_id=item.product_id)
    return others.count() >= settings.MAX_LINES


def _translated(error: IntegrityError) -> DomainError:
    if "cart_item_quantity" in str(error):
        return QuantityTooLarge(f"One line of a cart holds {MAX_QUANTITY} units at most.")
    return NotFound("There is no such product.")
