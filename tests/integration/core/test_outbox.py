"""Events reach every subscriber, whatever is lost on the way."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from shop.accounts.models import User
from shop.core import broker, dead_letters, outbox, relay, tasks
from shop.core.models import DeadLetter, OutboxEvent
from shop.core.tasks import DEFAULT, Permanent, Retry, consume_now, event_task
from tests.integration.core.assertions import statements

pytestmark = pytest.mark.django_db

handled: list[tuple[str, UUID]] = []
failures: dict[str, Exception] = {}


def _handle(name: str, event: OutboxEvent) -> None:
    handled.append((name, event.id))
    if name in failures:
        raise failures[name]


@event_task(queue=DEFAULT, retry=Retry(times=2))
def write(event: OutboxEvent) -> None:
    _handle("write", event)


@event_task(queue=DEFAULT, retry=Retry(times=2))
def charge(event: OutboxEvent) -> None:
    _handle("charge", event)


@pytest.fixture(autouse=True)
def _listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_subscribers", {})
    outbox.subscribe("it.happened", write)
    outbox.subscribe("it.happened", charge)
    handled.clear()
    failures.clear()


@pytest.fixture
def event(ana: User) -> OutboxEvent:
    return outbox.publish(user_id=ana.id, topic="it.happened", payload={"n": 1})


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What was given to the broker."""
    taken: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(broker, "send", lambda task, kwargs: taken.append((task, kwargs)))
    return taken


def address(event: OutboxEvent) -> dict[str, str]:
    """The arguments of a task that handles this event."""
    return {"user_id": str(event.user_id), "event_id": str(event.id)}


def make_due(event: OutboxEvent, **values: Any) -> None:
    past = timezone.now() - timedelta(minutes=1)
    OutboxEvent.objects.for_user(event.user_id).filter(id=event.id).update(due_at=past, **values)


def state(event: OutboxEvent) -> OutboxEvent:
    found: OutboxEvent = OutboxEvent.objects.for_user(event.user_id).get(id=event.id)
    return found


def test_an_event_waits_for_the_subscribers_of_its_moment(event: OutboxEvent) -> None:
    kept = state(event)
    assert kept.waiting_for == ["integration.write", "integration.charge"]
    assert kept.due_at is not None
    assert kept.published_at is None


def test_an_event_that_nobody_waits_for_is_done(ana: User) -> None:
    event = outbox.publish(user_id=ana.id, topic="nobody.cares", payload={})
    assert (event.due_at, event.waiting_for) == (None, [])
    assert event.published_at is not None


def test_subscribing_twice_is_subscribing_once(event: OutboxEvent) -> None:
    outbox.subscribe("it.happened", write)
    assert outbox.subscribers("it.happened") == ["integration.write", "integration.charge"]
    assert outbox.topics_of("integration.write") == ["it.happened"]


def test_publishing_costs_one_statement(ana: User) -> None:
    with statements(1):
        outbox.publish(user_id=ana.id, topic="it.happened", payload={})


