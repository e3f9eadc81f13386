"""The shapes of the wishlist endpoints."""

from rest_framework import serializers

from shop.core.fields import CatalogIdField
from shop.wishlists.models import WishlistItem


class WishlistItemSerializer(serializers.ModelSerializer[WishlistItem]):
    """A product on the wishlist, at the catalog's price of the moment."""

    name = serializers.CharField(source="product.name", read_only=True)
    price = serializers.DecimalField(
        source="product.price", max_digits=12, decimal_places=2, read_only=True
    )
    for_sale = serializers.BooleanField(source="product.is_for_sale", read_only=True)

    class Meta:
        model = WishlistItem
        fields = ["id", "product_id", "name", "price", "for_sale", "created_at"]


class AddItemSerializer(serializers.Serializer[WishlistItem]):
    """The product to remember."""

    product_id = CatalogIdField()
