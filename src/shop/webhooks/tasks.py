"""Events become deliveries, and deliveries are sent until they are taken."""

from uuid import UUID

from django.utils import timezone

from shop.core.models import OutboxEvent
from shop.core.tasks import DEFAULT, NEVER, STANDARD, event_task, task
from shop.webhooks import selectors, services

MOST_AT_ONCE = 500  # handed over by one sweep; the next one follows in seconds


@event_task(queue=DEFAULT, retry=STANDARD)
def record_deliveries(event: OutboxEvent) -> None:
    """Write down whom an event has to be told, and begin to."""
    for delivery_id in services.record(event):
        deliver.delay(user_id=str(event.user_id), delivery_id=str(delivery_id))


@task(queue=DEFAULT, retry=NEVER)
def deliver(*, user_id: str, delivery_id: str) -> None:
    """Make one attempt; its row says when the next one is due."""
    services.deliver(user_id=UUID(user_id), delivery_id=UUID(delivery_id))


@task(queue=DEFAULT, retry=NEVER)
def deliver_due() -> None:
    """Hand over what is due: retries, replays, and what was lost on the way."""
    for user_id, delivery_id in selectors.due_deliveries(now=timezone.now(), limit=MOST_AT_ONCE):
        deliver.delay(user_id=str(user_id), delivery_id=str(delivery_id))
