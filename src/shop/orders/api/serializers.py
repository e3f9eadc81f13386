"""The shapes of the order endpoints."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from shop.core.fields import CurrencyField
from shop.orders.models import Order, OrderItem


class OrderItemSerializer(serializers.ModelSerializer[OrderItem]):
    """A line of an order, as it was sold."""

    class Meta:
        model = OrderItem
        fields = ["id", "product_id", "product_name", "quantity", "price"]


class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order with its lines, and how its newest payment stands."""

    payment_status = serializers.CharField(read_only=True)
    currency = CurrencyField()
    items = OrderItemSerializer(many=True, read_only=True)

    class Meta:
        model = Order
        fields = [
            "id",
            "order_status",
            "payment_status",
            "total_amount",
            "currency",
            "items",
            "created_at",
            "updated_at",
        ]


class StaffOrderRowSerializer(serializers.ModelSerializer[Order]):
    """An order in the list of all users' orders; its lines and payments are in its detail."""

    currency = CurrencyField()

    class Meta:
        model = Order
        fields = [
            "user_id",
            "id",
            "order_status",
            "total_amount",
            "currency",
            "created_at",
            "updated_at",
        ]


@extend_schema_serializer(deprecate_fields=["status"])
class OrderFilterSerializer(serializers.Serializer[Order]):
    """What staff may narrow the orders of all users by; `status` is `order_status` as it was."""

    order_status = serializers.ChoiceField(choices=Order.Status.choices, required=False)
    status = serializers.ChoiceField(choices=Order.Status.choices, required=False)
    user_id = serializers.UUIDField(required=False)
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "status" in attrs:
            attrs.setdefault("order_status", attrs.pop("status"))
        return attrs
