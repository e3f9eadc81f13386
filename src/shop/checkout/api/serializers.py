"""The shapes of what is asked of the checkout, and of an order as staff see it."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from shop.checkout.webhook import EFFECTS
from shop.orders.api.serializers import OrderSerializer
from shop.orders.models import Order, OrderEvent
from shop.payments.api.serializers import PaymentSerializer
from shop.payments.models import Payment


class PayingSerializer(serializers.Serializer[Payment]):
    """How an order will be paid."""

    payment_method = serializers.ChoiceField(choices=Payment.Method.choices)
    payment_token = serializers.CharField(max_length=255, required=False)


class PlaceOrderSerializer(PayingSerializer):
    """How the order will be paid, and what the customer agrees to pay for it."""

    expected_total = serializers.DecimalField(
        max_digits=20, decimal_places=2, min_value=Decimal(0), required=False
    )


@extend_schema_serializer(deprecate_fields=["user_id"])
class RefundSerializer(serializers.Serializer[Payment]):
    """How much goes back: all of it, which need not be said; nor need whose payment it is."""

    user_id = serializers.UUIDField(required=False)
    amount = serializers.DecimalField(
        max_digits=20, decimal_places=2, min_value=Decimal(0), required=False
    )


@extend_schema_serializer(deprecate_fields=["user_id"])
class ByHandSerializer(serializers.Serializer[Payment]):
    """What finds the payment's booking at the bank; whose it is need not be said."""

    user_id = serializers.UUIDField(required=False)
    reference = serializers.CharField(max_length=140, required=False)


class EventDataSerializer(serializers.Serializer[Payment]):
    """The payment that an event is about."""

    user_id = serializers.UUIDField()
    payment_id = serializers.UUIDField()


class EventSerializer(serializers.Serializer[Payment]):
    """What the payment gateway tells."""

    id = serializers.CharField(max_length=255)
    type = serializers.ChoiceField(choices=list(EFFECTS))
    data = EventDataSerializer()  # type: ignore[assignment]


class OrderEventSerializer(serializers.ModelSerializer[OrderEvent]):
    """One entry of an order's history."""

    details = serializers.DictField(read_only=True)

    class Meta:
        model = OrderEvent
        fields = ["id", "status", "details", "created_at"]


class StaffOrderSerializer(OrderSerializer):
    """An order with its owner, its payments and its history."""

    payments = PaymentSerializer(many=True, read_only=True)
    events = OrderEventSerializer(many=True, read_only=True)

    class Meta(OrderSerializer.Meta):
        fields = ["user_id", *OrderSerializer.Meta.fields, "payments", "events"]


class OrderStatusSerializer(serializers.Serializer[Order]):
    """The status that staff give an order; `pending` and `paid` are not theirs to give."""

    order_status = serializers.ChoiceField(
        choices=[
            Order.Status.SHIPPED,
            Order.Status.DELIVERED,
            Order.Status.CANCELLED,
            Order.Status.REFUNDED,
        ]
    )
    tracking_number = serializers.CharField(max_length=100, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "tracking_number" in attrs and attrs["order_status"] != Order.Status.SHIPPED:
            text = "Only what is shipped has one."
            raise serializers.ValidationError({"tracking_number": text}, "invalid")
        return attrs
