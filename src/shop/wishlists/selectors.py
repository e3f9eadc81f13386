"""Reading wishlists."""

from uuid import UUID

from django.db.models import QuerySet

from shop.catalog.models import SEARCHED
from shop.wishlists.models import Wishlist, WishlistItem

# Of a product, what no list of lines shows.
UNREAD = [f"product__{column}" for column in (*SEARCHED, "description")]


def wishlist_of(user_id: UUID) -> Wishlist | None:
    """Return the user's wishlist; None until something is put on it."""
    return Wishlist.objects.for_user(user_id).first()


def items_of(user_id: UUID) -> QuerySet[WishlistItem]:
    """Return what is on the user's wishlist, with the products."""
    items = WishlistItem.objects.for_user(user_id).select_related("product")
    return items.defer(*UNREAD)
