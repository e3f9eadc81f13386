"""The stock endpoint as API clients read it."""

from typing import Any

from rest_framework import serializers

from shop.core.openapi import Operation
from shop.inventory.api.serializers import AdjustmentSerializer
from shop.inventory.errors import InsufficientStock

STOCK = "Stock"
TAGS = {STOCK: "What is on the shelf, for those who keep it. Orders take from it by themselves."}
PROBLEM_MEMBERS = {
    "insufficient_stock": {"lines": [{"product_id": 17, "requested": 3, "available": 1}]}
}


class StockSerializer(serializers.Serializer[Any]):
    """The units of a product that may be sold right now; any number, if they are not counted."""

    product_id = serializers.IntegerField(read_only=True)
    available = serializers.IntegerField(read_only=True)
    track_inventory = serializers.BooleanField(read_only=True)


OPERATIONS = {
    "StockView.get": Operation(
        id="stock_read",
        tag=STOCK,
        summary="Read a product's stock",
        returns=StockSerializer,
        example={"product_id": 17, "available": 12, "track_inventory": True},
    ),
    "StockView.post": Operation(
        id="stock_adjust",
        tag=STOCK,
        summary="Book units in or out",
        description="`receipt` for what came in, `adjustment` for what was counted.",
        body=AdjustmentSerializer,
        sends={"delta": 12, "reason": "receipt"},
        returns=StockSerializer,
        example={"product_id": 17, "available": 24, "track_inventory": True},
        status=201,
        errors=(InsufficientStock,),
        idempotent="required",
        located=True,
    ),
}
