"""The shapes of the webhook endpoints."""

from typing import Any

from rest_framework import serializers

from shop.webhooks.models import TOPICS, WebhookDelivery, WebhookEndpoint


class EndpointSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    """An address and what it hears of. Its secret is not shown."""

    topics = serializers.ListField(
        child=serializers.ChoiceField(choices=TOPICS), allow_empty=False, max_length=len(TOPICS)
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["id", "url", "topics", "description", "is_active", "created_at", "updated_at"]
        read_only_fields = ["id", "created_at", "updated_at"]


class NewEndpointSerializer(EndpointSerializer):
    """An endpoint at the one moment when its secret is shown."""

    class Meta(EndpointSerializer.Meta):
        fields = [*EndpointSerializer.Meta.fields, "secret"]


class AttemptSerializer(serializers.Serializer[Any]):
    """One attempt: when, what was answered (null: nothing), how long it took, what went wrong."""

    at = serializers.DateTimeField(read_only=True)
    status = serializers.IntegerField(read_only=True, allow_null=True)
    ms = serializers.IntegerField(read_only=True)
    error = serializers.CharField(read_only=True)


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """An event on its way to an endpoint."""

    attempts = AttemptSerializer(many=True, read_only=True)

    class Meta:
        model = WebhookDelivery
        fields = [
            "id",
            "user_id",
            "event_id",
            "topic",
            "status",
            "due_at",
            "attempts",
            "created_at",
        ]
        read_only_fields = fields
