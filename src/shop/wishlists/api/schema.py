"""The wishlist endpoints as API clients read them."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from shop.core.errors import NotFound, TooManyLines
from shop.core.openapi import TIME_EXAMPLE, UUID_EXAMPLE, Operation, page_of
from shop.wishlists.api.serializers import AddItemSerializer, WishlistItemSerializer

WISHLIST = "Wishlist"
TAGS = {WISHLIST: "Products that the caller wants to remember."}

ITEM = {
    "id": UUID_EXAMPLE,
    "product_id": 17,
    "product_name": "The Waves",
    "name": "The Waves",
    "price": "19.90",
    "for_sale": True,
    "created_at": TIME_EXAMPLE,
}

extend_schema_serializer(component_name="WishlistAddition")(AddItemSerializer)


class WishlistSerializer(serializers.Serializer[Any]):
    """The wishlist; one that nothing was put on has no id yet."""

    id = serializers.UUIDField(read_only=True, allow_null=True)
    items = WishlistItemSerializer(many=True, read_only=True)


OPERATIONS = {
    "WishlistView.get": Operation(
        id="wishlist_read",
        tag=WISHLIST,
        summary="Read the wishlist",
        description="With all its items, the oldest first.",
        returns=WishlistSerializer,
        example={"id": UUID_EXAMPLE, "items": [ITEM]},
    ),
    "WishlistView.delete": Operation(
        id="wishlist_clear",
        tag=WISHLIST,
        summary="Clear the wishlist",
        description="All items go.",
        status=204,
    ),
    "WishlistItemListView.get": Operation(
        id="wishlist_items_list",
        tag=WISHLIST,
        summary="List the items of the wishlist, the newest first",
        description="With the name and the price of the moment.",
        returns=WishlistItemSerializer,
        example=page_of(ITEM, "/api/wishlist/items/"),
        paged=True,
    ),
    "WishlistItemListView.post": Operation(
        id="wishlist_items_add",
        tag=WISHLIST,
        summary="Put a product on the wishlist",
        description="A product that is there already stays as it is.",
        body=AddItemSerializer,
        sends={"product_id": 17},
        returns=WishlistItemSerializer,
        example=ITEM,
        status=201,
        errors=(TooManyLines, NotFound),
        located=True,
    ),
    "WishlistItemView.delete": Operation(
        id="wishlist_items_remove",
        tag=WISHLIST,
        summary="Take an item off the wishlist",
        description="The others stay.",
        status=204,
    ),
}
