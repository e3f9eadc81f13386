"""The shapes of the stock endpoint."""

from rest_framework import serializers

from shop.inventory.models import StockMovement

MAX_UNITS = 1_000_000_000


class AdjustmentSerializer(serializers.Serializer[StockMovement]):
    """Units that came in or went out, and why."""

    delta = serializers.IntegerField(min_value=-MAX_UNITS, max_value=MAX_UNITS)
    reason = serializers.ChoiceField(
        choices=[StockMovement.Reason.RECEIPT, StockMovement.Reason.ADJUSTMENT]
    )

    def validate_delta(self, delta: int) -> int:
        if delta == 0:
            raise serializers.ValidationError("A movement of 0 units is none.", "zero")
        return delta
