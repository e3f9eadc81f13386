"""Reading carts."""

from uuid import UUID

from django.db.models import QuerySet

from shop.carts.models import CartItem, ShoppingCart
from shop.catalog.models import SEARCHED
from shop.core.errors import NotFound

# Of a product, what no list of lines shows.
UNREAD = [f"product__{column}" for column in (*SEARCHED, "description")]


def cart_of(user_id: UUID) -> ShoppingCart | None:
    """Return the user's open cart; None until something is put into it."""
    return ShoppingCart.objects.for_user(user_id).first()


def items_of(user_id: UUID) -> QuerySet[CartItem]:
    """Return the lines of the user's open cart with their products, in the order they were added.

    A user has one cart at most, so the user alone names its lines.
    """
    products = CartItem.objects.for_user(user_id).select_related("product")
    return products.defer(*UNREAD).order_by("id")


def item_of(user_id: UUID, item_id: UUID) -> CartItem:
    """Return one line of the user's cart, or raise NotFound."""
    item = items_of(user_id).filter(id=item_id).first()
    if item is None:
        raise NotFound("There is no such line in your cart.")
    return item
