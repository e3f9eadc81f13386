"""The shapes of the catalog endpoints."""

from decimal import Decimal

from rest_framework import serializers

from shop.catalog.entry import MAX_DESCRIPTION
from shop.catalog.models import Category, Product
from shop.core.fields import CatalogIdField


class CategorySerializer(serializers.ModelSerializer[Category]):
    """A category; `parent_id` places it in the tree, `ancestor_ids` is its path from the root."""

    parent_id = serializers.PrimaryKeyRelatedField(
        source="parent", queryset=Category.objects.all(), allow_null=True, required=False
    )
    ancestor_ids = serializers.ListField(child=serializers.IntegerField(), read_only=True)

    class Meta:
        model = Category
        fields = ["id", "name", "parent_id", "ancestor_ids", "created_at", "updated_at"]
        validators: list[object] = []  # the database decides; a query beforehand would be a race


class CategoryFilterSerializer(serializers.Serializer[Category]):
    """What a list of categories may be narrowed by."""

    parent = serializers.RegexField(  # type: ignore[assignment]  # a field, not the attribute
        r"\A(root|[1-9][0-9]{0,18})\Z", required=False
    )


class ProductSerializer(serializers.ModelSerializer[Product]):
    """A product. `stock_quantity` is published in batches and may lag behind the shelf.

    With `track_inventory` off it is sold without counting, whatever its `stock_quantity`. Only who
    keeps the catalog sees one that is not `active`.
    """

    category_id = serializers.PrimaryKeyRelatedField(
        source="category", queryset=Category.objects.all()
    )
    category = serializers.CharField(source="category.name", read_only=True)
    slug = serializers.SlugField(max_length=255, allow_unicode=True, required=False)
    description = serializers.CharField(
        max_length=MAX_DESCRIPTION, allow_blank=True, required=False
    )
    price = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=Decimal(0))

    class Meta:
        model = Product
        fields = [
            "id",
            "name",
            "slug",
            "description",
            "price",
            "status",
            "stock_quantity",
            "track_inventory",
            "category_id",
            "category",
            "created_at",
            "updated_at",
        ]
        validators: list[object] = []


class FilterSerializer(serializers.Serializer[Product]):
    """What a list of products may be narrowed by."""

    category = CatalogIdField(required=False)
    search = serializers.CharField(max_length=200, required=False)
    min_price = serializers.DecimalField(
        max_digits=12, decimal_places=2, min_value=Decimal(0), required=False
    )
    max_price = serializers.DecimalField(
        max_digits=12, decimal_places=2, min_value=Decimal(0), required=False
    )
    in_stock = serializers.BooleanField(required=False)
    status = serializers.ChoiceField(choices=Product.Status.choices, required=False)
