"""The shape of an order's request."""

from rest_framework import serializers

from shop.orders.models import Order
from shop.payments.models import Payment


class PlaceOrderSerializer(serializers.Serializer[Order]):
    """How the order will be paid."""

    payment_method = serializers.ChoiceField(choices=Payment.Method.choices)
    payment_token = serializers.CharField(max_length=255, required=False)
