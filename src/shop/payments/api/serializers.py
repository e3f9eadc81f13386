"""The shapes of the payment endpoints."""

from rest_framework import serializers

from shop.payments.models import Payment


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """A payment. Its token is for the gateway and is shown to nobody."""

    class Meta:
        model = Payment
        fields = [
            "id",
            "order_id",
            "payment_method",
            "amount",
            "status",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields
