"""The shapes of the payment endpoints."""

from rest_framework import serializers

from shop.core.fields import CurrencyField
from shop.payments.models import Payment


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """A payment. Its token is for the gateway and is shown to nobody."""

    currency = CurrencyField()

    class Meta:
        model = Payment
        fields = [
            "id",
            "order_id",
            "payment_method",
            "amount",
            "currency",
            "status",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class StaffPaymentSerializer(PaymentSerializer):
    """A payment with its owner, and with what the gateway calls it."""

    class Meta(PaymentSerializer.Meta):
        fields = ["user_id", *PaymentSerializer.Meta.fields, "provider_ref", "paid_out_at"]
        read_only_fields = fields


class RefundFilterSerializer(serializers.Serializer[Payment]):
    """What staff may narrow the refunds of all users by."""

    user_id = serializers.UUIDField(required=False)
    payment_method = serializers.ChoiceField(choices=Payment.Method.choices, required=False)