def test_the_relay_hears_of_it_on_commit_and_not_before(
    ana: User,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.OUTBOX_RELAY = True
    notes: list[relay.Note] = []
    monkeypatch.setattr(outbox.relay, "offer", notes.append)
    with django_capture_on_commit_callbacks(execute=True):
        event = outbox.publish(user_id=ana.id, topic="it.happened", payload={})
        assert notes == []
    assert notes == [relay.Note(ana.id, event.id, ("integration.write", "integration.charge"))]


def test_what_is_rolled_back_was_never_published(
    ana: User,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.OUTBOX_RELAY = True
    notes: list[relay.Note] = []
    monkeypatch.setattr(outbox.relay, "offer", notes.append)
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        outbox.publish(user_id=ana.id, topic="it.happened", payload={})
        transaction.set_rollback(True)
    assert notes == []
    assert not OutboxEvent.objects.for_user(ana.id).exists()


def test_the_event_ends_with_its_last_subscriber(event: OutboxEvent) -> None:
    consume_now(write, event)
    assert state(event).waiting_for == ["integration.charge"]
    assert state(event).due_at is not None
    consume_now(charge, event)
    assert (state(event).waiting_for, state(event).due_at) == ([], None)
    assert state(event).published_at is not None


def test_a_task_that_comes_again_does_nothing(event: OutboxEvent) -> None:
    consume_now(write, event)
    consume_now(write, event)
    assert handled == [("write", event.id)]


def test_handling_an_event_costs_two_statements(event: OutboxEvent) -> None:
    with statements(2):
        consume_now(write, event)


def test_an_event_that_is_gone_is_nobodys_task(event: OutboxEvent) -> None:
    OutboxEvent.objects.for_user(event.user_id).delete()
    consume_now(write, event)
    assert handled == []


def test_a_subscriber_that_fails_does_not_hold_the_others(event: OutboxEvent) -> None:
    failures["write"] = ValueError("no")
    with pytest.raises(ValueError, match="no"):
        consume_now(write, event)
    consume_now(charge, event)
    assert state(event).waiting_for == ["integration.write"]


def test_the_sweep_leaves_what_is_not_due(event: OutboxEvent, sent: list[Any]) -> None:
    assert list(outbox.sweep()) == []
    assert sent == []


def test_the_sweep_tells_each_subscriber_and_waits_longer_each_time(
    event: OutboxEvent, sent: list[Any], settings: Any
) -> None:
    arguments = address(event)
    for times, wait in ((1, 1), (2, 2), (3, 4)):
        make_due(event)
        list(outbox.sweep())
        kept, now = state(event), timezone.now()
        assert kept.handovers == times
        assert kept.published_at is not None
        assert kept.due_at - now == pytest.approx(
            settings.OUTBOX_REDELIVER_AFTER * wait, abs=timedelta(seconds=5)
        )
    assert sent == [("integration.write", arguments), ("integration.charge", arguments)] * 3


def test_the_sweep_takes_the_longest_due_first_and_all_pages(ana: User, sent: list[Any]) -> None:
    events = [outbox.publish(user_id=ana.id, topic="it.happened", payload={}) for _ in range(5)]
    start = timezone.now() - timedelta(hours=1)
    for number, event in enumerate(reversed(events)):
        OutboxEvent.objects.for_user(ana.id).filter(id=event.id).update(
            due_at=start + timedelta(seconds=number)
        )
    list(outbox.sweep(page=2))
    told = [arguments["event_id"] for name, arguments in sent if name == "integration.write"]
    assert told == [str(event.id) for event in reversed(events)]


def test_what_the_broker_refuses_stays_due(
    event: OutboxEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(task: str, kwargs: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(broker, "send", refuse)
    make_due(event)
    tasks.sweep_outbox.run()
    assert (state(event).handovers, state(event).published_at) == (0, None)
    assert state(event).due_at < timezone.now()


@pytest.mark.usefixtures("sent")
def test_an_event_that_nobody_ever_handles_ends_with_the_dead(event: OutboxEvent) -> None:
    make_due(event, handovers=outbox.MOST_HANDOVERS)
    tasks.sweep_outbox.run()
    letters = dead_letters.letters(limit=10)
    assert {letter.task for letter in letters} == {"integration.write", "integration.charge"}
    assert state(event).due_at is None


def test_an_unknown_subscriber_keeps_an_event_from_no_other(
    event: OutboxEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []

    def send(task: str, kwargs: Any) -> None:
        if task == "gone.task":
            raise LookupError(task)
        sent.append(task)

    monkeypatch.setattr(broker, "send", send)
    make_due(event, waiting_for=["integration.write", "gone.task", "integration.charge"])
    list(outbox.sweep())
    assert sent == ["integration.write", "integration.charge"]
    assert state(event).handovers == 1


def test_after_the_last_try_a_task_is_a_dead_letter_and_no_longer_due(event: OutboxEvent) -> None:
    failures["write"] = ValueError("the disk is full")
    write.apply(kwargs=address(event))
    assert len(handled) == 3
    (letter,) = dead_letters.letters(limit=10)
    assert (letter.task, letter.tries, letter.event_id) == ("integration.write", 3, event.id)
    assert letter.error == "ValueError: the disk is full"
    assert state(event).waiting_for == ["integration.charge"]


def test_what_cannot_succeed_is_not_tried_again(event: OutboxEvent) -> None:
    failures["write"] = Permanent("no such address")
    write.apply(kwargs=address(event))
    assert len(handled) == 1
    assert dead_letters.letters(limit=10)[0].tries == 1


def test_while_a_retry_waits_the_sweep_stays_away(event: OutboxEvent) -> None:
    outbox.hold_off(user_id=event.user_id, event_id=event.id, wait=timedelta(minutes=2))
    assert state(event).due_at > timezone.now() + timedelta(seconds=110)


def test_a_subscriber_is_buried_once(event: OutboxEvent) -> None:
    burial = {"user_id": event.user_id, "event_id": event.id, "error": "x", "tries": 1}
    assert dead_letters.bury_delivery(subscriber="integration.write", **burial)
    assert dead_letters.bury_delivery(subscriber="integration.write", **burial) is None
    assert DeadLetter.objects.for_user(event.user_id).count() == 1
