"""The cart endpoints as API clients read them."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from shop.carts.api.serializers import AddItemSerializer, CartItemSerializer, QuantitySerializer
from shop.carts.errors import QuantityTooLarge
from shop.core.errors import NotFound, TooManyLines
from shop.core.openapi import TIME_EXAMPLE, UUID_EXAMPLE, Operation

CART = "Cart"
TAGS = {
    CART: "The caller's one cart. Its prices are the catalog's of the moment. `If-Match` takes the "
    "ETag of the whole cart."
}

LINE = {
    "id": UUID_EXAMPLE,
    "product_id": 17,
    "product_name": "The Waves",
    "name": "The Waves",
    "quantity": 2,
    "price": "19.90",
    "for_sale": True,
    "created_at": TIME_EXAMPLE,
    "updated_at": TIME_EXAMPLE,
}

extend_schema_serializer(component_name="CartAddition")(AddItemSerializer)


class SumField(serializers.DecimalField):
    """A sum of lines."""

    def __init__(self) -> None:
        super().__init__(max_digits=20, decimal_places=2, min_value=Decimal(0), read_only=True)


@extend_schema_serializer(deprecate_fields=["total"])
class CartSerializer(serializers.Serializer[Any]):
    """A cart with its lines and their sum; a cart that nothing was put into has no id yet."""

    id = serializers.UUIDField(read_only=True, allow_null=True)
    items = CartItemSerializer(many=True, read_only=True)
    total_amount = SumField()
    total = SumField()
    updated_at = serializers.DateTimeField(read_only=True, allow_null=True)


OPERATIONS = {
    "CartView.get": Operation(
        id="cart_read",
        tag=CART,
        summary="Read the cart",
        description="With its lines and their sum, at the prices of the moment. No stock is held.",
        returns=CartSerializer,
        example={
            "id": UUID_EXAMPLE,
            "items": [LINE],
            "total_amount": "39.80",
            "total": "39.80",
            "updated_at": TIME_EXAMPLE,
        },
    ),
    "CartView.delete": Operation(
        id="cart_empty",
        tag=CART,
        summary="Empty the cart",
        description="All lines go; nothing happens to an empty cart.",
        status=204,
    ),
    "CartItemListView.get": Operation(
        id="cart_items_list",
        tag=CART,
        summary="List the lines of the cart",
        description="In the order in which they were added, without pages.",
        returns=CartItemSerializer(many=True),
        example=[LINE],
    ),
    "CartItemListView.post": Operation(
        id="cart_items_add",
        tag=CART,
        summary="Put a product into the cart",
        description="A product that is there already adds up to its line.",
        body=AddItemSerializer,
        sends={"product_id": 17, "quantity": 2},
        returns=CartItemSerializer,
        example=LINE,
        status=201,
        errors=(QuantityTooLarge, TooManyLines, NotFound),
        idempotent="optional",
        located=True,
    ),
    "CartItemView.patch": Operation(
        id="cart_items_update",
        tag=CART,
        summary="Change the quantity of a line",
        description="To a number from 1 on; to take the line out, delete it. With `If-Match`, the"
        " answer has the cart's new ETag.",
        body=QuantitySerializer,
        sends={"quantity": 3},
        returns=CartItemSerializer,
        example={**LINE, "quantity": 3},
        versioned=False,
    ),
    "CartItemView.delete": Operation(
        id="cart_items_remove",
        tag=CART,
        summary="Take a line out of the cart",
        description="The other lines stay.",
        status=204,
    ),
}
