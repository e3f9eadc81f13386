"""The relay: a request is never held up, and a broker that is gone is left alone."""

import threading
import time
from typing import Any
from uuid import UUID

import pytest

from shop.core.relay import Note, Relay

ANA, EVENT = UUID(int=1), UUID(int=2)
NOTE = Note(ANA, EVENT, ("mail.confirm", "payments.charge"))


class Broker:
    """Remembers what it was sent; fails or hangs when told to."""

    def __init__(self) -> None:
        self.sent: list[Note] = []
        self.attempts = 0
        self.gone = False
        self.answers = threading.Event()
        self.answers.set()

    def take(self, user_id: UUID, event_id: UUID, subscribers: tuple[str, ...]) -> None:
        self.attempts += 1
        self.answers.wait(10)
        if self.gone:
            raise ConnectionRefusedError
        self.sent.append(Note(user_id, event_id, subscribers))


@pytest.fixture
def broker() -> Broker:
    return Broker()


def test_a_note_reaches_the_broker(broker: Broker) -> None:
    relay = Relay(broker.take)
    assert relay.offer(NOTE)
    assert relay.wait(5)
    assert broker.sent == [NOTE]
    assert (relay.handed_over, relay.dropped) == (1, 0)


def test_a_broker_that_hangs_holds_nobody_up(broker: Broker) -> None:
    broker.answers.clear()
    relay = Relay(broker.take, capacity=3)
    started = time.monotonic()
    taken = [relay.offer(NOTE) for _ in range(100)]
    assert time.monotonic() - started < 0.5
    broker.answers.set()
    assert relay.wait(5)
    # The thread may have had one in its hand already.
    assert taken.count(True) in {3, 4}
    assert relay.dropped == 100 - taken.count(True)


def test_a_broker_that_failed_is_left_alone_for_a_while(broker: Broker) -> None:
    broker.gone = True
    relay = Relay(broker.take, pause=0.2)
    relay.offer(NOTE)
    relay.wait(5)
    assert not any(relay.offer(NOTE) for _ in range(10))
    assert (broker.attempts, relay.dropped) == (1, 11)
    broker.gone = False
    time.sleep(0.25)
    assert relay.offer(NOTE)
    relay.wait(5)
    assert broker.sent == [NOTE]


def test_a_task_that_does_not_exist_says_nothing_of_the_broker() -> None:
    sent: list[Note] = []

    def take(*note: Any) -> None:
        sent.append(Note(*note))
        if len(sent) == 1:
            raise LookupError("There is no task 'gone.task'.")

    relay = Relay(take)
    assert relay.offer(NOTE)
    assert relay.wait(5)
    assert relay.offer(NOTE)
    assert relay.wait(5)
    assert sent == [NOTE, NOTE]
    assert (relay.handed_over, relay.dropped) == (1, 1)


def test_what_was_queued_when_the_broker_failed_is_dropped_without_asking(broker: Broker) -> None:
    broker.gone = True
    broker.answers.clear()
    relay = Relay(broker.take)
    for _ in range(5):
        relay.offer(NOTE)
    broker.answers.set()
    assert relay.wait(5)
    assert (broker.attempts, relay.dropped) == (1, 5)


def test_a_forked_process_begins_with_an_empty_queue(broker: Broker) -> None:
    broker.answers.clear()
    relay = Relay(broker.take)
    relay.offer(NOTE)
    relay.forget()
    assert relay.wait(0)
    assert relay.offer(NOTE)
    broker.answers.set()
    assert relay.wait(5)
