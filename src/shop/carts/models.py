"""One open cart per user, and its lines."""

from datetime import datetime

from django.conf import settings
from django.db import models

from sharding.django.models import ShardForeignObject
from shop.catalog.models import Product
from shop.core.models import UserShardedModel

MAX_QUANTITY = 999


class ShoppingCart(UserShardedModel):
    """A user's open cart. It is gone once an order was made of it; the order keeps its id."""

    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id"], name="cart_per_user")]

    def __str__(self) -> str:
        return str(self.id)

    @staticmethod
    def expired(now: datetime) -> models.Q:
        """Return what finds the carts that `manage.py purge_expired` removes, lines and all."""
        return models.Q(updated_at__lte=now - settings.ABANDONED_CART_LIFETIME)


class CartItem(UserShardedModel):
    """A product in a cart, once, with its quantity. The price is the catalog's of the moment."""

    cart_id = models.UUIDField()
    cart = ShardForeignObject(ShoppingCart, by=("user_id", "cart_id"), related_name="items")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+", db_index=False)
    quantity = models.PositiveIntegerField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user_id", "cart_id", "product"], name="cart_item_per_product"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=1, quantity__lte=MAX_QUANTITY),
                name="cart_item_quantity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × product {self.product_id}"
