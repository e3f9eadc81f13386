"""Categories and products: reference tables, read locally on every node and written rarely."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Value

from sharding.django.placement import Placement, Reference
from shop.catalog.rows import CategoryRows, ProductRows, WatchedModel
from shop.catalog.search import Folded, Squeezed


class Category(WatchedModel):
    """A node of the category tree."""

    placement: ClassVar[Placement] = Reference()
    objects: ClassVar[models.Manager["Category"]] = CategoryRows.as_manager()

    name = models.CharField(max_length=200)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        db_index=False,  # the unique constraint's index begins with it
    )
    # All categories above this one, the root first: a subtree is then one comparison, no recursion.
    ancestor_ids: Any = ArrayField(models.BigIntegerField(), default=list, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(
                fields=["parent", "name"], name="category_name_in_parent", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return self.name


# Columns that only a search looks at.
SEARCHED = ("search", "search_name")


class Product(WatchedModel):
    """Something that the shop sells, sold, or is going to sell: only an active one is for sale.

    `stock_quantity` is the published figure, refreshed from the inventory in batches. What may be
    sold is decided in the inventory alone: a hot counter has no place in a table that every write
    locks on all nodes. Where `track_inventory` is off nothing is counted: it is sold whatever lies
    on its shelf.

    `handle` and `options` say which variant of a shop's export it is; made by hand, it has none.
    """

    placement: ClassVar[Placement] = Reference()
    objects: ClassVar[models.Manager["Product"]] = ProductRows.as_manager()

    class Status(models.TextChoices):
        DRAFT = "draft"
        ACTIVE = "active"
        ARCHIVED = "archived"

    name = models.CharField(max_length=255)
    slug = models.SlugField(max_length=255, allow_unicode=True, db_index=False)
    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, validators=[MinValueValidator(0)])
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.ACTIVE, db_default=Status.ACTIVE
    )
    stock_quantity = models.PositiveBigIntegerField(default=0, editable=False)
    track_inventory = models.BooleanField(
        default=True,
        db_default=True,
        help_text="Off: sold without counting, whatever is in stock.",
    )
    handle = models.CharField(max_length=255, null=True, editable=False)
    options: Any = ArrayField(
        models.CharField(max_length=255), default=list, db_default=Value([]), editable=False
    )
    category = models.ForeignKey(
        Category,
        on_delete=models.PROTECT,
        related_name="products",
        db_index=False,  # product_by_category begins with it
    )
    search = models.GeneratedField(
        expression=SearchVector(Folded("name"), Folded("description"), config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    search_name = models.GeneratedField(
        expression=Squeezed("name"), output_field=models.TextField(), db_persist=True
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="product_slug"),
            models.UniqueConstraint(fields=["handle", "options"], name="product_variant"),
            models.CheckConstraint(
                condition=models.Q(price__gte=0), name="product_price_not_below_0"
            ),
        ]
        indexes = [
            GinIndex(fields=["search"], name="product_search"),
            GinIndex(
                fields=["search_name"], name="product_search_name", opclasses=["gin_trgm_ops"]
            ),
            models.Index(fields=["price", "id"], name="product_by_price"),
            models.Index(fields=["name", "id"], name="product_by_name"),
            models.Index(fields=["created_at", "id"], name="product_by_age"),
            models.Index(fields=["category", "created_at", "id"], name="product_by_category"),
            # For staff: the few that are not for sale.
            models.Index(
                fields=["id"],
                name="product_not_for_sale",
                condition=~models.Q(status="active"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_for_sale(self) -> bool:
        """Tell whether customers see it and may buy it."""
        return bool(self.status == self.Status.ACTIVE)
