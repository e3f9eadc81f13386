"""Events become deliveries, and deliveries are sent until they are taken."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from shop.core.models import OutboxEvent
from shop.core.tasks import DEFAULT, NEVER, STANDARD, SWEEP, WEBHOOKS, event_task, task
from shop.webhooks import delivering, selectors, services

MOST_AT_ONCE = 500  # handed over by one sweep; the next one follows in seconds


@event_task(queue=DEFAULT, retry=STANDARD)
def record_deliveries(event: OutboxEvent) -> None:
    """Write down whom an event has to be told, and begin to."""
    for delivery_id, due_at in services.record(event):
        _hand_over(event.user_id, delivery_id, due_at)


@task(queue=WEBHOOKS, retry=NEVER)
def deliver(*, user_id: str, delivery_id: str, due_at: str) -> None:
    """Make one attempt; its row says when the next one is due."""
    delivering.deliver(
        user_id=UUID(user_id),
        delivery_id=UUID(delivery_id),
        due_at=datetime.fromisoformat(due_at),
    )


@task(queue=SWEEP, retry=NEVER)
def deliver_due() -> None:
    """Hand over what is due: retries, replays, and what was lost on the way."""
    due = selectors.due_deliveries(now=timezone.now(), limit=MOST_AT_ONCE)
    for user_id, delivery_id, due_at in due:
        lease = delivering.reserve(user_id=user_id, delivery_id=delivery_id, due_at=due_at)
        if lease:
            _hand_over(user_id, delivery_id, lease)


def _hand_over(user_id: UUID, delivery_id: UUID, due_at: datetime) -> None:
    deliver.delay(user_id=str(user_id), delivery_id=str(delivery_id), due_at=due_at.isoformat())
