"""Changing a wishlist."""

from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from sharding.django.routing import outdated
from sharding.django.transactions import atomic, cursor_for
from sharding.ids import new_id
from shop.accounts.models import User
from shop.accounts.selectors import active_user
from shop.catalog.selectors import product_for_sale
from shop.core.db import retried
from shop.core.errors import NotFound, TooManyLines
from shop.wishlists.models import Wishlist, WishlistItem

# The update that changes nothing makes the row come back when it was there already, and locks it.
# An account that is being deleted is waited for: no row means that it is closed, or that its shard
# was split meanwhile. Then the work begins anew.
FIND_OR_OPEN = """
INSERT INTO {wishlist} AS wishlist (user_id, id, created_at)
SELECT owner.id, %s, %s FROM {user} owner WHERE owner.id = %s AND owner.is_active FOR SHARE
ON CONFLICT (user_id) DO UPDATE SET created_at = wishlist.created_at
RETURNING id
"""
FIND_OR_ADD = """
INSERT INTO {item} AS item (user_id, id, wishlist_id, product_id, created_at)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (user_id, wishlist_id, product_id) DO UPDATE SET created_at = item.created_at
RETURNING id, created_at
"""


@retried
def add_item(*, user_id: UUID, product_id: int) -> WishlistItem:
    """Put a product on the user's wishlist; one that is there already stays as it is.

    Raises:
        NotFound: there is no such product for sale.
        AccountClosed
        TooManyLines: there are settings.MAX_LINES others.
    """
    now = timezone.now()
    try:
        with atomic(WishlistItem, user_id), cursor_for(WishlistItem, user_id) as cursor:
            item = WishlistItem(user_id=user_id, product=product_for_sale(product_id))
            tables = {"wishlist": Wishlist._meta.db_table, "user": User._meta.db_table}
            cursor.execute(FIND_OR_OPEN.format(**tables), [new_id(), now, user_id])
            if (row := cursor.fetchone()) is None:
                active_user(user_id)
                raise outdated()
            (item.wishlist_id,) = row
            _require_room(item)
            cursor.execute(
                FIND_OR_ADD.format(item=WishlistItem._meta.db_table),
                [user_id, new_id(), item.wishlist_id, item.product_id, now],
            )
            item.id, item.created_at = cursor.fetchone()
    except IntegrityError as error:
        raise NotFound("There is no such product.") from error
    return item


@retried
def remove_item(*, user_id: UUID, item_id: UUID) -> None:
    """Take an item off the user's wishlist.

    Raises:
        NotFound: it is not there.
    """
    removed, _ = WishlistItem.objects.for_user(user_id).filter(id=item_id).delete()
    if not removed:
        raise NotFound("There is no such item on your wishlist.")


@retried
def clear(user_id: UUID) -> None:
    """Remove the user's wishlist; its items go with it (ON DELETE CASCADE)."""
    Wishlist.objects.for_user(user_id).delete()


def _require_room(item: WishlistItem) -> None:
    """Raise TooManyLines if the wishlist, which is locked, is full of other products."""
    others = WishlistItem.objects.for_user(item.user_id).exclude(product_id=item.product_id)
    if others.count() >= settings.MAX_LINES:
        raise TooManyLines("A wishlist")
