"""Reviews, each on its product's shard."""

from typing import ClassVar

from django.db import models

from sharding.django.placement import Distributed, Placement
from sharding.ids import new_id
from shop.catalog.models import Product
from shop.core.models import ProductShardedModel


class Review(ProductShardedModel):
    """One user's opinion of one product.

    The user and their orders live on another shard: a plain id names them, and what a list shows
    of them, `author_name` and `verified_purchase`, is kept as it was at the time of writing.
    """

    placement: ClassVar[Placement] = Distributed(by="product", colocate_with="inventory.Stock")

    pk = models.CompositePrimaryKey("product_id", "id")
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="reviews", db_index=False
    )
    id = models.UUIDField(default=new_id, editable=False)
    user_id = models.UUIDField()
    author_name = models.CharField(max_length=150)
    rating = models.PositiveSmallIntegerField()
    comment = models.TextField(blank=True)
    verified_purchase = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        # A product's reviews in the order of their ids are read by the primary key.
        indexes = [models.Index(fields=["user_id"], name="review_by_user")]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "user_id"],
                name="review_per_user",
                include=["rating"],  # a product's rating is read from this index alone
            ),
            models.CheckConstraint(
                condition=models.Q(rating__gte=1, rating__lte=5), name="review_rating_1_to_5"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rating}/5 for product {self.product_id}"
