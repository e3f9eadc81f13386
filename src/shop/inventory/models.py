"""Stock by product, and its ledger.

Invariant: for each product, ``available`` is the sum of its movements' ``delta`` and never
negative.
"""

from typing import ClassVar

from django.db import models

from sharding.django.placement import Distributed, Placement
from sharding.ids import new_id
from shop.catalog.models import Product
from shop.core.models import ProductShardedModel


class Stock(ProductShardedModel):
    """Units of a product that may be sold right now."""

    placement: ClassVar[Placement] = Distributed(by="product")

    product = models.OneToOneField(
        Product, on_delete=models.PROTECT, primary_key=True, related_name="stock"
    )
    available = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(available__gte=0), name="stock_available_not_below_0"
            )
        ]

    def __str__(self) -> str:
        return f"{self.available} of product {self.product_id}"


class Shelf(Product):
    """A product as the staff pages list its stock: from the table that every node has."""

    class Meta:
        proxy = True
        verbose_name = verbose_name_plural = "stock"


class StockMovement(ProductShardedModel):
    """One line of a product's ledger; lines are added and never changed."""

    placement: ClassVar[Placement] = Distributed(by="product_id", colocate_with="inventory.Stock")

    class Reason(models.TextChoices):
        RECEIPT = "receipt"
        ADJUSTMENT = "adjustment"
        IMPORT = "import"
        ORDER = "order"
        CANCELLATION = "cancellation"

    pk = models.CompositePrimaryKey("product_id", "id")
    product_id = models.BigIntegerField()
    id = models.UUIDField(default=new_id, editable=False)
    delta = models.BigIntegerField()
    reason = models.CharField(max_length=20, choices=Reason.choices)
    order_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(delta=0), name="stock_movement_moves_something"
            )
        ]

    def __str__(self) -> str:
        return f"{self.delta:+} of product {self.product_id}: {self.reason}"
