"""Tasks that were given up: kept until somebody replays or drops them."""

from typing import Any
from uuid import UUID

from sharding.django.transactions import atomic
from shop.core import broker, outbox
from shop.core.models import DeadLetter, OutboxEvent

MAX_ERROR = 500  # characters


def bury_delivery(
    *, user_id: UUID, event_id: UUID, subscriber: str, error: str, tries: int
) -> DeadLetter | None:
    """Give up telling a subscriber of an event, in one transaction on one shard.

    Returns:
        None if the subscriber has handled the event after all, or was given up before.
    """
    with atomic(DeadLetter, user_id):
        if not outbox.settle(user_id=user_id, event_id=event_id, subscriber=subscriber):
            return None
        return _bury(user_id=user_id, event_id=event_id, task=subscriber, error=error, tries=tries)


def bury_task(*, task: str, kwargs: dict[str, Any], error: str, tries: int) -> DeadLetter:
    """Give up a task that follows from no event."""
    return _bury(user_id=DeadLetter.NOBODY, task=task, kwargs=kwargs, error=error, tries=tries)


def bury_event(event: OutboxEvent) -> int:
    """Give up an event that was handed over too often; return how many subscribers waited."""
    buried = [
        bury_delivery(
            user_id=event.user_id,
            event_id=event.id,
            subscriber=name,
            error=f"Handed over {event.handovers} times, and never handled.",
            tries=event.handovers,
        )
        for name in event.waiting_for
    ]
    return len([letter for letter in buried if letter])


def letters(*, ids: list[UUID] | None = None, task: str = "", limit: int) -> list[DeadLetter]:
    """Return dead letters, the oldest first. Asks every shard: for commands and metrics.

    Args:
        ids: these alone.
        task: those of this task alone.
    """
    found = DeadLetter.objects.cross_shard()
    if ids is not None:
        found = found.filter(id__in=ids)
    if task:
        found = found.filter(task=task)
    return list(found.order_by("id")[:limit])


def replay(letter: DeadLetter) -> bool:
    """Let the task run again; the letter is gone.

    What follows from an event goes back on the event's list, and the sweep hands it over within
    seconds: that needs no broker. Any other task is sent at once.

    Returns:
        False if there is nothing to replay any more: the event, or the letter itself, is gone.

    Raises:
        LookupError: there is no such task any more; the letter stays.
        one of broker.BROKER_ERRORS: the broker does not take it; the letter stays.
    """
    with atomic(DeadLetter, letter.user_id):
        if not drop(letter):
            return False
        if letter.event_id is None:
            # Inside, so that the letter stays if this fails: at worst the task runs twice.
            broker.send(letter.task, letter.kwargs)
            return True
        return outbox.reopen(
            user_id=letter.user_id, event_id=letter.event_id, subscriber=letter.task
        )


def drop(letter: DeadLetter) -> bool:
    """Remove a dead letter; False if somebody else did."""
    removed, _ = DeadLetter.objects.for_user(letter.user_id).filter(id=letter.id).delete()
    return bool(removed)


def _bury(*, error: str, kwargs: dict[str, Any] | None = None, **values: Any) -> DeadLetter:
    rows: Any = DeadLetter.objects  # the type checker cannot see into `values`
    letter: DeadLetter = rows.create(kwargs=kwargs or {}, error=error[:MAX_ERROR], **values)
    return letter
