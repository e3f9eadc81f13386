"""Events that others have to hear of, written in the transaction that caused them.

Invariant: as long as one subscriber has not handled an event, its `due_at` says when the sweep
hands it over, again if need be. Whatever is lost on the way, in this process, in the broker or in
a worker, costs time and never an event. Subscribers may therefore be told twice.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from sharding.django.reachable import reachable
from sharding.django.transactions import cursor_for, on_commit
from shop.core import broker
from shop.core.logging import belonging_to, request_id
from shop.core.models import OutboxEvent
from shop.core.relay import Note, relay

logger = logging.getLogger(__name__)

MOST_HANDOVERS = 100  # about a day; then it is a case for a person
LONGEST_WAIT = timedelta(minutes=15)  # what comes back, is noticed within so long

# The subscriber is done with the event; the last one ends it. No row: it was done before.
SETTLE = """
UPDATE {events} SET waiting_for = array_remove(waiting_for, %s),
    published_at = coalesce(published_at, %s),
    due_at = CASE WHEN array_remove(waiting_for, %s) = '{{}}' THEN NULL ELSE due_at END
WHERE user_id = %s AND id = %s AND %s = ANY (waiting_for)
"""

# The subscriber is to be told once more.
REOPEN = """
UPDATE {events} SET waiting_for = array_append(array_remove(waiting_for, %s), %s),
    due_at = %s, handovers = 0
WHERE user_id = %s AND id = %s
"""


class Named(Protocol):
    """A task, as far as this module has to know it."""

    name: Any


_subscribers: dict[str, list[str]] = {}


def subscribe(topic: str, task: Named) -> None:
    """Let a task (`shop.core.tasks.event_task`) hear of every event of a topic.

    Called in AppConfig.ready, so that every process knows the same subscribers.
    """
    names = _subscribers.setdefault(topic, [])
    if task.name not in names:
        names.append(str(task.name))


def subscribers(topic: str) -> list[str]:
    """Return the names of the tasks that hear of a topic."""
    return list(_subscribers.get(topic, ()))


def topics_of(task: str) -> list[str]:
    """Return the topics that a task hears of."""
    return sorted(topic for topic, names in _subscribers.items() if task in names)


def publish(*, user_id: UUID, topic: str, payload: dict[str, Any]) -> OutboxEvent:
    """Record an event on the user's shard; it exists if and only if the transaction commits.

    On commit it is offered to the relay, for speed alone.
    """
    names, now = subscribers(topic), timezone.now()
    event = OutboxEvent.objects.create(
        user_id=user_id,
        topic=topic,
        payload=payload,
        waiting_for=names,
        due_at=now + settings.OUTBOX_SWEEP_AFTER if names else None,
        published_at=None if names else now,  # nobody waits to be told
        request_id=request_id.get(),
    )
    if names and settings.OUTBOX_RELAY:
        note = Note(event.user_id, event.id, tuple(names))
        on_commit(lambda: relay.offer(note), robust=True)
    return event


def waiting_event(*, user_id: UUID, event_id: UUID, subscriber: str) -> OutboxEvent | None:
    """Return the event if this subscriber has still to handle it."""
    event: OutboxEvent | None = OutboxEvent.objects.for_user(user_id).filter(id=event_id).first()
    return event if event is not None and subscriber in event.waiting_for else None


def settle(*, user_id: UUID, event_id: UUID, subscriber: str) -> bool:
    """Note that a subscriber is done with an event; False if that was noted before."""
    now = timezone.now()
    return _execute(user_id, SETTLE, [subscriber, now, subscriber, user_id, event_id, subscriber])


def reopen(*, user_id: UUID, event_id: UUID, subscriber: str) -> bool:
    """Let a subscriber be told again, soon; False if the event is gone."""
    return _execute(user_id, REOPEN, [subscriber, subscriber, timezone.now(), user_id, event_id])


def restore(
    *, user_id: UUID, event_id: UUID, topic: str, payload: dict[str, Any], subscriber: str
) -> None:
    """Write an event that is gone once more, for one subscriber."""
    OutboxEvent.objects.create(
        user_id=user_id,
        id=event_id,
        topic=topic,
        payload=payload,
        waiting_for=[subscriber],
        due_at=timezone.now(),
    )


def hold_off(*, user_id: UUID, event_id: UUID, wait: timedelta) -> None:
    """Keep the sweep from an event while a retry of it is under way."""
    until = timezone.now() + wait
    OutboxEvent.objects.for_user(user_id).filter(id=event_id, due_at__lt=until).update(due_at=until)


def due_events(*, now: datetime, limit: int) -> list[OutboxEvent]:
    """Return the events that are due longest, of the nodes that answer. Locks nothing."""
    due = OutboxEvent.objects.cross_shard().filter(due_at__lte=now)
    return reachable(due.order_by("due_at")[:limit], key=attrgetter("due_at"))


def sweep(*, page: int = 100) -> Iterator[OutboxEvent]:
    """Hand over what is due, oldest first; yield each event that was handed over too often.

    Each event's next time is noted after it was handed over, so that a crash in between repeats
    rather than forgets. Two sweeps at once tell the subscribers twice, no more.

    Raises:
        one of broker.BROKER_ERRORS: the broker takes nothing; the rest stays due.
    """
    now, seen = timezone.now(), set[UUID]()
    while events := [e for e in due_events(now=now, limit=page) if e.id not in seen]:
        for event in events:
            seen.add(event.id)
            if event.handovers >= MOST_HANDOVERS:
                yield event
            else:
                _hand_over(event)


def pause_after(handovers: int) -> timedelta:
    """Return how long an event waits for its next time, having been handed over so often before."""
    doublings = min(handovers, 10)  # enough to reach the longest, and never too large to multiply
    doubled: timedelta = settings.OUTBOX_REDELIVER_AFTER * 2**doublings
    return min(doubled, LONGEST_WAIT)


def _hand_over(event: OutboxEvent) -> None:
    try:
        with belonging_to(event.request_id):
            broker.hand_over(event.user_id, event.id, event.waiting_for)
    except LookupError as error:
        # Its code is gone, or not here yet: after some more attempts a person has to decide.
        logger.warning("an event waits for a task that does not exist", exc_info=error)
    _note_handover(event)


def _note_handover(event: OutboxEvent) -> None:
    now = timezone.now()
    wait = pause_after(event.handovers)
    # Only if nothing happened to it meanwhile: it may have ended.
    unchanged = OutboxEvent.objects.for_user(event.user_id).filter(id=event.id, due_at=event.due_at)
    unchanged.update(
        due_at=now + wait, handovers=F("handovers") + 1, published_at=event.published_at or now
    )


def _execute(user_id: UUID, sql: str, params: list[Any]) -> bool:
    with cursor_for(OutboxEvent, user_id) as cursor:
        cursor.execute(sql.format(events=OutboxEvent._meta.db_table), params)
        return bool(cursor.rowcount)
