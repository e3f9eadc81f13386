"""Events that others have to hear of, written in the transaction that caused them."""

from typing import Any
from uuid import UUID

from shop.core.models import OutboxEvent


def publish(*, user_id: UUID, topic: str, payload: dict[str, Any]) -> OutboxEvent:
    """Record an event on the user's shard; it exists if and only if the transaction commits."""
    return OutboxEvent.objects.create(user_id=user_id, topic=topic, payload=payload)
