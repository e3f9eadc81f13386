"""The shapes of the cart endpoints."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from shop.carts.models import MAX_QUANTITY, CartItem, ShoppingCart
from shop.core.fields import CatalogIdField


@extend_schema_serializer(deprecate_fields=["name"])
class CartItemSerializer(serializers.ModelSerializer[CartItem]):
    """A line of the cart, at the catalog's price of the moment."""

    product_name = serializers.CharField(source="product.name", read_only=True)
    name = serializers.CharField(source="product.name", read_only=True)
    price = serializers.DecimalField(
        source="product.price", max_digits=12, decimal_places=2, read_only=True
    )

    for_sale = serializers.BooleanField(source="product.is_for_sale", read_only=True)

    class Meta:
        model = CartItem
        fields = [
            "id",
            "product_id",
            "product_name",
            "name",
            "quantity",
            "price",
            "for_sale",
            "created_at",
            "updated_at",
        ]


class AddItemSerializer(serializers.Serializer[CartItem]):
    """What to put into the cart."""

    product_id = CatalogIdField()
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY, default=1)


class QuantitySerializer(serializers.Serializer[CartItem]):
    """The quantity that a line shall have."""

    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)


def cart_body(cart: ShoppingCart | None, items: Iterable[CartItem]) -> dict[str, Any]:
    """Return a cart with its lines and total; an unopened cart has no id yet."""
    lines = list(items)
    total = sum((line.quantity * line.product.price for line in lines), Decimal("0.00"))
    return {
        "id": str(cart.id) if cart else None,
        "items": CartItemSerializer(lines, many=True).data,
        "total_amount": str(total),
        "total": str(total),
        "updated_at": cart.updated_at if cart else None,
    }
