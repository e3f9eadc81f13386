"""The shapes of the wishlist endpoints."""

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from shop.core.fields import CatalogIdField
from shop.wishlists.models import WishlistItem


@extend_schema_serializer(deprecate_fields=["name"])
class WishlistItemSerializer(serializers.ModelSerializer[WishlistItem]):
    """A product on the wishlist, at the catalog's price of the moment."""

    product_name = serializers.CharField(source="product.name", read_only=True)
    name = serializers.CharField(source="product.name", read_only=True)
    price = serializers.DecimalField(
        source="product.price", max_digits=12, decimal_places=2, read_only=True
    )
    for_sale = serializers.BooleanField(source="product.is_for_sale", read_only=True)

    class Meta:
        model = WishlistItem
        fields = ["id", "product_id", "product_name", "name", "price", "for_sale", "created_at"]


class AddItemSerializer(serializers.Serializer[WishlistItem]):
    """The product to remember."""

    product_id = CatalogIdField()
