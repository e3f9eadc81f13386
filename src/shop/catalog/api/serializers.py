"""The shapes of the catalog endpoints."""

from decimal import Decimal

from rest_framework import serializers

from shop.catalog.models import Category, Product

BIGINT_MAX = 2**63 - 1


class CategorySerializer(serializers.ModelSerializer[Category]):
    """A category; `parent_id` places it in the tree."""

    parent_id = serializers.PrimaryKeyRelatedField(
        source="parent", queryset=Category.objects.all(), allow_null=True, required=False
    )

    class Meta:
        model = Category
        fields = ["id", "name", "parent_id", "created_at", "updated_at"]
        validators: list[object] = []  # the database decides; a query beforehand would be a race


class ProductSerializer(serializers.ModelSerializer[Product]):
    """A product. `stock_quantity` is published in batches and may lag behind the shelf."""

    category_id = serializers.PrimaryKeyRelatedField(
        source="category", queryset=Category.objects.all()
    )
    category = serializers.CharField(source="category.name", read_only=True)
    slug = serializers.SlugField(max_length=255, allow_unicode=True, required=False)
    # What is searched has to fit into one tsvector, a megabyte of distinct words.
    description = serializers.CharField(max_length=20_000, allow_blank=True, required=False)
    price = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=Decimal(0))

    class Meta:
        model = Product
        fields = [
            "id",
            "name",
            "slug",
            "description",
            "price",
            "stock_quantity",
            "category_id",
            "category",
            "created_at",
            "updated_at",
        ]
        validators: list[object] = []


class FilterSerializer(serializers.Serializer[Product]):
    """What a list of products may be narrowed by."""

    category = serializers.IntegerField(min_value=1, max_value=BIGINT_MAX, required=False)
    search = serializers.CharField(max_length=200, required=False)
    min_price = serializers.DecimalField(
        max_digits=12, decimal_places=2, min_value=Decimal(0), required=False
    )
    max_price = serializers.DecimalField(
        max_digits=12, decimal_places=2, min_value=Decimal(0), required=False
    )
    in_stock = serializers.BooleanField(required=False)
