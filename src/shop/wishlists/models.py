"""One wishlist per user, and its items."""

from django.db import models

from sharding.django.models import ShardForeignObject
from shop.catalog.models import Product
from shop.core.models import UserShardedModel


class Wishlist(UserShardedModel):
    """A user's wishlist; it comes into being with its first item."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id"], name="wishlist_per_user")]

    def __str__(self) -> str:
        return str(self.id)


class WishlistItem(UserShardedModel):
    """A product on a wishlist, once."""

    wishlist_id = models.UUIDField()
    wishlist = ShardForeignObject(Wishlist, by=("user_id", "wishlist_id"), related_name="items")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user_id", "wishlist_id", "product"], name="wishlist_item_per_product"
            )
        ]

    def __str__(self) -> str:
        return f"product {self.product_id}"
