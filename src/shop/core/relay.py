"""The short way of an event: from the commit to the broker, past the request.

A request only puts a note into a bounded queue; one thread per process does the talking. When the
broker does not answer, notes are dropped at the door for a while. Nothing depends on a note: the
sweep (`shop.core.outbox`) finds the events of those that were dropped, or lost with the process.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import NamedTuple
from uuid import UUID

from prometheus_client import Counter

from shop.core import broker

logger = logging.getLogger(__name__)

NOTES = Counter(
    "shardmart_relay_notes_total",
    "Events offered to the relay: handed over to the broker, or left to the sweep.",
    ["outcome"],
)
HANDED_OVER, DROPPED = NOTES.labels("handed_over"), NOTES.labels("dropped")

CAPACITY = 1000  # notes; at 14 statements an order, more than a process makes in seconds
PAUSE = 5.0  # seconds that the broker is left alone after it failed


class Note(NamedTuple):
    """An event and the subscribers that are to be told of it."""

    user_id: UUID
    event_id: UUID
    subscribers: tuple[str, ...]


Send = Callable[[UUID, UUID, tuple[str, ...]], None]


class Relay:
    """A bounded queue, and a daemon thread that empties it into the broker."""

    def __init__(
        self, send: Send = broker.hand_over, *, capacity: int = CAPACITY, pause: float = PAUSE
    ) -> None:
        self._send = send
        self._capacity = capacity
        self._pause = pause
        self.handed_over = self.dropped = 0
        self.forget()

    def forget(self) -> None:
        """Begin anew, as a forked process must: threads do not survive a fork, nor do locks."""
        self._lock = threading.Lock()
        # Each with its context: the message says which request it follows from.
        self._notes: queue.Queue[tuple[Context, Note]] = queue.Queue(self._capacity)
        self._thread: threading.Thread | None = None
        self._closed_until = 0.0

    def offer(self, note: Note) -> bool:
        """Take a note without ever waiting; tell whether it was taken."""
        taken = time.monotonic() >= self._closed_until and self._put(note)
        if not taken:
            self._drop()
        return taken

    def wait(self, seconds: float) -> bool:
        """Wait until every note was dealt with, for a test or a command; tell whether it was."""
        deadline = time.monotonic() + seconds
        while self._notes.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self._notes.unfinished_tasks

    def _put(self, note: Note) -> bool:
        try:
            self._notes.put_nowait((copy_context(), note))
        except queue.Full:
            return False
        if self._thread is None or not self._thread.is_alive():
            self._start()
        return True

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        notes = self._notes
        while True:
            context, note = notes.get()
            try:
                context.run(self._deal_with, note)
            finally:
                notes.task_done()

    def _deal_with(self, note: Note) -> None:
        if time.monotonic() < self._closed_until:
            self._drop()
            return
        try:
            self._send(*note)
        except LookupError as error:
            # The others were told, and the broker is well: this one is left to the sweep.
            self._drop()
            logger.warning("an event waits for a task that does not exist", exc_info=error)
        except Exception as error:
            self._closed_until = time.monotonic() + self._pause
            self._drop()
            logger.warning("the broker does not take tasks; the sweep will", exc_info=error)
        else:
            self.handed_over += 1
            HANDED_OVER.inc()

    def _drop(self) -> None:
        self.dropped += 1
        DROPPED.inc()


relay = Relay()
os.register_at_fork(after_in_child=relay.forget)
