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
        event = OutboxEvent.objects.for_user(user_id).get(id=event_id)
        return _bury(
            user_id=user_id,
            event_id=event_id,
            topic=event.topic,
            payload=event.payload,
            task=subscriber,
            error=error,
            tries=tries,
        )


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
    seconds: that needs no broker. An event that is gone is written once more. Any other task is
    sent at once.

    Returns:
        False if somebody else has replayed or dropped the letter.

    Raises:
        LookupError: there is no such task any more, or nothing that says what it was to do; the
            letter stays.
        one of broker.BROKER_ERRORS: the broker does not take it; the letter stays.
    """
    with atomic(DeadLetter, letter.user_id):
        if not drop(letter):
            return False
        if letter.event_id is None:
            # Inside, so that the letter stays if this fails: at worst the task runs twice.
            broker.send(letter.task, letter.kwargs)
        else:
            _tell_again(letter, letter.event_id)
    return True


def _tell_again(letter: DeadLetter, event_id: UUID) -> None:
    user_id, subscriber = letter.user_id, letter.task
    if outbox.reopen(user_id=user_id, event_id=event_id, subscriber=subscriber):
        return
    if not letter.topic:  # from before letters held it
        raise LookupError("its event is gone, and the letter does not say what it was.")
    outbox.restore(
        user_id=user_id,
        event_id=event_id,
        topic=letter.topic,
        payload=letter.payload,
        subscriber=subscriber,
    )


def drop(letter: DeadLetter) -> bool:
    """Remove a dead letter; False if somebody else did."""
    removed, _ = DeadLetter.objects.for_user(letter.user_id).filter(id=letter.id).delete()
    return bool(removed)


def _bury(*, error: str, kwargs: dict[str, Any] | None = None, **values: Any) -> DeadLetter:
    rows: Any = DeadLetter.objects  # the type checker cannot see into `values`
    letter: DeadLetter = rows.create(kwargs=kwargs or {}, error=error[:MAX_ERROR], **values)
    return letter
