"""Figures of the outbox, the queues and beat: read by the exporter, now and then."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone

from sharding.django.readings import Figure, Reading
from shop.core.models import DeadLetter, OutboxEvent
from shop.core.tasks import LIMITS

OUTBOX_WAITING = Figure("shardmart_outbox_waiting", "Events that somebody has still to handle.")
OUTBOX_UNPUBLISHED = Figure(
    "shardmart_outbox_unpublished", "Events that are not known to have reached the broker."
)
OUTBOX_OLDEST = Figure(
    "shardmart_outbox_oldest_seconds",
    "Age of the oldest event that is due and was not handed over yet; 0 if there is none.",
)
OUTBOX_HELD_UP = Figure(
    "shardmart_outbox_held_up",
    "Events that were handed over three times or more, a quarter of an hour, and still wait.",
)
DEAD_LETTERS = Figure("shardmart_dead_letters", "Tasks given up that nobody has dealt with yet.")
QUEUE_DEPTH = Figure("shardmart_queue_depth", "Tasks that wait in a queue.", ("queue",))
BEAT_LAST_RUN = Figure(
    "shardmart_beat_last_run_timestamp_seconds", "When beat last noted what it had started."
)

QUEUE_NOT_FOUND = "404"  # as AMQP numbers it: nobody has sent anything to it yet


def outbox() -> Iterator[Reading]:
    """Yield how many events wait, and how long. Asks every shard, by an index of those alone."""
    now = timezone.now()
    found = (
        OutboxEvent.objects.cross_shard()
        .filter(due_at__isnull=False)
        .aggregate(
            waiting=Count("id"),
            unpublished=Count("id", filter=Q(published_at__isnull=True)),
            held_up=Count("id", filter=Q(handovers__gte=3)),
            oldest=Min("created_at", filter=Q(due_at__lte=now)),
        )
    )
    yield Reading(OUTBOX_WAITING, found["waiting"])
    yield Reading(OUTBOX_UNPUBLISHED, found["unpublished"])
    yield Reading(OUTBOX_HELD_UP, found["held_up"])
    age = (now - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    yield Reading(OUTBOX_OLDEST, age)
    yield Reading(DEAD_LETTERS, DeadLetter.objects.cross_shard().count())


def queues() -> Iterator[Reading]:
    """Yield how many tasks wait in each queue, by what the broker says."""
    with current_app.connection_for_read(connect_timeout=2) as connection:
        for queue in LIMITS:
            channel: Any = (
                connection.channel()
            )  # the broker closes one that asked for what is not there
            try:
                depth = channel.queue_declare(queue=queue, passive=True).message_count
            except connection.channel_errors as error:
                # kombu's own transports say it as text.
                if str(getattr(error, "reply_code", "")) != QUEUE_NOT_FOUND:
                    raise
                depth = 0
            else:
                channel.close()
            yield Reading(QUEUE_DEPTH, depth, (queue,))


def beat() -> Iterator[Reading]:
    """Yield when beat last started a task: it touches a file then (shop.config.celery)."""
    sent = Path(f"{settings.CELERY_BEAT_SCHEDULE_FILENAME}.sent")
    if sent.exists():
        yield Reading(BEAT_LAST_RUN, min(sent.stat().st_mtime, time.time()))
