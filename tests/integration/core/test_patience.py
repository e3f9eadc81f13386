"""What waiting may mend stays on the outbox, for most of a day; the rest is a dead letter."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from celery.app.trace import build_tracer
from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from shop.accounts.models import User
from shop.core import dead_letters, outbox
from shop.core.models import OutboxEvent
from shop.core.tasks import DEFAULT, NotNow, Retry, consume_now, event_task

pytestmark = pytest.mark.django_db

attempts: list[OutboxEvent] = []
failures: list[Exception] = []


@event_task(queue=DEFAULT, retry=Retry(times=2))
def attempt(event: OutboxEvent) -> None:
    attempts.append(event)
    if failures:
        raise failures[0]


@pytest.fixture
def event(ana: User, monkeypatch: pytest.MonkeyPatch) -> OutboxEvent:
    monkeypatch.setattr(outbox, "_subscribers", {"it.happened": [attempt.name]})
    attempts.clear()
    failures.clear()
    return outbox.publish(user_id=ana.id, topic="it.happened", payload={})


def address(event: OutboxEvent) -> dict[str, str]:
    return {"user_id": str(event.user_id), "event_id": str(event.id)}


def hand_over_twice(event: OutboxEvent) -> None:
    past = timezone.now() - timedelta(minutes=1)
    OutboxEvent.objects.for_user(event.user_id).update(due_at=past, handovers=2)


def waits(event: OutboxEvent) -> bool:
    event.refresh_from_db()
    assert (event.due_at is not None) == bool(event.waiting_for)
    return event.due_at is not None


# What a task may find when a gateway, the mail server, the broker or the database is away.
AWAY = (
    NotNow("the gateway is silent"),
    ConnectionRefusedError("nobody listens"),
    SMTPServerDisconnected("please run connect() first"),
    OperationalError("the database system is not yet accepting connections"),
    InterfaceError("connection already closed"),
    SoftTimeLimitExceeded(),
    TimeLimitExceeded(45),
)
away = pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)


@away
def test_what_waiting_may_mend_stays_on_the_outbox_and_is_no_dead_letter(
    event: OutboxEvent, error: Exception
) -> None:
    failures[:] = [error]
    attempt.apply(kwargs=address(event))
    assert len(attempts) == 3
    assert dead_letters.letters(limit=10) == []
    assert waits(event)
    failures.clear()
    consume_now(attempt, event)
    assert not waits(event)


def test_an_event_that_has_waited_is_tried_once_at_each_of_its_pauses(event: OutboxEvent) -> None:
    failures[:] = [NotNow()]
    hand_over_twice(event)
    attempt.apply(kwargs=address(event))
    assert len(attempts) == 1
    assert waits(event)


def test_a_fault_of_ours_ends_with_the_dead_however_often_its_event_was_handed_over(
    event: OutboxEvent,
) -> None:
    failures[:] = [ValueError("no")]
    hand_over_twice(event)
    attempt.apply(kwargs=address(event))
    assert [letter.tries for letter in dead_letters.letters(limit=10)] == [3]


def test_an_event_is_handed_over_for_most_of_a_day_before_it_is_given_up() -> None:
    pauses = map(outbox.pause_after, range(outbox.MOST_HANDOVERS))
    assert sum(pauses, timedelta(0)) > timedelta(hours=20)


def test_a_connection_lost_in_a_retry_as_well_makes_no_dead_letter(
    event: OutboxEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a worker runs it: what `on_retry` raises would count as the end of the task."""

    def lose(**_: Any) -> None:
        raise InterfaceError("connection already closed")

    monkeypatch.setattr(outbox, "hold_off", lose)
    failures[:] = [OperationalError("server closed the connection unexpectedly")]
    trace = build_tracer(attempt.name, attempt, app=current_app)
    trace(str(uuid4()), [], address(event), {"delivery_info": {}, "retries": 0})
    assert len(attempts) == 1
    assert dead_letters.letters(limit=10) == []
    assert waits(event)
