"""Reviews, each on its product's shard."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db import models

from sharding.django.placement import Distributed, Placement
from sharding.ids import new_id
from shop.catalog import freshness
from shop.catalog.models import Product
from shop.core.models import ProductQuerySet, ProductShardedModel


class ReviewQuerySet(ProductQuerySet["Review"]):
    """Reviews. A product's answer shows its rating: whoever writes reviews makes it stale."""

    def update(self, **values: Any) -> int:
        return int(self._write(lambda: super(ReviewQuerySet, self).update(**values)))

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        found: tuple[int, dict[str, int]] = self._write(super().delete)
        return found

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Any, *args: Any, **options: Any) -> list["Review"]:
        made = super().bulk_create(objs, *args, **options)
        freshness.rating_changed({one.product_id for one in made}, using=self.db)
        return made

    def _write(self, write: Callable[[], Any]) -> Any:
        self._for_write = True
        ids = {self._shard_key}
        if self._shard_key is None:
            ids = set(self.values_list("product_id", flat=True))
        written = write()
        freshness.rating_changed(ids, using=self.db)  # type: ignore[arg-type]  # they are ids
        return written


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

    objects: ClassVar[Any] = ReviewQuerySet.as_manager()

    class Meta:
        # A product's reviews in the order of their ids are read by the primary key.
        # For staff, who page through all of them: each shard reads its newest alone.
        indexes = [
            models.Index(fields=["user_id"], name="review_by_user"),
            models.Index(fields=["id"], name="review_by_id"),
        ]
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

    def save(self, *args: Any, **options: Any) -> None:
        super().save(*args, **options)
        freshness.rating_changed([self.product_id], using=self._state.db or "default")

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        deleted = super().delete(*args, **options)
        freshness.rating_changed([self.product_id], using=self._state.db or "default")
        return deleted
